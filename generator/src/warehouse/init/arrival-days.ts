import { type EntityModel, placeOf, placeText } from "../../generate/model.ts";
import { secondsOf } from "../../project/config.ts";
import { findTable, tableOf, type Warehouse } from "../client.ts";
import type { Step } from "./step.ts";

const DAY_SECONDS = 86_400;

/**
 * Notes on a source whose view names the time of ingestion. As an ingest timestamp that is midnight of a day, so that the first update of a day
 * takes a shorter lookback past the day before, whose last rows leave the streaming buffer only then
 * (https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_data_in_ingestion-time_partitioned_tables).
 */
export async function planArrivalDays(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const { source, lookback } = model.config;
  if (source === undefined || secondsOf(lookback) >= DAY_SECONDS) return [];
  const place = placeOf(model, "updates");
  const live = await findTable(tableOf(warehouse, place));
  const pseudo = /\b_PARTITION(TIME|DATE)\b/i.exec(live?.view?.query ?? "");
  if (pseudo === null) return [];
  const note = `names ${pseudo[0]} in its query: if ${model.config.ingestTimestamp} is that, it has only days, and rows that leave the streaming buffer after midnight are never read with a lookback of less than one; write "lookback": "1 day"`;
  return [{ kind: "table", name: placeText(place), action: "none", changes: [], notes: [note] }];
}
