import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./render.ts";

/** README and the pages of docs/, by their path. */
function pages(): readonly string[] {
  const docs = readdirSync(path.join(ROOT, "docs")).filter((file) => file.endsWith(".md"));
  return ["README.md", ...docs.map((file) => `docs/${file}`)].sort();
}

/** The texts of those pages. */
export function pageTexts(): readonly string[] {
  return pages().map((page) => readFileSync(path.join(ROOT, page), "utf8"));
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
  "npm run update -- --tags customer --vars=replayFrom=2026-01-01T00:00:00.000000Z",
  "npm run review -- --base origin/main",
  "npm run review -- --base origin/main --html review.html",
  "npm run review -- --base origin/main --out review.md",
  "npm run schedule -- --plan",
  "npm run schedule",
  "npm run schedule -- --env dev",
  "npm run cost -- user_info",
  "npm run cost -- --price 7.5 --price-date 2026-11-01",
];

/** What else the pages show, and the file that runs it or its like. */
export const ELSEWHERE: readonly (readonly [command: RegExp, file: string])[] = [
  [/^docker build/, "test/e2e/image.test.ts"],
  [/^kubectl apply/, "test/manifests/pages.test.ts"],
  [/^terraform /, "test/manifests/terraform.test.ts"],
  // Whether they are written rightly: what they do needs Google Cloud, or a cluster.
  [/^gcloud |\| gcloud |^kubectl -n /, "test/manifests/pages.test.ts"],
  [/^npm run local/, "local/test/unit/rest/server.deep.test.ts"],
  [/^npm run new -- customer --from-file/, "test/unit/cli/new-from-file.test.ts"],
  [/^npm run new -- \.\.\/crm --yes/, "test/e2e/new-project.test.ts"],
  [/^npm test$|^npm ci --include=dev$/, ".ci/run"],
  [/^npx dataform run /, "test/unit/warehouse/environments.test.ts"],
];

/** What no test runs. */
export const NOT_RUN: readonly (readonly [command: RegExp, why: string])[] = [
  [/^curl /, "needs Google Cloud"],
  [/^export BIGQUERY_EMULATOR_HOST=/, "every test here sets it"],
  [/^(git|printf|npm install)/, "asks a registry, or is for a repository at a host"],
];

/** The test that calls a command of the tool with the options that a page gives it, all in one call; undefined where there is none. */
export function testOf(command: string): string | undefined {
  const [, name, rest = ""] =
    /^npm run (?:-s |--silent )?(\w[\w-]*)(?: -- (.*))?$/.exec(command) ??
    /^npx user-info-updater (\w[\w-]*)(?: (.*))?$/.exec(command) ??
    [];
  if (name === undefined) return undefined;
  // How much it says is the same for all commands.
  const options = [...rest.matchAll(/--(?!quiet|verbose)[\w-]+(=\w+(?==))?/g)].map(([option]) => option);
  return TESTS.find(({ calls }) =>
    calls.some(
      ([called, ...given]) =>
        called === name && options.every((option) => given.some((text) => text.startsWith(option))),
    ),
  )?.file;
}

/** Each list of texts between parentheses or brackets: what a call, or a table of calls, gives a command. */
function callsIn(source: string): readonly (readonly string[])[] {
  const lists = source.matchAll(/[([]([^()[\]]*)(?=[)\]])/g);
  return [...lists].map(([, list = ""]) =>
    [...list.matchAll(/["`]([^"`]*)["`]/g)].map(([, text = ""]) => text),
  );
}

const TESTS = ["test/e2e", "test/unit/schedule"].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => ({
      file: `${folder}/${file}`,
      calls: callsIn(readFileSync(path.join(ROOT, folder, file), "utf8")),
    })),
);
