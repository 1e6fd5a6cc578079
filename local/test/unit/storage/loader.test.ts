import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BigQueryError } from "../../../src/errors.ts";
import type { ColumnDefaults } from "../../../src/storage/column-defaults.ts";
import { type LoadResult, TableLoader } from "../../../src/storage/load/loader.ts";
import { DEFAULT_FORMAT, rowEncoder } from "../../../src/storage/rest-values.ts";
import { fieldType, parseSchema } from "../../../src/storage/schema.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";
import { createTable, dropTable } from "../../../src/storage/tables.ts";
import { fromDuck } from "../../../src/values.ts";

/** Default values that are written alike in GoogleSQL and DuckDB. */
const literalDefaults: ColumnDefaults = async (fields) =>
  new Map(fields.map((field) => [field.name.toLowerCase(), field.defaultValueExpression ?? "NULL"]));

const REF = { projectId: "p", datasetId: "d", tableId: "t" };
let storage: Storage;
let folder: string;

/** How large a file must be to be read in bulk: 0 has every file tried so, and Infinity none. */
let bulkBytes = 0;

beforeAll(async () => {
  storage = await openStorage();
  folder = await mkdtemp(join(tmpdir(), "loader-"));
  await storage.catalog.change(async (change) => {
    const times = { creationTime: 1, lastModifiedTime: 1 };
    change.putDataset({ projectId: "p", datasetId: "d", location: "US", kept: {}, ...times });
  });
});
beforeEach(async () => {
  bulkBytes = 0;
  await storage.catalog.change(async (change) => {
    for (const table of change.listTables("p", "d")) await dropTable(change, table);
  });
});
afterAll(async () => {
  await storage.close();
  await rm(folder, { recursive: true });
});

async function load(data: string | Buffer, options: Record<string, unknown>): Promise<LoadResult> {
  const file = join(folder, "data");
  await writeFile(file, data);
  return new TableLoader(storage.catalog, literalDefaults, bulkBytes).load({
    destinationTable: REF,
    file,
    options,
  });
}

function loadJson(lines: readonly string[], options: Record<string, unknown> = {}): Promise<LoadResult> {
  return load(lines.map((line) => `${line}\n`).join(""), {
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    ...options,
  });
}

async function failure(work: Promise<unknown>): Promise<BigQueryError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BigQueryError) return error;
  throw new Error(`not a BigQueryError: ${String(error)}`);
}

/** The table's rows as REST shows them, nested cells flattened to plain arrays. */
async function tableRows(): Promise<unknown[]> {
  const entry = storage.catalog.getTable(REF);
  if (entry === undefined) return [];
  const types = entry.schema.map(fieldType);
  const encode = rowEncoder(types, DEFAULT_FORMAT);
  const columns = entry.schema.map((field) => `"${field.name}"`).join(", ");
  const raw = await storage.database.use(async (connection) =>
    (await connection.runAndReadAll(`SELECT ${columns} FROM ${entry.physical}`)).getRows(),
  );
  return raw.map((row) => plain(JSON.parse(encode(types.map((type, index) => fromDuck(type, row[index]))))));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((cell) => plain((cell as { v: unknown }).v));
  if (typeof value !== "object" || value === null) return value;
  return (value as { f: { v: unknown }[] }).f.map((cell) => plain(cell.v));
}

function fields(...columns: [string, string, string?][]): { fields: unknown[] } {
  return { fields: columns.map(([name, type, mode]) => ({ name, type, mode: mode ?? "NULLABLE" })) };
}

const EVERY_TYPE = fields(
  ["s", "STRING"],
  ["i", "INT64"],
  ["f", "FLOAT64"],
  ["b", "BOOL"],
  ["y", "BYTES"],
  ["n", "NUMERIC"],
  ["g", "BIGNUMERIC"],
  ["d", "DATE"],
  ["t", "TIME"],
  ["dt", "DATETIME"],
  ["ts", "TIMESTAMP"],
);

