import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as EntitySql from "../../scaffold/includes/entity.js";
import { InputError } from "../project/problems.ts";
import { describeEntity } from "./describe.ts";
import type { EntityModel } from "./model.ts";

const entitySql = createRequire(import.meta.url)(
  fileURLToPath(new URL("../../scaffold/includes/entity.js", import.meta.url)),
) as typeof EntitySql;

/** BigQuery's limit for one query's text: https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_QUERY_BYTES = 1_024 * 1_024;
/** The same for a view's, and an assertion is one: https://cloud.google.com/bigquery/quotas#view_limits */
const MAX_VIEW_CHARACTERS = 256 * 1_024;
/** What Dataform adds when it compiles: full table names, the CREATE statement around a query. */
const MARGIN = 16_384;

/** Throws where an action's SQL, once Dataform has made it of the SQLX, would be longer than BigQuery takes. */
export function checkQuerySize(sqlx: string, action: string, model: EntityModel): void {
  const isView = /^ {2}type: "(view|assertion)",$/m.test(sqlx);
  const sql = expand(sqlx.slice(sqlx.indexOf("\n}\n")), model);
  const jobs = sql.split(/^---$/m);
  const largest = Math.max(...jobs.map((job) => (isView ? job.length : Buffer.byteLength(job))));
  const limit = (isView ? MAX_VIEW_CHARACTERS : MAX_QUERY_BYTES) - MARGIN;
  if (largest <= limit) return;
  const count = model.leaves.length;
  const fitting = Math.floor((count * limit) / largest);
  const most = isView ? "256 K characters of a view" : "1024 KB";
  throw new InputError([
    {
      file: model.schemaFile,
      path: "",
      wrong: `the query of ${action} (entity ${model.name}) has ${Math.ceil(largest / 1_024)} KB with ${count} ${count === 1 ? "leaf" : "leaves"}, and BigQuery refuses more than ${most}`,
      right:
        fitting > 0
          ? `about ${fitting} leaves fit; split the entity, or make some RECORDs atomic`
          : "its RECORDs that move as one value have too many fields: split them, or the entity",
    },
  ]);
}

/** The SQLX's SQL with what the entity's functions put in it, as near as its length needs. */
function expand(sqlx: string, model: EntityModel): string {
  const user: Readonly<Record<string, unknown>> = entitySql.of(describeEntity(model));
  return sqlx.replaceAll(/\$\{user\.(\w+)\(([^()]*)\)\}/g, (_, name: string, list: string) => {
    const part = user[name];
    if (typeof part !== "function") throw new Error(`${model.name}: entity.js has no ${name}`);
    const values = JSON.parse(`[${list.replace("run.auditShare", "0.01")}]`) as unknown[];
    return String(part(...values));
  });
}
