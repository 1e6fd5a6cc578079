import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { constraintsOf } from "../../../src/storage/constraints.ts";
import { Harness, ref } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

beforeEach(async () => {
  await harness.run("CREATE OR REPLACE TABLE d.customers (id INT64 PRIMARY KEY NOT ENFORCED)");
  await harness.run(
    "CREATE OR REPLACE TABLE d.orders (id INT64, line INT64, customer INT64 REFERENCES `p.d.customers`(ID) NOT ENFORCED, payer INT64, PRIMARY KEY (id, LINE) NOT ENFORCED, CONSTRAINT paid_by FOREIGN KEY (payer) REFERENCES d.customers(id) NOT ENFORCED)",
  );
});

function keys(tableId = "orders") {
  const entry = harness.storage.catalog.getTable(ref(tableId));
  return entry === undefined ? undefined : constraintsOf(entry);
}

const names = () =>
  harness.rows(
    "SELECT constraint_name FROM d.INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_name = 'orders' ORDER BY 1",
  );
const customers = { projectId: "p", datasetId: "d", tableId: "customers" };
const reference = (referencingColumn: string) => ({
  referencedTable: customers,
  columnReferences: [{ referencingColumn, referencedColumn: "id" }],
});

// https://cloud.google.com/bigquery/docs/primary-foreign-keys
describe("primary and foreign keys", () => {
  test("are kept as REST shows them, with columns spelled as the table's", () => {
    expect(keys()).toEqual({
      primaryKey: { columns: ["id", "line"] },
      foreignKeys: [reference("customer"), { name: "paid_by", ...reference("payer") }],
    });
  });

  test("are not enforced", async () => {
    await harness.run("INSERT INTO d.orders VALUES (1, 1, 7, NULL), (1, 1, 8, NULL)");
    expect(await harness.rows("SELECT COUNT(*) FROM d.orders")).toEqual([[2n]]);
  });

  test("are dropped and added", async () => {
    await harness.run("ALTER TABLE d.orders DROP PRIMARY KEY, ADD PRIMARY KEY (line) NOT ENFORCED");
    expect(keys()?.primaryKey).toEqual({ columns: ["line"] });
    await harness.run("ALTER TABLE d.orders DROP CONSTRAINT `orders.fk$1`");
    expect(await names()).toEqual([["orders.paid_by"], ["orders.pk$"]]);
    await harness.run(
      "ALTER TABLE d.orders DROP CONSTRAINT paid_by, DROP PRIMARY KEY IF EXISTS, DROP PRIMARY KEY IF EXISTS",
    );
    expect(keys()).toEqual({});
    await harness.run(
      "ALTER TABLE d.orders ADD FOREIGN KEY (customer) REFERENCES d.customers(id) NOT ENFORCED",
    );
    expect(await names()).toEqual([["orders.fk$1"]]);
  });

  test("with IF EXISTS and IF NOT EXISTS what is there stays", async () => {
    const before = keys();
    await harness.run(
      "ALTER TABLE d.orders DROP CONSTRAINT IF EXISTS nope, ADD CONSTRAINT IF NOT EXISTS paid_by FOREIGN KEY (customer) REFERENCES d.customers(id) NOT ENFORCED",
    );
    expect(keys()).toEqual(before);
  });

  test.each([
    ["ADD PRIMARY KEY (id) NOT ENFORCED", "duplicate"],
    ["ADD CONSTRAINT paid_by FOREIGN KEY (id) REFERENCES d.customers(id) NOT ENFORCED", "duplicate"],
    ["ADD FOREIGN KEY (id) REFERENCES d.customers(id) ENFORCED", "invalidQuery"],
    ["ADD FOREIGN KEY (id) REFERENCES d.nope(id) NOT ENFORCED", "notFound"],
    ["DROP CONSTRAINT nope", "notFound"],
    ["DROP COLUMN payer", "invalidQuery"],
    ["RENAME COLUMN line TO row_", "invalidQuery"],
  ])("ALTER TABLE … %s is refused", async (action, reason) => {
    const before = keys();
    expect((await harness.failure(`ALTER TABLE d.orders ${action}`)).reason).toBe(reason);
    expect(keys()).toEqual(before);
  });

  test("a key of seventeen columns is refused", async () => {
    const columns = Array.from({ length: 17 }, (_, index) => `c${index}`);
    const list = columns.map((name) => `${name} INT64`).join(", ");
    const failure = await harness.failure(
      `CREATE TABLE d.wide (${list}, PRIMARY KEY (${columns.join(", ")}) NOT ENFORCED)`,
    );
    expect(failure.message).toBe("A key of p:d.wide must have between 1 and 16 columns.");
  });

  test("the ddl of INFORMATION_SCHEMA.TABLES makes the same keys", async () => {
    const before = keys();
    const [[ddl] = []] = await harness.rows(
      "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'orders'",
    );
    await harness.run("DROP TABLE d.orders");
    await harness.run(String(ddl));
    expect(keys()).toEqual(before);
  });
});