const cases: [string, string, (string | null)[]][] = [
  [
    "plain",
    '{"s":"a","i":1,"f":1.5,"b":true,"y":"YWI=","n":1.5,"g":"0.1","d":"2020-02-29","t":"12:34:56","dt":"2020-01-02T03:04:05","ts":"2020-01-02T03:04:05Z"}',
    [
      "a",
      "1",
      "1.5",
      "true",
      "YWI=",
      "1.5",
      "0.1",
      "2020-02-29",
      "12:34:56",
      "2020-01-02T03:04:05",
      "1.577934245E9",
    ],
  ],
  [
    "numbers beyond FLOAT64",
    '{"i":9223372036854775807,"n":12345678901234567890123456789.123456789,"g":0.12345678901234567890123456789012345678}',
    [
      null,
      "9223372036854775807",
      null,
      null,
      null,
      "12345678901234567890123456789.123456789",
      "0.12345678901234567890123456789012345678",
      null,
      null,
      null,
      null,
    ],
  ],
  [
    "a NUMERIC whose FLOAT64 looks short",
    '{"n":123456789.000000001,"g":0.10000000000000000001}',
    [null, null, null, null, null, "123456789.000000001", "0.10000000000000000001", null, null, null, null],
  ],
  [
    "numbers as strings",
    '{"i":"-9223372036854775808","f":"NaN","b":"true","n":"-0.000000001","g":"-12345678901234567890123456789012345678.5","ts":"1577934245.25"}',
    [
      null,
      "-9223372036854775808",
      "NaN",
      "true",
      null,
      "-0.000000001",
      "-12345678901234567890123456789012345678.5",
      null,
      null,
      null,
      "1.57793424525E9",
    ],
  ],
  [
    "other forms of numbers and times",
    '{"i":1e3,"f":-0.0,"n":1e-9,"d":"2020-1-2","t":"1:2:3.5","dt":"2020-01-02 03:04","ts":1577934245.123456}',
    [
      null,
      "1000",
      "-0.0",
      null,
      null,
      "0.000000001",
      null,
      "2020-01-02",
      "01:02:03.500000",
      "2020-01-02T03:04:00",
      "1.577934245123456E9",
    ],
  ],
  [
    "zones",
    '{"ts":"2020-07-01 00:00:00 America/New_York","dt":"0001-01-01T00:00:00","d":"9999-12-31"}',
    [
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      "9999-12-31",
      null,
      "0001-01-01T00:00:00",
      "1.5935760E9".replace("60E9", "6E9"),
    ],
  ],
  ["nothing", "{}", new Array(11).fill(null)],
  ["nulls", '{"s":null,"i":null,"n":null,"ts":null,"b":null}', new Array(11).fill(null)],
  [
    "a number and a BOOL for a STRING",
    '{"s":17,"b":false}',
    ["17", null, null, "false", ...new Array(7).fill(null)],
  ],
  ["text that looks like JSON", '{"s":"{\\"a\\": [1]}"}', ['{"a": [1]}', ...new Array(10).fill(null)]],
  [
    "text with NUL, quotes and emoji",
    '{"s":"a\\u0000\\"\\n\\ud83d\\ude00"}',
    ['a\0"\n😀', ...new Array(10).fill(null)],
  ],
  ["names in another case", '{"S":"x","TS":"2020-01-01"}', ["x", ...new Array(9).fill(null), "1.5778368E9"]],
];

