import { describe, expect, it } from "vitest";
import { formatTerminal } from "../../../generator/src/cli/review-terminal.ts";
import type { EntityModel } from "../../../generator/src/generate/model.ts";
import type { CostRow } from "../../../generator/src/review/cost.ts";
import { describePlan, describeRefusal } from "../../../generator/src/review/live-plan.ts";
import { formatMarkdown } from "../../../generator/src/review/markdown.ts";
import { formatPage } from "../../../generator/src/review/page/review-page.ts";
import { compareSides, type Review } from "../../../generator/src/review/review.ts";
import type { Head, Side } from "../../../generator/src/review/sides.ts";
import { readSchedule } from "../../../generator/src/schedule/description.ts";
import { action } from "./actions.ts";
import { type Field, person } from "./models.ts";

const BASE = { ref: "origin/main", commit: "0123456789abcdef", isForkPoint: true };
const NAME: Field = { name: "name", type: "STRING" };

function side(models: readonly EntityModel[], sql: string, rest: Partial<Head> = {}): Head {
  const actions = [action("person_final", sql, { type: "operations" })];
  return { models, actions, core: "3.0.62", hasDefinitions: true, problems: [], stale: [], ...rest };
}

function review(before: Side, after: Head, costs: Review["costs"] = { unknown: "no credentials" }): Review {
  return {
    ...compareSides(BASE, before, after, { projectId: "acme", location: "EU" }),
    costs,
    plan: undefined,
    place: "acme.crm (EU) at BigQuery",
  };
}

const before = side([person([NAME])], "SELECT 1");
const refused = review(
  before,
  side(
    [
      person([
        { ...NAME, type: "BYTES" },
        { name: "n", type: "INT64" },
      ]),
    ],
    "SELECT 2",
  ),
);

describe("a review in Markdown", () => {
  it("says so when nothing changes", () => {
    expect(formatMarkdown(review(before, before))).toBe(
      "<!-- npm run review -->\n## What this pull request changes\n\n**Nothing: schema, graph and SQL stay as they are.**\nCompared with `0123456789ab`, where this branch left `origin/main`; tables and costs are those of `acme.crm (EU) at BigQuery`.\n",
    );
  });

  it("says what schedule.json says otherwise, and what then", async () => {
    const entities = `{"environments": {"dev": {}}, "entities": [{"name": "person", "schema": "p.json", "key": ["id"], "ingestTimestamp": "at"}]}`;
    const scheduled = async (more: object) => {
      const given = {
        region: "europe-west1",
        git: { url: "https://example.com/a.git", tokenSecret: "t" },
        serviceAccount: "a@acme.iam.gserviceaccount.com",
        ...more,
      };
      const read = async (file: string) => (file === "schedule.json" ? JSON.stringify(given) : entities);
      return { ...before, schedule: await readSchedule(read) };
    };
    const own = [{ name: "update", cron: "9 * * * *", tags: ["person"], vars: { merge: "true" } }];
    const usual = await scheduled({});
    const changed = review(
      usual,
      await scheduled({ runs: own, environments: { dev: { branch: "dev" } }, timeZone: "Europe/Berlin" }),
    );
    const text = formatMarkdown(changed);
    expect(text).toContain("**The schedule changed; 1 thing to do.**");
    expect(text).toContain("- [ ] Renew the schedule: `npm run schedule`, or `terraform apply`;");
    const rows = [...text.matchAll(/^\| `(.*)` \| (.*) \| (.*) \|$/gm)].map((row) => row.slice(1));
    expect(rows).toEqual([
      ["timeZone", "`Etc/UTC` -> `Europe/Berlin`", "from when the schedule is renewed"],
      [
        "runs.update",
        "`7 * * * *` -> `9 * * * *, tag person, merge=true`",
        "from when the schedule is renewed",
      ],
      [
        "runs.audit",
        "**removed** `37 3 * * 0, tag audit, audit=true`",
        "it starts as before until somebody deletes it in managed Dataform",
      ],
      ["environments.dev", "**added** `branch dev`", "from when the schedule is renewed"],
    ]);
    expect(formatTerminal(changed)).toContain("schedule.json\n  timeZone: Etc/UTC -> Europe/Berlin\n");
    expect(formatPage(changed)).toContain('<a href="#schedule">Schedule</a>');
    expect(formatMarkdown(review(usual, usual))).toContain("**Nothing: ");
    const unread = { ...before, problems: ["schedule.json: not valid JSON"] };
    expect(review(unread, usual).schedule).toEqual([]);
  });

  it("begins with what stands in the way, then what to do, and folds the SQL away", () => {
    const text = formatMarkdown(refused);
    expect(text).toContain("**Not ready: 1 change cannot work as written.**");
    expect(text).toContain("- [ ] **Before merging:** Give `name` its old type back");
    expect(text).toContain("  ```sh\n  npm run init\n  ```");
    expect(text).toContain("| `name` | **refused:** `STRING` -> `BYTES` |");
    expect(text).toContain("| `n` | **added** `INT64` | NULL for every user");
    expect(text).toContain("Not estimated: `no credentials`");
    expect(text).toContain(
      "<details><summary><code>compiled/person/person_final.sql</code> +1 -1</summary>\n\n```diff\n@@ -1,1 +1,1 @@\n-SELECT 1\n+SELECT 2\n```\n\n</details>",
    );
    const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(["To do", "Schema", "Graph", "Cost", "Notes", "Compiled SQL"]);
  });

  it("is taken as text, whatever names and SQL hold", () => {
    const odd = person([NAME, { name: "a|b", type: "STRING" }]);
    const sql = "SELECT '```' -- </details>";
    const text = formatMarkdown(review(before, side([odd], sql)));
    expect(text).toContain("| `a\\|b` | **added**");
    expect(text).toContain("````diff\n");
    for (const line of text.split("\n").filter((one) => one.startsWith("| ")))
      expect(line.replaceAll("\\|", "").split("|").length, line).toBeGreaterThan(4);
  });

  it("fits a comment: SQL first gives way, and what is left out is said", () => {
    const long = (mark: string) => Array.from({ length: 150 }, (_, line) => `${mark} ${line}`).join("\n");
    const actions = (mark: string) =>
      Array.from({ length: 40 }, (_, index) => action(`action_${index}`, long(mark)));
    const many = (mark: string): Head => ({ ...before, actions: actions(mark) });
    const text = formatMarkdown(review(many("old"), many("new")));
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(
      /\n\n\d+ more diffs do not fit here: `git diff 0123456789ab -- compiled` shows them\.\n$/,
    );
    expect(text.split("<details>")).toHaveLength(text.split("</details>").length);
    const short = formatMarkdown(review(many("old"), many("new")), 1000);
    expect(short.length).toBeLessThanOrEqual(1001);
    expect(short).toContain("The rest does not fit here");
  });

  it("shows what init finds to do, or what it refuses", () => {
    const steps = [
      {
        kind: "table" as const,
        name: "crm.person_final",
        action: "extend" as const,
        changes: ["+ n INTEGER"],
        notes: [],
      },
      { kind: "table" as const, name: "crm.person_updates", action: "none" as const, changes: [], notes: [] },
      {
        kind: "file" as const,
        name: ".df-credentials.json",
        action: "create" as const,
        changes: ["x"],
        notes: [],
      },
    ];
    expect(formatMarkdown({ ...refused, plan: describePlan(steps) })).toContain(
      "### Tables as they are\n\n`npm run init` would do this to the tables as they are:\n\n- extend table `crm.person_final`: `+ n INTEGER`\n\n###",
    );
    expect(formatTerminal({ ...refused, plan: describeRefusal("a is wrong\nb is wrong") })).toContain(
      "npm run init refuses the tables as they are\n  a is wrong\n  b is wrong\n",
    );
    expect(formatMarkdown({ ...refused, plan: describePlan([]) })).not.toContain("Tables as they are");
  });

  it("shows the cost of both sides", () => {
    const rows: readonly CostRow[] = [
      {
        id: "crm.person_final",
        type: "operations",
        before: { bytes: 2048, accuracy: "PRECISE" },
        after: { bytes: 4096, accuracy: "UPPER_BOUND" },
      },
    ];
    expect(formatMarkdown({ ...refused, costs: { rows } })).toContain(
      "| `crm.person_final` | operations | 2.0 KiB | ≤ 4.0 KiB | +2.0 KiB (+100 %) |",
    );
  });
});

