import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { entitiesJsonSchema, parseConfig, parseEnvironments } from "../../../generator/src/project/config.ts";

const FILE = new URL("../../../generator/entities.schema.json", import.meta.url);

it("entities.schema.json, which editors read, says what the tool checks; vitest -u writes it", async () => {
  const derived = `${JSON.stringify(entitiesJsonSchema(), null, 2)}\n`;
  await expect(derived).toMatchFileSnapshot(FILE.pathname);
  expect(JSON.parse(await readFile(FILE, "utf8"))).toMatchObject({
    properties: { entities: { items: { required: ["name", "schema", "key", "ingestTimestamp"] } } },
  });
});

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
}

const ENTITY = { name: "e", schema: "e.json", key: ["id"], ingestTimestamp: "ts" };
const whole = {
  entities: [
    {
      ...ENTITY,
      eventTimestamp: "at",
      eventAhead: { limit: "2 days", then: "keepOut" },
      source: { dataset: "d", table: "t" },
      tables: {},
    },
  ],
  environments: { dev: { schemaSuffix: "dev" } },
};

/** Every option that the JSON Schema has, by its way from the file on. */
function optionsOf(
  schema: JsonSchema,
  way: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, option]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const mayBeNull = (option.type ?? []).includes("null") && (option.enum?.includes(null) ?? true);
    expect(mayBeNull, `${[...way, name].join(".")} may be null`).toBe(!isRequired);
    return [...(isRequired ? [] : [[...way, name]]), ...optionsOf(option, [...way, name])];
  });
  const inner = schema.items === undefined ? [] : optionsOf(schema.items, [...way, 0]);
  const named = schema.additionalProperties ? optionsOf(schema.additionalProperties, [...way, "dev"]) : [];
  return [...own, ...inner, ...named];
}

/** The file with another value of one option; undefined leaves it out. */
function withOption(way: readonly (string | number)[], value: null | undefined): string {
  const file = structuredClone(whole);
  const last = way.at(-1) ?? "";
  let place = file as unknown as Record<string | number, unknown>;
  for (const step of way.slice(0, -1)) place = place[step] as typeof place;
  place[last] = value;
  return JSON.stringify(file);
}

const options = optionsOf(entitiesJsonSchema() as JsonSchema).map((way) => [way.join("."), way] as const);

it("has its options", () => {
  expect(options.map(([name]) => name)).toContain("entities.0.tables.temp");
  expect(options.map(([name]) => name)).toContain("environments.dev.tablePrefix");
  expect(options.length).toBeGreaterThan(20);
});

it.each(options)("%s of null is as good as left out", (_, way) => {
  const read = (text: string) => [
    parseConfig(text, "entities.json"),
    parseEnvironments(text, "entities.json"),
  ];
  expect(read(withOption(way, null))).toEqual(read(withOption(way, undefined)));
});