describe("NDJSON", () => {
  test.each(cases)("%s", async (_, line, want) => {
    for (const bytes of [0, Number.POSITIVE_INFINITY]) {
      bulkBytes = bytes;
      const result = await loadJson([line], { schema: EVERY_TYPE, writeDisposition: "WRITE_TRUNCATE" });
      expect(result.outputRows).toBe(1);
      expect(await tableRows()).toEqual([want]);
    }
  });

  test("nested and repeated", async () => {
    const schema = {
      fields: [
        {
          name: "r",
          type: "RECORD",
          fields: [
            { name: "a b", type: "STRING" },
            { name: "l", type: "INT64", mode: "REPEATED" },
          ],
        },
        {
          name: "rr",
          type: "RECORD",
          mode: "REPEATED",
          fields: [{ name: "x", type: "RECORD", fields: [{ name: "y", type: "DATE" }] }],
        },
      ],
    };
    const lines = [
      '{"r":{"a b":"q","l":[1,2]},"rr":[{"x":{"y":"2020-01-01"}},{"x":null},{}]}',
      '{"r":{},"rr":[]}',
      '{"r":null}',
    ];
    const want = [
      [
        ["q", ["1", "2"]],
        [[["2020-01-01"]], [null], [null]],
      ],
      [[null, []], []],
      [null, []],
    ];
    await loadJson(lines, { schema });
    expect(await tableRows()).toEqual(want);
    // The exact path gives the same.
    await loadJson([...lines, '{"rr":[{"X":null}]}'], { schema, writeDisposition: "WRITE_TRUNCATE" });
    expect(await tableRows()).toEqual([...want, [null, [[null]]]]);
  });

  test("JSON and GEOGRAPHY are kept in canonical form", async () => {
    await loadJson(['{"j":{"b":1.0,"a":[1, "x"]},"g":"point( 1   2)"}', '{"j":"text"}'], {
      schema: fields(["j", "JSON"], ["g", "GEOGRAPHY"]),
    });
    expect(await tableRows()).toEqual([
      ['{"a":[1,"x"],"b":1.0}', "POINT(1 2)"],
      ['"text"', null],
    ]);
  });

  const refused: [string, string, string][] = [
    ["not JSON", '{"i":1', "Parser terminated before end of string"],
    ["a comma too many", '{"i":1,}', "Unexpected token"],
    ["no object", "5", "Value encountered without start of object."],
    ["an unknown field", '{"i":1,"zz":2}', "No such field: zz."],
    ["a fraction for an INT64", '{"i":1.5}', "Could not convert value to integer. Field: i; Value: 1.5"],
    [
      "an INT64 out of range",
      '{"i":9223372036854775808}',
      "Could not convert value to integer. Field: i; Value: 9223372036854775808",
    ],
    ["digits with a separator", '{"f":"1_000"}', "Could not convert value to double. Field: f; Value: 1_000"],
    ["a date that is none", '{"d":"2021-02-29"}', "Invalid date: '2021-02-29' Field: d; Value: 2021-02-29"],
    ["an object for a STRING", '{"s":{"a":1}}', "JSON object specified for non-record field: s"],
    ["an array for a STRING", '{"s":["a"]}', "Array specified for non-repeated field: s."],
    ["a NUMERIC out of range", '{"n":"1e29"}', "Invalid NUMERIC value: 1e29 Field: n; Value: 1e29"],
    ["no base64", '{"y":"a"}', "Could not decode base64 string to bytes. Field: y; Value: a"],
    ["infinity for a DATE", '{"d":"infinity"}', "Invalid date: 'infinity' Field: d; Value: infinity"],
  ];

  test.each(refused)("refuses %s", async (_, line, message) => {
    const error = await failure(loadJson(['{"i":7}', line, '{"i":8}'], { schema: EVERY_TYPE }));
    expect(error.message).toBe(
      "Error while reading data, error message: JSON table encountered too many errors, giving up. Rows: 2; errors: 1. Please look into the errors[] collection for more details.",
    );
    const detail = error.details.at(-1)?.message ?? "";
    expect(detail).toContain(
      "Error while reading data, error message: JSON parsing error in row starting at position 8: ",
    );
    expect(detail).toContain(message);
    expect(storage.catalog.getTable(REF)).toBeUndefined();
  });

  test("maxBadRecords leaves bad rows out and reports them", async () => {
    const result = await loadJson(['{"i":1}', '{"i":"x"}', '{"i":3}'], {
      schema: EVERY_TYPE,
      maxBadRecords: 1,
    });
    expect(result).toMatchObject({ outputRows: 2, badRecords: 1 });
    expect(result.warnings[0]?.message).toContain("Could not convert value to integer. Field: i; Value: x");
  });

  test("ignoreUnknownValues at every depth", async () => {
    await loadJson(['{"i":1,"z":{"i":2}}', '{"I":3,"z":4}'], {
      schema: fields(["i", "INT64"]),
      ignoreUnknownValues: true,
    });
    expect(await tableRows()).toEqual([["1"], ["3"]]);
  });

  test("REQUIRED fields, nested ones too", async () => {
    const schema = {
      fields: [
        ...fields(["id", "STRING", "REQUIRED"]).fields,
        {
          name: "r",
          type: "RECORD",
          mode: "REPEATED",
          fields: [{ name: "x", type: "INT64", mode: "REQUIRED" }],
        },
      ],
    };
    const message = async (line: string): Promise<string> =>
      (await failure(loadJson([line], { schema }))).details.at(-1)?.message ?? "";
    expect(await message("{}")).toContain("Missing required fields: id.");
    expect(await message('{"id":null}')).toContain(
      "Only optional fields can be set to NULL. Field: id; Value: NULL",
    );
    expect(await message('{"id":"a","r":[{}]}')).toContain("Missing required fields: r.x.");
    expect(await message('{"id":"a","r":[null]}')).toContain(
      "Only optional fields can be set to NULL. Field: r",
    );
  });

  test("lengths and precisions are limits", async () => {
    const schema = {
      fields: [
        { name: "s", type: "STRING", maxLength: "2" },
        { name: "n", type: "NUMERIC", precision: "4", scale: "2" },
      ],
    };
    await loadJson(['{"s":"éé","n":99.994}'], { schema });
    expect(await tableRows()).toEqual([["éé", "99.99"]]);
    await failure(loadJson(['{"s":"abc"}'], { schema }));
    await failure(loadJson(['{"n":99.995}'], { schema }));
  });
});

