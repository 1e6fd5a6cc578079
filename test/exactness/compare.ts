/** Rows of a table against the oracle's, with everything a person needs when they differ. */
import { type Entity, type FinalRow, leavesOf, userOf } from "./oracle.ts";
import { type Field, type Row, toJsonString, type Value } from "./values.ts";

/** Leaf versions as the column `_versions` holds them: the schema's shape with a TIMESTAMP per leaf. */
export function versionsField(entity: Entity): Field {
  const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  const attributes = entity.fields.filter(({ name }) => !special.has(name));
  return { name: "_versions", type: "RECORD", fields: attributes.map(versionField) };
}

function versionField(field: Field): Field {
  const isInner = field.type === "RECORD" && field.mode !== "REPEATED" && field.merge !== "atomic";
  if (!isInner) return { name: field.name, type: "TIMESTAMP" };
  return { name: field.name, type: "RECORD", fields: (field.fields ?? []).map(versionField) };
}

/** What a batch stores of versions: a base, and a TIMESTAMP for each leaf whose version is another one. */
export function storedVersionFields(entity: Entity): Field[] {
  const { fields } = versionsField(entity);
  return [
    { name: "_base_version", type: "TIMESTAMP" },
    { name: "_own_versions", type: "RECORD", fields },
  ];
}

/** A stored row in plain form: no version beside a value is the base, no version beside none is none. */
export function withPlainVersions(entity: Entity, row: Row): Row {
  const decode = (fields: readonly Field[], value: Row | null, own: Row | null): Row =>
    Object.fromEntries(
      fields.map(({ name, fields: inner }) => {
        const [said, version] = [value?.[name] ?? null, own?.[name] ?? null];
        if (inner !== undefined) return [name, decode(inner, said as Row | null, version as Row | null)];
        const isNone = said === null || (Array.isArray(said) && said.length === 0);
        return [name, version ?? (isNone ? null : (row._base_version ?? null))];
      }),
    );
  const { _base_version: _, _own_versions: own = null, ...plain } = row;
  return { ...plain, _versions: decode(versionsField(entity).fields ?? [], row, own as Row | null) };
}

/** The versions in a row, by dotted path. */
function versionsOf(entity: Entity, row: Row): Map<string, bigint | null> {
  return new Map(
    leavesOf(entity).map(({ path }) => {
      let value: Value = row._versions ?? null;
      for (const name of path) value = ((value as Row | null)?.[name] ?? null) as Value;
      return [path.join("."), value as bigint | null];
    }),
  );
}

/** Every difference between the rows of a table and the oracle's, one a line; versions only where the rows have them. */
export function differences(
  entity: Entity,
  actual: readonly Row[],
  expected: ReadonlyMap<string, FinalRow>,
): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const row of actual) {
    const user = userOf(entity, row);
    const wanted = expected.get(user);
    if (seen.has(user)) found.push(`${user}: two rows`);
    seen.add(user);
    if (wanted === undefined) found.push(`${user}: a row that must not be`);
    else found.push(...rowDifferences(entity, user, row, wanted));
  }
  for (const user of expected.keys()) if (!seen.has(user)) found.push(`${user}: no row`);
  return found;
}

function rowDifferences(entity: Entity, user: string, actual: Row, expected: FinalRow): string[] {
  const columns = entity.fields.flatMap((field) => {
    const [got, wanted] = [actual[field.name] ?? null, expected.row[field.name] ?? null];
    return same(field, got, wanted)
      ? []
      : [`${user}: ${field.name} is ${show(field, got)}, not ${show(field, wanted)}`];
  });
  if (actual._versions === undefined) return columns;
  const versions = versionsOf(entity, actual);
  const wrong = [...expected.versions].filter(([path, version]) => versions.get(path) !== version);
  return [
    ...columns,
    ...wrong.map(
      ([path, version]) => `${user}: the version of ${path} is ${versions.get(path)}, not ${version}`,
    ),
  ];
}

/** Whether two values are one: NaN equals NaN; the sign of zero counts, but not within a REPEATED field or a RECORD that moves as one. */
function same(field: Field, left: Value, right: Value): boolean {
  const isInner = field.type === "RECORD" && field.mode !== "REPEATED" && field.merge !== "atomic";
  if (isInner && left !== null && right !== null) {
    return (field.fields ?? []).every((member) =>
      same(member, (left as Row)[member.name] ?? null, (right as Row)[member.name] ?? null),
    );
  }
  return show(field, left) === show(field, right);
}

function show(field: Field, value: Value): string {
  return field.mode !== "REPEATED" && Object.is(value, -0) ? "-0.0" : toJsonString(field, value);
}
