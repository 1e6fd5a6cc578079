// @ts-check
// What this run is asked to do, from `--vars`. Compile-time only: plain runs compile to the same SQL whatever the clock says.
/** @typedef {{ vars?: Record<string, string>, defaultSchema?: string, schemaSuffix?: string, tablePrefix?: string, databaseSuffix?: string }} ProjectConfig */
const { projectConfig } = /** @type {{ dataform: { projectConfig: ProjectConfig } }} */ (
  /** @type {unknown} */ (globalThis)
).dataform;
const { vars = {}, defaultSchema, schemaSuffix, tablePrefix, databaseSuffix } = projectConfig;

// Where history starts: rows from before are bad ones, and a run that read them would merge them.
const START = "1900-01-01 00:00:00+00";

const rebuild = readBoolean("rebuild");
const replayFrom = readTimestamp("replayFrom");
const auditShare = readShare("auditShare");
if (rebuild && replayFrom) {
  throw new Error(
    "--vars: rebuild and replayFrom are both set; a rebuild reads all history, so leave replayFrom out",
  );
}

module.exports = {
  /** Recompute final from all history. */
  rebuild,
  /** Read again from `readFrom` on, and merge. */
  replays: Boolean(replayFrom),
  /** The run reads from an earlier time than the watermark asks for. */
  readsBack: rebuild || Boolean(replayFrom),
  /** That time, as a literal; never before history starts. */
  readFrom: rebuild ? `TIMESTAMP '${START}'` : replayFrom,
  /** Compile the audit: on with audit=true or a share. */
  audit: readBoolean("audit") || auditShare !== undefined,
  /** The share of users that the audit recomputes. */
  auditShare: auditShare === undefined ? 0.01 : auditShare,
  /**
   * Whether this environment is the updates' own. A suffix or a prefix makes another one of all tables but declared sources,
   * so the updates it reads are not its own: it neither extends nor erases them.
   */
  ownsUpdates: !schemaSuffix && !tablePrefix && !databaseSuffix,
  /** The statement in place of one that would. */
  leavesUpdates:
    "SELECT 'the updates are those of the environment without suffix and prefix, and are only read here'",
  /** Throws where the SQLX files were generated for another dataset than the run is told. */
  expectDefaultSchema,
  /** Merge now, whatever mergeEvery says (R13). */
  merges: readBoolean("merge"),
  /** Go on although something would be lost that no update says any more, or that a lost table remembered. */
  forces: readBoolean("force"),
  /** What the run log calls it. */
  kind: rebuild ? "rebuild" : replayFrom ? "replay" : "update",
};

/** @param {string} schema */
function expectDefaultSchema(schema) {
  if (defaultSchema === schema) return;
  throw new Error(
    `defaultSchema is "${defaultSchema}", but definitions/ is generated for "${schema}": set it in dataform.json and run \`npm run generate\`, or use a schema suffix`,
  );
}

/** @param {string} name */
function readBoolean(name) {
  const value = vars[name];
  if (value === undefined || value === "" || value === "false") return false;
  if (value === "true") return true;
  throw new Error(`--vars: ${name} is "${value}"; write ${name}=true or leave it out`);
}

/** @param {string} name */
function readShare(name) {
  const value = vars[name];
  if (value === undefined || value === "") return undefined;
  if (/^(0?\.\d{1,6}|0|1|1\.0*)$/.test(value)) return Number(value);
  throw new Error(
    `--vars: ${name} is "${value}"; write a share of the users from 0 to 1, such as ${name}=0.1`,
  );
}

/** @param {string} name */
function readTimestamp(name) {
  const value = vars[name];
  if (value === undefined || value === "") return undefined;
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(value);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (parts || [])
    .slice(1, 7)
    .map((part) => Number(part || 0));
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A date such as February 30 rolls over into March.
  const isReal =
    parts &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  const zone = parts?.[8] || "Z";
  // The widest offset in use is 14 hours, which is also GoogleSQL's limit.
  const isZone = zone === "Z" || /^[+-](0\d|1[0-3]):[0-5]\d$|^[+-]14:00$/.test(zone);
  if (!isReal || !isZone || year < 1) {
    throw new Error(`--vars: ${name} is "${value}"; write a time such as ${name}=2026-01-01T00:00:00Z`);
  }
  const written = `${parts[1]}-${parts[2]}-${parts[3]}`;
  const time = `${parts[4] || "00"}:${parts[5] || "00"}:${parts[6] || "00"}${parts[7] || ""}`;
  if (Date.parse(`${written}T${time}${zone}`) < Date.UTC(1900, 0, 1)) return `TIMESTAMP '${START}'`;
  return `TIMESTAMP '${written} ${time}${zone === "Z" ? "+00:00" : zone}'`;
}