describe("speed", () => {
  test("plain rows are read by DuckDB itself", async () => {
    const [, line] = cases[0] ?? [];
    expect(
      (await loadJson([line ?? "", '{"s":"{}","ts":1577934245,"f":null}'], { schema: EVERY_TYPE })).how,
    ).toBe("bulk");
    const schema = fields(["s", "STRING"], ["n", "NUMERIC"]);
    const csv = { sourceFormat: "CSV", schema, writeDisposition: "WRITE_TRUNCATE", skipLeadingRows: 1 };
    expect((await load('s,n\n"a",1.5\n', csv)).how).toBe("bulk");
    bulkBytes = 100;
    expect((await load('s,n\n"a",1.5\n', csv)).how).toBe("exact");
  });
});

describe("dispositions", () => {
  const schema = fields(["a", "INT64"], ["b", "STRING"]);

  test("append, truncate, empty", async () => {
    await loadJson(['{"a":1}'], { schema });
    await loadJson(['{"a":2}']);
    expect(await tableRows()).toEqual([
      ["1", null],
      ["2", null],
    ]);
    const error = await failure(loadJson(['{"a":3}'], { writeDisposition: "WRITE_EMPTY" }));
    expect(error).toMatchObject({ reason: "duplicate", message: "Already Exists: Table p:d.t" });
    const failed = await failure(loadJson(['{"a":"x"}'], { writeDisposition: "WRITE_TRUNCATE" }));
    expect(failed.reason).toBe("invalid");
    expect(await tableRows()).toEqual([
      ["1", null],
      ["2", null],
    ]);
    await loadJson(['{"a":4}'], { writeDisposition: "WRITE_TRUNCATE" });
    expect(await tableRows()).toEqual([["4", null]]);
  });

  test("a table that must be there, a dataset that is not", async () => {
    const missing = await failure(loadJson(['{"a":1}'], { schema, createDisposition: "CREATE_NEVER" }));
    expect(missing).toMatchObject({ reason: "notFound", message: "Not found: Table p:d.t" });
    const noSchema = await failure(loadJson(['{"a":1}']));
    expect(noSchema.message).toBe("No schema specified on job or table.");
  });

  test("schema updates only where the job allows them", async () => {
    const required = fields(["a", "INT64", "REQUIRED"]);
    await loadJson(['{"a":1}'], { schema: required });
    const wider = fields(["a", "INT64"], ["c", "DATE"]);
    const refusedAdd = await failure(
      loadJson(["{}"], { schema: wider, schemaUpdateOptions: ["ALLOW_FIELD_RELAXATION"] }),
    );
    expect(refusedAdd.message).toBe(
      "Provided Schema does not match Table p:d.t. Cannot add fields (field: c)",
    );
    const refusedRelax = await failure(
      loadJson(["{}"], { schema: wider, schemaUpdateOptions: ["ALLOW_FIELD_ADDITION"] }),
    );
    expect(refusedRelax.message).toContain("Field a has changed mode from REQUIRED to NULLABLE");
    await loadJson(['{"c":"2020-01-01"}'], {
      schema: wider,
      schemaUpdateOptions: ["ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"],
    });
    expect(await tableRows()).toEqual([
      ["1", null],
      [null, "2020-01-01"],
    ]);
  });

  // A column outside of the load's schema has no data in the rows; one within it is NULL where a row leaves it out:
  // https://cloud.google.com/bigquery/docs/default-values, https://github.com/googleapis/python-bigquery/issues/1495
  test("a column that the load does not have gets its default value", async () => {
    const columns = [
      { name: "a", type: "INTEGER" },
      { name: "b", type: "STRING", defaultValueExpression: "'x'", mode: "REQUIRED" },
    ];
    await storage.catalog.change((change) => createTable(change, { ref: REF, schema: parseSchema(columns) }));
    await loadJson(['{"a":1}'], { schema: fields(["a", "INT64"]) });
    await load("2\n", { sourceFormat: "CSV", schema: fields(["a", "INT64"]) });
    expect(await tableRows()).toEqual([
      ["1", "x"],
      ["2", "x"],
    ]);
    await failure(loadJson(['{"a":3}']));
  });

  test("a truncating load with a schema replaces the table's", async () => {
    await loadJson(['{"a":1}'], { schema });
    const id = storage.catalog.getTable(REF)?.creationTime;
    await loadJson(['{"z":true}'], { schema: fields(["z", "BOOL"]), writeDisposition: "WRITE_TRUNCATE" });
    expect(await tableRows()).toEqual([["true"]]);
    expect(storage.catalog.getTable(REF)?.creationTime).toBe(id);
  });
});

