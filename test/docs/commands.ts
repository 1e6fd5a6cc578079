import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./render.ts";

/** README and the pages of docs/, by their path. */
function pages(): readonly string[] {
  const docs = readdirSync(path.join(ROOT, "docs")).filter((file) => file.endsWith(".md"));
  return ["README.md", ...docs.map((file) => `docs/${file}`)].sort();
}

/** The fenced blocks of a language in the pages: their text, each with its page. */
export function blocksOf(language: string): readonly { readonly page: string; readonly text: string }[] {
  return pages().flatMap((page) =>
    [...readFileSync(path.join(ROOT, page), "utf8").matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```/gm)]
      .filter(([, , named]) => named === language)
      .map(([, indent = "", , text = ""]) => ({ page, text: text.replaceAll(`\n${indent}`, "\n") })),
  );
}

/** Each command line that a page shows, once: without its comment, and the parts of `a && b` for themselves. */
export function documentedCommands(): readonly string[] {
  const lines = blocksOf("sh").flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"));
  const commands = lines.flatMap((line) => line.replace(/\s+#.*$/, "").split(" && "));
  return [...new Set(commands.map((command) => command.replace(/\s+/g, " ").trim()))]
    .filter((text) => text !== "")
    .sort();
}

/** What the pages show and test/e2e/documented.test.ts runs, in an order in which it makes sense. */
export const RUN: readonly string[] = [
  "npm run generate",
  "npm run generate -- --check",
  "npm run compile",
  "npm run compile -- --check",
  "npm run init -- --plan",
  "npm run init",
  "npm run load -- customer updates.ndjson",
  "npm run load -- customer updates.ndjson more.csv.gz",
  "npm run load -- user_info samples/user_info_1.ndjson",
  "npm run update",
  "npm run status",
  "npm run -s status -- --json",
  "npm run status -- --html status.html",
  "npm run status -- --max-lag 2h --max-bad-rows 0",
  "npm run status -- --max-lag 2h --max-bad-rows 0 --max-missed 0",
  "npm run erasure -- customer userB",
  "npm run cost -- user_info",
  "npm run cost -- --price 7.5 --price-date 2026-11-01",
];

/** What another test runs, and how that test writes it. */
export const ELSEWHERE: readonly (readonly [command: RegExp, test: string, written: string])[] = [
  [/^npm run demo$/, "test/e2e/demo.test.ts", '"demo"'],
  [/^npm run local\b/, "test/e2e/own-schema.test.ts", '"local"'],
  [/^npm run new\b|^npx user-info-updater new\b/, "test/e2e/new-project.test.ts", '"new"'],
  [/^npm run review\b.*(--base origin\/main)( --out \S+)?$/, "test/e2e/review.test.ts", '"--base"'],
  [/^npm run review\b.*--html/, "test/e2e/review.test.ts", '"--html"'],
  [/^npm run schedule\b/, "test/unit/schedule/schedule.test.ts", "schedule"],
  [/--vars=rebuild=true$/, "test/e2e/update.test.ts", "--vars=rebuild=true"],
  [/--vars=replayFrom=/, "test/e2e/clears-and-deletes.test.ts", "--vars=replayFrom="],
  [/--tags audit$/, "test/e2e/deletes.test.ts", '"--tags", "audit"'],
  [/--tags erase$/, "test/e2e/deletes.test.ts", '"--tags", "erase"'],
  [/--tags user_info$/, "test/e2e/examples.test.ts", '"--tags"'],
  [/^npm run update -- --dry-run$/, "test/e2e/update.test.ts", "--dry-run"],
  [/^npm run erasure -- user_info userA$/, "test/e2e/deletes.test.ts", '"erasure"'],
  [/^npx dataform run --schema-suffix dev$/, "test/unit/warehouse/environments.test.ts", "schema-suffix"],
  [/upgrade\b/, "test/e2e/earlier-version.test.ts", '"upgrade"'],
  [/ uninstall\b/, "test/e2e/earlier-version.test.ts", '"uninstall"'],
  [/ --env dev$/, "test/e2e/environments.test.ts", "--env"],
  [/^docker build/, "test/e2e/image.test.ts", "Dockerfile"],
  [/^kubectl apply/, "test/manifests/manifests.test.ts", "kubernetes-validate"],
  [/^terraform /, "test/manifests/terraform.test.ts", "terraform.apply()"],
  [/^npm test$|^npm ci --include=dev$/, ".ci/run", "npm test"],
];

/** What no test runs. */
export const NOT_RUN: readonly (readonly [command: RegExp, why: string])[] = [
  [/^gcloud |^curl /, "needs Google Cloud"],
  [/^export BIGQUERY_EMULATOR_HOST=/, "every test here sets it"],
  [/^kubectl -n .* create job/, "needs a cluster"],
  [/^(git|printf|npm install)/, "asks a registry, or is for a repository at a host"],
];
