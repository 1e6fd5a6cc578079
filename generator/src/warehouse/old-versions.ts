import type { TableField } from "@google-cloud/bigquery";
import { describeEntity } from "../generate/describe.ts";
import { mergeSql } from "../generate/merge-sql.ts";
import type { EntityModel } from "../generate/model.ts";
import type { TreeNode } from "../generate/nodes.ts";
import { BASE_COLUMN, OWN_COLUMN, VERSIONS_COLUMN } from "../generate/own-tables.ts";

/**
 * True for a final that holds its versions as it did before 0.2: a TIMESTAMP for each attribute in `_versions`, eight bytes
 * each, paid at every scan.
 */
export function hasOldVersions(fields: readonly TableField[]): boolean {
  return fields.some(({ name }) => name === VERSIONS_COLUMN.name);
}

/**
 * The script that gives such a final its versions as they are stored now. It may break off anywhere and run again: a row is
 * converted where it still has the old form, all rows in one transaction; only then the old column goes.
 */
export function convertVersions(model: EntityModel, table: string, live: readonly TableField[]): string {
  const old = live.find(({ name }) => name === VERSIONS_COLUMN.name)?.fields ?? [];
  const leaves = mergeSql.leavesOf(describeEntity(model));
  const known = oldVersions(model.tree, old);
  const own = (nodes: readonly TreeNode[]): string => {
    const parts = nodes.map((node) => {
      if (node.kind === "record") return `${own(node.children)} AS ${node.quoted}`;
      const leaf = leaves.get(node.dotted);
      const version = known.get(node.dotted) ?? "CAST(NULL AS TIMESTAMP)";
      if (leaf === undefined) throw new Error(`${node.dotted} is no leaf`);
      const isEmpty = mergeSql.isEmpty(leaf, `final.${leaf.column}`);
      return `IF(${isEmpty}, ${version}, NULLIF(${version}, final.${BASE_COLUMN.name})) AS ${node.quoted}`;
    });
    return `STRUCT(${parts.join(", ")})`;
  };
  return `BEGIN TRANSACTION;

-- the base is the version that most attributes of the row have
UPDATE ${table} AS final
SET ${BASE_COLUMN.name} = (
  SELECT version FROM UNNEST([${[...known.values()].join(", ")}]) AS version
  WHERE version IS NOT NULL GROUP BY version ORDER BY COUNT(*) DESC, version LIMIT 1
)
WHERE final.${VERSIONS_COLUMN.name} IS NOT NULL;

UPDATE ${table} AS final
SET ${OWN_COLUMN.name} = ${own(model.tree)}, ${VERSIONS_COLUMN.name} = NULL
WHERE final.${VERSIONS_COLUMN.name} IS NOT NULL;

COMMIT TRANSACTION;

ALTER TABLE ${table} DROP COLUMN ${VERSIONS_COLUMN.name};`;
}

/** Where the old form has each leaf's version, by the leaf's path: an attribute that came later has none there. */
function oldVersions(
  nodes: readonly TreeNode[],
  fields: readonly TableField[],
  prefix = `final.${VERSIONS_COLUMN.name}`,
): ReadonlyMap<string, string> {
  return new Map(
    nodes.flatMap((node): [string, string][] => {
      const field = fields.find(({ name }) => name?.toLowerCase() === node.name.toLowerCase());
      if (field === undefined) return [];
      const path = `${prefix}.${node.quoted}`;
      return node.kind === "leaf"
        ? [[node.dotted, path]]
        : [...oldVersions(node.children, field.fields ?? [], path)];
    }),
  );
}
