/**
 * Names in BigQuery and in SQLX: which are legal, and how they are written.
 * https://cloud.google.com/bigquery/docs/schemas#column_names
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/timestamp_functions#current_timestamp
 */

const RESERVED_KEYWORDS = new Set(
  `ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
  DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL
  GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP
  MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE
  RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN
  WHERE WINDOW WITH WITHIN`.split(/\s+/),
);

/** Functions that GoogleSQL calls without parentheses too, so that a bare column of that name would be a call. */
const CALLED_BARE = new Set(["CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME", "CURRENT_TIMESTAMP"]);

const RESERVED_PREFIXES = [
  "_TABLE_",
  "_FILE_",
  "_PARTITION",
  "_ROW_TIMESTAMP",
  "__ROOT__",
  "_COLIDENTIFIER",
  "_CHANGE_SEQUENCE_NUMBER",
  "_CHANGE_TYPE",
  "_CHANGE_TIMESTAMP",
];

/** A Google Cloud project's id, with the domain that old ones have before it. */
export const PROJECT_ID = /^[A-Za-z0-9][A-Za-z0-9.:_-]*$/;

const MAX_NAME_LENGTH = 300;

/** Names the generated tables and queries use beside the user's top-level columns; `_batch` also as a prefix. */
export const OWN_NAMES: readonly string[] =
  `_batch _versions _read_from _read_at _row_is_newer _final _row_count _leaves _cleared _deleted
  _deleted_at _alive_at _is_alive _is_missing _key_hash _stands_aside _base_version _own_versions`.split(
    /\s+/,
  );

/** Why BigQuery would not take this column name, with what would be right, or undefined when it does. */
export function columnNameFault(name: string): { wrong: string; right: string } | undefined {
  if (name === "") return { wrong: "the name is empty", right: "name the field" };
  if ([...name].length > MAX_NAME_LENGTH) {
    return { wrong: `the name has more than ${MAX_NAME_LENGTH} characters`, right: "shorten it" };
  }
  // Flexible column names: letters, digits, marks, dashes and connectors of any language, and a few signs.
  const odd = /[^\p{L}\p{N}\p{M}\p{Pc}\p{Pd}&%=+:'<>#| ]/u.exec(name)?.[0];
  if (odd !== undefined) {
    const code = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return {
      wrong: `BigQuery allows no U+${code} in a column name`,
      right: "use letters, digits, underscores, spaces, dashes or & % = + : ' < > # |",
    };
  }
  const prefix = RESERVED_PREFIXES.find((reserved) => name.toUpperCase().startsWith(reserved));
  if (prefix !== undefined) {
    return { wrong: `BigQuery reserves names that start with ${prefix}`, right: "choose another name" };
  }
  return undefined;
}

/** True for a top-level name that the generated tables need for themselves. */
export function isOwnName(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith("_batch") || OWN_NAMES.includes(lower);
}

/** Writes a name as GoogleSQL reads it: bare where that is safe, else between backticks. */
export function quoteIdentifier(name: string): string {
  const upper = name.toUpperCase();
  const isSpecial = RESERVED_KEYWORDS.has(upper) || CALLED_BARE.has(upper);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !isSpecial ? name : `\`${name}\``;
}

/**
 * Writes a name for the SQL part of a SQLX file. Dataform's lexer takes a quote for the start of a string and `--` for a
 * comment even between backticks, so such a name goes in as a JavaScript string.
 */
export function sqlxIdentifier(name: string): string {
  const quoted = quoteIdentifier(name);
  return /'|--/.test(name) ? `\${${sqlxString(quoted)}}` : quoted;
}

/**
 * Writes a JavaScript string for a SQLX file's config. Dataform's lexer knows only the escapes `\\` and `\"`, so line
 * breaks and other control characters become spaces.
 */
export function sqlxString(text: string): string {
  const printable = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
  return `"${printable.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Writes a GoogleSQL string literal that is also safe in SQLX: no line break, no backtick, no `${`. */
export function sqlxLiteral(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("`", "\\x60")
    .replaceAll("${", "\\x24{")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
      if (character === "\n") return "\\n";
      return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
    });
  return `'${escaped}'`;
}
