import { list, text, type Udf, udf } from "./define.ts";

/** What LOG_ANALYZER splits at, longer delimiters first; `\s` stands for a space. */
const LOG_DELIMITER =
  /%25(?:26|20)|%(?:21|26|3[Bb]|7[Cc]|20|2[Bb]|3[Dd]|5[Dd]|5[Bb]|3[Aa]|0[Aa]|2[Cc]|28|29)|[[\]<>(){}|!;,'"*&?+/:=@.\-$%\\_\n\r \t]/;

/** The terms of a text: between delimiters, in lower case; what is not ASCII is kept as it is. */
function logTerms(source: string): readonly string[] {
  return source
    .split(LOG_DELIMITER)
    .filter((term) => term !== "")
    .map((term) => term.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
}

/** Text analyzers (https://cloud.google.com/bigquery/docs/text-analysis-search#log_analyzer). */
export const textAnalysisUdfs: readonly Udf[] = [udf("log_terms", [text], list(text), logTerms)];
