import { aeadFunctions } from "./aead.ts";
import { aggregates, windowedAggregates } from "./aggregate.ts";
import { analytics } from "./analytic.ts";
import { arithmeticFunctions } from "./arithmetic.ts";
import { arrayFunctions } from "./array.ts";
import { bitwiseFunctions } from "./bitwise.ts";
import { comparisonFunctions } from "./comparison.ts";
import { conditionalFunctions } from "./conditional.ts";
import { datetimeFunctions } from "./datetime.ts";
import { datetimeValueFunctions } from "./datetime-values.ts";
import { formatFunctions } from "./format.ts";
import { geographyFunctions } from "./geography.ts";
import { hashFunctions } from "./hash.ts";
import { intervalFunctions } from "./interval.ts";
import { jsonFunctions } from "./json.ts";
import { mathFunctions } from "./math.ts";
import { netFunctions } from "./net.ts";
import { percentiles } from "./percentiles.ts";
import { rangeFunctions } from "./range.ts";
import { regexpFunctions } from "./regexp.ts";
import { withoutOwnErrors } from "./safe.ts";
import { textFunctions } from "./text.ts";
import type { AggregateMapping, AnalyticMapping, ScalarMapping } from "./types.ts";
import { utilityFunctions } from "./utility.ts";

/** `SAFE.f(x)`: an error of the function gives NULL, one of its arguments remains an error. */
function withSafe(mapping: ScalarMapping): ScalarMapping {
  return (call) => (call.safe ? withoutOwnErrors(call, mapping) : mapping(call));
}

/** The scalar functions and operators that have a mapping, by name in lower case. */
export const scalarFunctions: ReadonlyMap<string, ScalarMapping> = new Map(
  [
    aeadFunctions,
    arithmeticFunctions,
    arrayFunctions,
    bitwiseFunctions,
    comparisonFunctions,
    conditionalFunctions,
    datetimeFunctions,
    datetimeValueFunctions,
    formatFunctions,
    geographyFunctions,
    hashFunctions,
    intervalFunctions,
    jsonFunctions,
    mathFunctions,
    netFunctions,
    rangeFunctions,
    regexpFunctions,
    textFunctions,
    utilityFunctions,
  ].flatMap((group) => Object.entries(group).map(([name, mapping]) => [name, withSafe(mapping)] as const)),
);

/** The aggregate functions that have a mapping. */
export const aggregateFunctions: ReadonlyMap<string, AggregateMapping> = new Map(Object.entries(aggregates));

/** The window functions that have a mapping, aggregates among them. */
export const analyticFunctions: ReadonlyMap<string, AnalyticMapping> = new Map(
  Object.entries({ ...windowedAggregates, ...analytics, ...percentiles }),
);