describe("a review for a terminal", () => {
  it("holds the same without marks", () => {
    const text = formatTerminal(refused);
    expect(text).toMatch(/^Not ready: 1 change cannot work as written\.\nCompared with 0123456789ab/);
    expect(text).toContain("  name: refused: STRING -> BYTES\n      BigQuery cannot make this change");
    expect(text).toContain("-SELECT 1\n+SELECT 2");
    expect(text).not.toMatch(/[`]|\*\*|<details>/);
  });

  it("is coloured only when asked", () => {
    expect(formatTerminal(refused)).not.toContain("\u001b[");
    expect(formatTerminal(refused, true)).toContain("\u001b[32m+SELECT 2");
  });
});

describe("what to do", () => {
  const texts = (after: Head) =>
    review(before, after).todos.map(({ text, commands }) => [text, ...commands].join(" "));

  it("is listed once, in the order of doing", () => {
    const fields = [
      { ...NAME, merge: "first" },
      { name: "n", type: "INT64" },
      { name: "m", type: "INT64" },
    ];
    expect(texts(side([person(fields, { lookback: "1 day" })], "SELECT 1"))).toEqual([
      expect.stringMatching(/^Create and extend the tables.* npm run init$/),
      expect.stringMatching(
        /^Rebuild `person` \(merge policy of `name`\).* npm run update -- --tags person --vars=rebuild=true$/,
      ),
      expect.stringMatching(/replayFrom=<YYYY/),
    ]);
  });

  it("begins with what is stale", () => {
    const stale = ["compiled/a.sql (changed)"];
    expect(texts(side([person([NAME])], "SELECT 1", { stale }))).toEqual([
      "Commit what the schemas make; stale: `compiled/a.sql (changed)`. npm run generate npm run compile",
    ]);
  });
});

describe("notes", () => {
  const notes = (base: Side, after: Head) => review(base, after).notes.join("\n");

  it("say that a merge changes though its schema does not", () => {
    expect(notes(before, side([person([NAME])], "SELECT 2"))).toMatch(/the generator or its templates did/);
    expect(notes(before, side([person([{ ...NAME, merge: "first" }])], "SELECT 2"))).not.toMatch(
      /templates did/,
    );
  });

  it("say that the base's definitions are not its own", () => {
    expect(notes({ ...before, hasDefinitions: false }, before)).toContain("The base has no definitions");
  });

  it("say that another compiler is asked for", () => {
    expect(notes(before, side([person([NAME])], "SELECT 1", { core: "3.1.0" }))).toContain(
      "from 3.0.62 to 3.1.0",
    );
  });

  it("say that the base cannot be read, rather than that all is new", () => {
    const broken = {
      models: [],
      actions: [],
      core: undefined,
      hasDefinitions: false,
      problems: ["entities.json: no such file"],
    };
    const found = review(broken, side([person([NAME])], "SELECT 1"));
    expect(found.entities).toEqual([]);
    expect(found.graph.actions).toEqual([]);
    expect(found.notes.join("\n")).toContain("could not be compared in full: `entities.json: no such file`");
  });
});
