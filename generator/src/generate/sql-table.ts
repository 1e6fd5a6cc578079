/** A column of a table that SQL spells out: its values as SQL, or none where all are NULL. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly values?: readonly string[];
}

/** Lines of SQL are broken, between columns, where they would be longer. */
const MAX_WIDTH = 150;

/**
 * A query for a table, a line a row, its columns aligned: `SELECT * FROM UNNEST(ARRAY<STRUCT<…>>[(…), (…)])`. Columns without
 * values follow behind, once for all rows.
 */
export function renderTable(columns: readonly TableColumn[]): string {
  const full = columns.filter(
    (column): column is TableColumn & { values: readonly string[] } => column.values !== undefined,
  );
  const empty = columns.filter(({ values }) => values === undefined);
  const blanks = empty.map(({ name, type }) => `  CAST(NULL AS ${type}) AS ${name}`);
  const types = full.map(({ name, type }) => `${name} ${type}`);
  const widths = full.map(({ values }) => Math.max(...values.map((value) => value.length)));
  const rowCount = full[0]?.values.length ?? 0;
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const cells = full.map(({ values }, column) => {
      const [value = "", width = 0] = [values[row], widths[column]];
      return column === full.length - 1 ? value : `${value},`.padEnd(width + 1);
    });
    return `  (${fill(cells, "   ", widths)})`;
  });
  return [
    blanks.length === 0 ? "SELECT *" : `SELECT\n  *,\n${blanks.join(",\n")}`,
    `FROM UNNEST(ARRAY<STRUCT<\n  ${fillLines(types)}\n>>[`,
    rows.join(",\n"),
    "])",
  ].join("\n");
}

/** Items of a list on as few lines as fit, indented as in a list. */
export function fillLines(items: readonly string[]): string {
  return fill(
    items.map((item, index) => (index === items.length - 1 ? item : `${item},`)),
    "  ",
  );
}

/** Cells on as few lines as fit; by `widths`, where given, so that every row breaks at the same columns. */
function fill(cells: readonly string[], indent: string, widths?: readonly number[]): string {
  const lines: string[][] = [[]];
  let length = indent.length;
  for (const [index, cell] of cells.entries()) {
    const width = (widths?.[index] ?? cell.length) + 2;
    if (length + width > MAX_WIDTH && lines.at(-1)?.length !== 0) {
      lines.push([]);
      length = indent.length;
    }
    lines.at(-1)?.push(cell);
    length += width;
  }
  return lines.map((line) => line.join(" ").trimEnd()).join(`\n${indent}`);
}