describe("CSV", () => {
  const schema = fields(["s", "STRING"], ["i", "INT64"], ["d", "DATE"]);
  const csv = (data: string, options: Record<string, unknown> = {}): Promise<LoadResult> =>
    load(data, { sourceFormat: "CSV", schema, ...options });

  const accepted: [string, string, Record<string, unknown>, (string | null)[][]][] = [
    [
      "plain",
      "a,1,2020-01-01\nb,2,\n",
      {},
      [
        ["a", "1", "2020-01-01"],
        ["b", "2", null],
      ],
    ],
    [
      "CRLF and no end of line",
      "a,1,\r\nb,2,2020-01-01",
      {},
      [
        ["a", "1", null],
        ["b", "2", "2020-01-01"],
      ],
    ],
    [
      "mixed ends of lines",
      "a,1,\nb,2,\r\nc,3,\n",
      {},
      [
        ["a", "1", null],
        ["b", "2", null],
        ["c", "3", null],
      ],
    ],
    [
      "quotes",
      '"a,""b""",1,"2020-01-01"\n"",2,\n,3,\n',
      {},
      [
        ['a,"b"', "1", "2020-01-01"],
        ["", "2", null],
        [null, "3", null],
      ],
    ],
    [
      "header and delimiter",
      "s;i;d\na;1;\n",
      { skipLeadingRows: 1, fieldDelimiter: ";" },
      [["a", "1", null]],
    ],
    ["several rows skipped", "x\ny\na,1,\n", { skipLeadingRows: 2 }, [["a", "1", null]]],
    ["tab", "a\t1\t\n", { fieldDelimiter: "\\t" }, [["a", "1", null]]],
    [
      "null marker",
      "\\N,\\N,\\N\n,1,2020-01-01\n",
      { nullMarker: "\\N" },
      [
        [null, null, null],
        ["", "1", "2020-01-01"],
      ],
    ],
    [
      "jagged rows",
      "a\nb,2\n",
      { allowJaggedRows: true },
      [
        ["a", null, null],
        ["b", "2", null],
      ],
    ],
    ["other newlines in quotes", '"a\r\nb",1,\r\n', { allowQuotedNewlines: true }, [["a\r\nb", "1", null]]],
    ["newlines in quotes", '"a\nb",1,\n', { allowQuotedNewlines: true }, [["a\nb", "1", null]]],
    ["more columns", "a,1,,zz\n", { ignoreUnknownValues: true }, [["a", "1", null]]],
    ["no quotes", '"a,1,\n', { quote: "" }, [['"a', "1", null]]],
    [
      "NUL, where it is to be kept",
      "a\0b,1,\n",
      { preserveAsciiControlCharacters: true },
      [["a\0b", "1", null]],
    ],
    ["forms only the exact path takes", "a, 7 ,2020-1-1\n", {}, [["a", "7", "2020-01-01"]]],
  ];

  test.each(accepted)("%s", async (_, data, options, want) => {
    for (const bytes of [0, Number.POSITIVE_INFINITY]) {
      bulkBytes = bytes;
      await csv(data, { ...options, writeDisposition: "WRITE_TRUNCATE" });
      expect(await tableRows()).toEqual(want);
    }
  });

  test("ISO-8859-1", async () => {
    await load(Buffer.from("\u00e9,1,\n", "latin1"), { sourceFormat: "CSV", schema, encoding: "ISO-8859-1" });
    expect(await tableRows()).toEqual([["é", "1", null]]);
  });

  const refused: [string, string, string][] = [
    [
      "a bad value",
      "a,x,\n",
      "Could not parse 'x' as INT64 for field i (position 1) starting at location 6 with message 'Unable to parse'",
    ],
    [
      "too many columns",
      "a,1,,z\n",
      "Too many values in row starting at position: 6. Found 4 column(s) while expected 3.",
    ],
    [
      "too few columns",
      "a,1\n",
      "CSV table references column position 2, but line starting at position:6 contains only 2 columns.",
    ],
    ["an open quote", '"a,1,\n', "Missing close quote character"],
    ["NUL", "a\0b,1,\n", "position: 6. Error: Bad character (ASCII 0) encountered."],
    ["text after a quote", '"a"b,1,\n', "Data between close quote character"],
  ];

  test.each(refused)("refuses %s", async (_, line, message) => {
    const error = await failure(csv(`ok,1,\n${line}`));
    expect(error.message).toContain("CSV table encountered too many errors, giving up. Rows: 2; errors: 1.");
    expect(error.details.at(-1)?.message).toContain(message);
    expect(storage.catalog.getTable(REF)).toBeUndefined();
  });

  // https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types
  describe.each([0, Number.POSITIVE_INFINITY])("RANGE, read in bulk from %s bytes on", (bytes) => {
    const range = (type: string): object => ({
      fields: [
        { name: "n", type: "INT64" },
        { name: "r", type: "RANGE", rangeElementType: { type } },
      ],
    });

    test("has the form of its literals", async () => {
      bulkBytes = bytes;
      await csv(
        '1,"[2020-01-01, 2021-01-01)"\n2,"[UNBOUNDED, 2021-01-01)"\n3,"[2020-03-01, NULL)"\n4,"[UNBOUNDED, UNBOUNDED)"\n5,\n',
        { schema: range("DATE") },
      );
      expect(await tableRows()).toEqual([
        ["1", "[2020-01-01, 2021-01-01)"],
        ["2", "[UNBOUNDED, 2021-01-01)"],
        ["3", "[2020-03-01, UNBOUNDED)"],
        ["4", "[UNBOUNDED, UNBOUNDED)"],
        ["5", null],
      ]);
    });

    test("takes what its elements take", async () => {
      bulkBytes = bytes;
      await csv('1,"[2018/08/19 12:11, 2018-08-19T18:11:35.220+02:00)"\n', {
        schema: range("TIMESTAMP"),
      });
      expect(await tableRows()).toEqual([["1", "[1.53468066E9, 1.53469509522E9)"]]);
    });

    test.each([
      "[2020-01-01,2021-01-01)",
      "[2021-01-01, 2020-01-01)",
      "[2020-01-01, 2021-01-01]",
      "[, )",
      "x",
    ])("is not %s", async (cell) => {
      bulkBytes = bytes;
      const error = await failure(csv(`1,"${cell}"\n`, { schema: range("DATE") }));
      expect(error.details.at(-1)?.message).toContain(`Could not parse '${cell}' as RANGE<DATE> for field r`);
    });
  });

  test("a nested schema is refused", async () => {
    const error = await failure(csv("a\n", { schema: fields(["r", "STRING", "REPEATED"]) }));
    expect(error.message).toBe("Cannot load CSV data with a repeated schema. Field: r");
  });
});

