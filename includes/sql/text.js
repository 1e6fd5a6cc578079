// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/** How SQL is laid out: depth, lines, names. */

/** Lists of short names are wrapped at this many characters. */
const WIDTH = 110;

/**
 * Names with commas, as many a line as fit.
 * @param {readonly string[]} names
 */
function wrap(names) {
  const lines = [""];
  for (const [index, name] of names.entries()) {
    const item = index === names.length - 1 ? name : `${name},`;
    const line = lines[lines.length - 1] ?? "";
    if (line === "") lines[lines.length - 1] = item;
    else if (line.length + 1 + item.length <= WIDTH) lines[lines.length - 1] = `${line} ${item}`;
    else lines.push(item);
  }
  return lines.join("\n");
}

/**
 * All lines but the first moved to the right: the first stands where the SQLX calls.
 * @param {string} sql
 * @param {number} depth
 */
function indent(sql, depth) {
  return sql.replaceAll("\n", `\n${" ".repeat(depth)}`);
}

/**
 * All lines moved to the right.
 * @param {string} sql
 * @param {number} depth
 */
function indentAll(sql, depth) {
  return indent(`\n${sql}`, depth).slice(1);
}

/**
 * A name without SQL's backticks.
 * @param {string} sql
 */
function bare(sql) {
  return sql.replaceAll("`", "");
}

module.exports = { wrap, indent, indentAll, bare };
