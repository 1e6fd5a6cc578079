import { Cron } from "croner";
import { suggest } from "../project/near.ts";

/** What each field of a cron schedule may hold. */
const FIELDS = [
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day of the month", "1 to 31"],
  ["month", "1 to 12, or JAN to DEC"],
  ["day of the week", "0 to 7, or SUN to SAT"],
] as const;

/** Numbers, names and `*`, their lists, ranges and steps: what schedulers have beyond that, such as `L` and `?`, is not in unix-cron. */
const FORM = /^(\*|\d+|[A-Za-z]{3})([-/,](\*|\d+|[A-Za-z]{3}))*$/;

/** Something that does not fit, and what would. */
export interface Misfit {
  readonly wrong: string;
  readonly right: string;
}

/** What is wrong with a cron schedule in the format of Dataform and Cloud Scheduler (https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules). */
export function misfitOfCron(text: string): Misfit | undefined {
  const fields = text.split(" ");
  if (fields.length !== FIELDS.length)
    return {
      wrong: `${JSON.stringify(text)} does not fit`,
      right: `write five fields of a cron schedule: ${FIELDS.map(([name]) => name).join(", ")}, such as "7 * * * *"`,
    };
  for (const [index, [name, values]] of FIELDS.entries()) {
    const field = fields[index] ?? "";
    const alone = FIELDS.map((_, place) => (place === index ? field : "*")).join(" ");
    if (!FORM.test(field) || parse(alone) === undefined)
      return {
        wrong: `${JSON.stringify(text)} has ${JSON.stringify(field)} as its ${name}`,
        right: `write * or ${values}; a list as 1,2, a range as 1-5, a step as */2`,
      };
  }
  if (parse(text)?.nextRun() === null)
    return { wrong: `${JSON.stringify(text)} never comes`, right: "write a day that its month has" };
  return undefined;
}

/** What is wrong with a name of the time zone database. */
export function misfitOfZone(text: string): Misfit | undefined {
  const zones = Intl.supportedValuesOf("timeZone");
  const right = `write a name of the time zone database, such as "Etc/UTC"; ${suggest(text, near(text, zones))}`;
  const isSpelledOtherwise = zones.some((zone) => zone !== text && zone.toLowerCase() === text.toLowerCase());
  if (!/^[A-Z]/i.test(text) || isSpelledOtherwise || !isZone(text))
    return { wrong: `${JSON.stringify(text)} is no time zone`, right };
  return undefined;
}

/** Those of the same region, or where there is no such region some of the regions. */
function near(text: string, zones: readonly string[]): readonly string[] {
  const region = zones.filter((zone) =>
    zone.toLowerCase().startsWith(`${text.split("/")[0]?.toLowerCase()}/`),
  );
  return region.length > 0 ? region : ["Etc/UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin"];
}

function isZone(text: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}

/** Undefined where the library refuses it. */
function parse(text: string): Cron | undefined {
  try {
    return new Cron(text, { mode: "5-part", timezone: "Etc/UTC" });
  } catch {
    return undefined;
  }
}