describe("autodetect", () => {
  test("NDJSON", async () => {
    await loadJson(
      ['{"a":1,"r":{"x":1.5},"l":["2020-01-01"]}', '{"a":null,"t":"2020-01-01T00:00:00Z","b":true}'],
      { autodetect: true },
    );
    expect(storage.catalog.getTable(REF)?.schema).toEqual(
      parseSchema([
        { name: "a", type: "INT64" },
        { name: "r", type: "RECORD", fields: [{ name: "x", type: "FLOAT64" }] },
        { name: "l", type: "DATE", mode: "REPEATED" },
        { name: "t", type: "TIMESTAMP" },
        { name: "b", type: "BOOL" },
      ]),
    );
  });

  test("CSV with and without a header", async () => {
    await load("name,age,when\nx,1,2020-01-01\n", { sourceFormat: "CSV", autodetect: true });
    expect(storage.catalog.getTable(REF)?.schema.map((f) => `${f.name} ${f.type}`)).toEqual([
      "name STRING",
      "age INTEGER",
      "when DATE",
    ]);
    expect(await tableRows()).toEqual([["x", "1", "2020-01-01"]]);
    await load("x,1\ny,2\n", { sourceFormat: "CSV", autodetect: true, writeDisposition: "WRITE_TRUNCATE" });
    expect(await tableRows()).toEqual([
      ["x", "1"],
      ["y", "2"],
    ]);
  });
});

