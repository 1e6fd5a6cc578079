import type { DuckDBConnection } from "@duckdb/node-api";
import { aeadUdfs } from "./udf/aead.ts";
import { bucketUdfs } from "./udf/buckets.ts";
import { bytesUdfs } from "./udf/bytes.ts";
import { castFormatUdfs } from "./udf/cast-format.ts";
import { decimalUdfs } from "./udf/decimal.ts";
import type { Udf, UdfForm } from "./udf/define.ts";
import { distanceUdfs } from "./udf/distance.ts";
import { formatUdfs } from "./udf/format.ts";
import { geographyUdfs } from "./udf/geography.ts";
import { geographyRelationUdfs } from "./udf/geography-relations.ts";
import { hashUdfs } from "./udf/hash.ts";
import { intervalUdfs } from "./udf/interval.ts";
import { jsonUdfs } from "./udf/json.ts";
import { jsonEditUdfs } from "./udf/json-edit.ts";
import { jsonKeysUdfs } from "./udf/json-keys.ts";
import { netUdfs } from "./udf/net.ts";
import { numberFormatUdfs } from "./udf/number-format.ts";
import { numberUdfs } from "./udf/numbers.ts";
import { rangeUdfs } from "./udf/ranges.ts";
import { sketchUdfs } from "./udf/sketches.ts";
import { statisticsUdfs } from "./udf/statistics.ts";
import { textUdfs } from "./udf/text.ts";
import { textAnalysisUdfs } from "./udf/text-analysis.ts";
import { timeFormatUdfs } from "./udf/time-format.ts";
import { timeParseUdfs } from "./udf/time-parse.ts";
import { timeScanUdfs } from "./udf/time-scan.ts";
import { urlHostUdfs } from "./udf/url-host.ts";
import { zoneUdfs } from "./udf/zones.ts";

const ALL: readonly Udf[] = [
  ...textUdfs,
  ...textAnalysisUdfs,
  ...bytesUdfs,
  ...numberUdfs,
  ...decimalUdfs,
  ...statisticsUdfs,
  ...sketchUdfs,
  ...zoneUdfs,
  ...bucketUdfs,
  ...rangeUdfs,
  ...timeParseUdfs,
  ...timeScanUdfs,
  ...timeFormatUdfs,
  ...intervalUdfs,
  ...jsonUdfs,
  ...jsonEditUdfs,
  ...jsonKeysUdfs,
  ...distanceUdfs,
  ...formatUdfs,
  ...castFormatUdfs,
  ...numberFormatUdfs,
  ...hashUdfs,
  ...netUdfs,
  ...urlHostUdfs,
  ...geographyUdfs,
  ...geographyRelationUdfs,
  ...aeadUdfs,
];

/** All functions of ours in both forms, by their names in DuckDB. */
export const UDF_FORMS: ReadonlyMap<string, UdfForm> = new Map(
  ALL.flatMap(({ forms }) => forms.map((form): [string, UdfForm] => [form.name, form])),
);

/** Gives a DuckDB database the functions that compiled statements call; once for each database, through any connection. */
export function registerFunctions(connection: DuckDBConnection): void {
  for (const form of UDF_FORMS.values()) connection.registerScalarFunction(form.create());
}
