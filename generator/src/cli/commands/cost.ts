import { readFile } from "node:fs/promises";
import path from "node:path";
import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { wrongUsage } from "../../project/errors.ts";
import { formatBytes } from "../../review/cost.ts";
import {
  dollarsFor,
  HOURLY,
  measureEntity,
  monthlyCosts,
  type Price,
  runsAMonth,
  type Schedule,
  US_PRICE,
} from "../../warehouse/cost.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag, text } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** Where a project's schedule stands. */
const SHIPPED = ".github/workflows/update.yml";

/** `npm run cost`: what a month costs. */
export const cost = defineCommand({
  name: "cost",
  summary: "what a month costs, from the tables' sizes and the batches of the last runs",
  args: [{ term: "[entity]", meaning: "the entity; all of them when absent" }],
  options: {
    ...ENVIRONMENT_OPTION,
    price: text("--price <dollars>", `dollars for a TiB on demand (${US_PRICE.dollarsPerTib})`),
    priceDate: text("--price-date <date>", `when that was the price (${US_PRICE.asOf}, United States)`),
    json: flag("--json", "print it as JSON"),
  },
  examples: [
    {
      term: "npm run cost -- user_info",
      meaning: "a month at each schedule, merging at every run and once a day",
    },
    { term: "npm run cost -- --price 7.5 --price-date 2026-11-01", meaning: "with a price of your region" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { args, options }) {
    const price = readPrice(options.price, options.priceDate);
    const warehouse = await openTarget(context);
    const all = await readEntities(warehouse.project);
    const entities = args[0] === undefined ? all : [findEntity(all, args[0])];
    const schedules = [HOURLY, ...(await shippedSchedule(context.root))];
    const results = await Promise.all(
      entities.map(async (entity) => {
        const measured = await measureEntity(warehouse, entity);
        const months = measured === undefined ? [] : monthlyCosts(measured, schedules, price);
        return { entity: entity.name, measured, price, months };
      }),
    );
    if (options.json) context.output.json(results);
    else for (const result of results) context.output.line(describe(result));
    return EXIT.done;
  },
});

function readPrice(dollars: string | undefined, asOf: string | undefined): Price {
  if (dollars === undefined) return { ...US_PRICE, ...(asOf === undefined ? {} : { asOf }) };
  const dollarsPerTib = Number(dollars);
  if (!(dollarsPerTib > 0))
    throw wrongUsage(`cost: --price ${dollars}: dollars for a TiB are wanted, such as 6.25`);
  return { dollarsPerTib, asOf: asOf ?? "as given" };
}

async function shippedSchedule(root: string): Promise<Schedule[]> {
  const workflow = await readFile(path.join(root, SHIPPED), "utf8").catch(() => "");
  const cron = /^\s*- cron: "(.+)"$/m.exec(workflow)?.[1];
  return cron === undefined ? [] : [{ name: `${cron} (${SHIPPED})`, runsAMonth: runsAMonth(cron) }];
}

interface Result {
  readonly entity: string;
  readonly measured: Awaited<ReturnType<typeof measureEntity>>;
  readonly price: Price;
  readonly months: ReturnType<typeof monthlyCosts>;
}

function describe({ entity, measured, price, months }: Result): string {
  if (measured === undefined) return `${entity}: no tables yet; npm run init makes them`;
  const { users, finalBytes, batchBytes, readBytes, withNews, billedBytes } = measured;
  const head = [
    `${entity}: ${users.toLocaleString("en")} users, final ${formatBytes(finalBytes)}, the last batch ${formatBytes(batchBytes)};`,
    `a run reads ${formatBytes(readBytes)} of updates, ${Math.round(withNews * 100)} % of the last runs had news`,
  ].join(" ");
  const table = formatTable(
    ["schedule", "mergeEvery", "runs a month", "merges", "processed", "dollars"],
    months.map((month) => [
      month.schedule,
      month.merges,
      month.runs,
      month.mergeRuns,
      formatBytes(month.bytes),
      month.dollars.toFixed(2),
    ]),
  );
  const note = `On demand at $${price.dollarsPerTib} a TiB (${price.asOf}); each table that a statement reads costs at least 10 MB, which is not in here, nor what readers cost.`;
  return `${head}\n${table}\n${note}${billedBytes === undefined ? "" : `\n${billedSoFar(billedBytes, price)}`}\n`;
}

/** With that least: what the log says of the runs that were. */
function billedSoFar(bytes: number, price: Price): string {
  const dollars = dollarsFor(bytes * HOURLY.runsAMonth, price).toFixed(2);
  return `With that least, the last runs were billed ${formatBytes(bytes)} each for batch and merge: once an hour, ${dollars} dollars a month.`;
}