describe("Parquet", () => {
  async function parquet(sql: string, options: Record<string, unknown> = {}): Promise<LoadResult> {
    const file = join(folder, "data.parquet");
    await storage.database.use((c) => c.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`));
    return new TableLoader(storage.catalog, literalDefaults, bulkBytes).load({
      destinationTable: REF,
      file,
      options: { sourceFormat: "PARQUET", ...options },
    });
  }

  test("types without a schema", async () => {
    await parquet(
      "SELECT 1::INTEGER AS i, 1.5::DOUBLE AS f, true AS b, 'x' AS s, 'ab'::BLOB AS y, 1.25::DECIMAL(10,2) AS n, DATE '2020-01-01' AS d, TIMESTAMPTZ '2020-01-01 00:00:00+00' AS ts, TIMESTAMP '2020-01-01 00:00:00' AS dt, {a: 1, b: NULL::VARCHAR} AS r, [1, 2] AS l",
      { parquetOptions: { enableListInference: true } },
    );
    expect(
      storage.catalog
        .getTable(REF)
        ?.schema.map((f) => `${f.type} ${f.mode}`)
        .join(),
    ).toBe(
      "INTEGER NULLABLE,FLOAT NULLABLE,BOOLEAN NULLABLE,STRING NULLABLE,BYTES NULLABLE,NUMERIC NULLABLE,DATE NULLABLE,TIMESTAMP NULLABLE,DATETIME NULLABLE,RECORD NULLABLE,INTEGER REPEATED",
    );
    expect(await tableRows()).toEqual([
      [
        "1",
        "1.5",
        "true",
        "x",
        "YWI=",
        "1.25",
        "2020-01-01",
        "1.5778368E9",
        "2020-01-01T00:00:00",
        ["1", null],
        ["1", "2"],
      ],
    ]);
  });

  test("into the fields of a schema, by name", async () => {
    const schema = fields(["L", "INT64", "REPEATED"], ["g", "BIGNUMERIC"], ["missing", "STRING"]);
    await storage.catalog.change((change) =>
      createTable(change, { ref: REF, schema: parseSchema(schema.fields) }),
    );
    await parquet("SELECT -1.5::DECIMAL(38,9) AS g, NULL::BIGINT[] AS l UNION ALL SELECT NULL, [3]");
    expect(await tableRows()).toEqual([
      [[], "-1.5", null],
      [["3"], null, null],
    ]);
  });

  test("a type that does not fit", async () => {
    const error = await failure(parquet("SELECT 'x' AS a", { schema: fields(["a", "INT64"]) }));
    expect(error.message).toContain(
      "Parquet column 'a' has type VARCHAR which does not match the target type INTEGER.",
    );
  });

  test("no RANGE, whose form in a file is not documented", async () => {
    const schema = { fields: [{ name: "r", type: "RANGE", rangeElementType: { type: "DATE" } }] };
    const message =
      "Not supported by the local BigQuery endpoint: Parquet column r into a field of type RANGE";
    for (const sql of ["SELECT {'start': DATE '2020-01-01', 'end': NULL::DATE} AS r", "SELECT 'x' AS r"])
      expect((await failure(parquet(sql, { schema }))).message).toBe(message);
    const nested = { fields: [{ name: "a", type: "RECORD", fields: schema.fields }] };
    expect((await failure(loadJson(["{}"], { schema: nested }))).message).toBe(
      "Not supported by the local BigQuery endpoint: RANGE in a load of NEWLINE_DELIMITED_JSON (field a.r)",
    );
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls
  test("NULL in a list", async () => {
    const message = "Array cannot have a null element; error in writing field l";
    const inferred = { parquetOptions: { enableListInference: true } };
    for (const list of ["[1, NULL]", "[NULL]"])
      expect((await failure(parquet(`SELECT ${list}::BIGINT[] AS l`, inferred))).message).toContain(message);
    expect((await failure(parquet("SELECT [{a: 1}, NULL] AS l", inferred))).message).toContain(message);
    await parquet("SELECT [{a: 1}, {a: NULL}] AS l", inferred);
  });

  test("a column that the schema does not have, a REQUIRED field that is NULL", async () => {
    const unknown = await failure(parquet("SELECT 1 AS a, 2 AS b", { schema: fields(["a", "INT64"]) }));
    expect(unknown.message).toBe("Error while reading data, error message: No such field: b.");
    const required = await failure(
      parquet("SELECT NULL::INTEGER AS a", { schema: fields(["a", "INT64", "REQUIRED"]) }),
    );
    expect(required.message).toBe("Error while reading data, error message: Required field a cannot be null");
  });

  test("no Parquet at all", async () => {
    const error = await failure(load("hello", { sourceFormat: "PARQUET" }));
    expect(error.message).toContain("Error while reading data, error message:");
    expect(error.message).not.toContain(folder);
  });
});
