import { describe, expect, it } from "vitest";
import { asksForTag, parseFlags, withAudit } from "../../../generator/src/dataform/flags.ts";
import { withTimeout } from "../../../generator/src/dataform/timeout.ts";
import {
  describeCrash,
  describeFailure,
  describeFailures,
  isWorthRetrying,
  lastTold,
  readFailures,
} from "../../../generator/src/warehouse/update.ts";

const ABORTED = `Operation failed:  analytics.user_info_final
  >
  > BEGIN TRANSACTION;
  > SELECT 'Operation failed:  not.this';
  bigquery error: Transaction is aborted due to concurrent update against table p:analytics.user_info_watermark at [1:1]
`;

const ASSERTION = `Assertion failed:  analytics.user_info_bad_rows
 	 jobId: dataform-8e189c29,
 	 Bytes billed: 0 B, 1.00 B
  >
  > SELECT 1 AS x
  bigquery error: Assertion failed: query returned 1 row(s).
`;

function failures(stderr: string) {
  return readFailures({ exitCode: 1, stdout: "", stderr });
}

describe("describeFailures", () => {
  it("says what to do about rows that cannot be deleted yet", () => {
    const message =
      "bigquery error: UPDATE or DELETE statement over table p.d.t would affect rows in the streaming buffer, which is not supported";
    const failure = { kind: "action", action: "d.person_erase", message } as const;
    expect(describeFailures({ failures: [failure], retries: 0 })).toMatch(
      /d\.person_erase failed: UPDATE or DELETE .*; rows that were streamed in cannot be deleted for up to 90 minutes, and nothing was changed/,
    );
  });
});

describe("a failure", () => {
  const failed = failures(ASSERTION + ABORTED);
  it("is told once: what the last line tells has no other line but for its SQL", () => {
    const [assertion, action] = failed;
    expect(lastTold(failed)).toBe(action);
    expect(lastTold([assertion!])).toBe(assertion);
    expect(describeFailure(action!, "compiled/user_info/user_info_final.sql", true)).toBe(
      "analytics.user_info_final: its SQL is compiled/user_info/user_info_final.sql",
    );
    expect(describeFailure(action!, undefined, true)).toBeUndefined();
    expect(describeFailure(assertion!, "definitions/own.sqlx", false)).toBe(
      "analytics.user_info_bad_rows: Assertion failed: query returned 1 row(s).; its SQL is definitions/own.sqlx",
    );
  });
});

describe("readFailures", () => {
  it("reads action and message past the SQL between them", () => {
    expect(failures(ABORTED + ASSERTION)).toEqual([
      {
        kind: "action",
        action: "analytics.user_info_final",
        message:
          "bigquery error: Transaction is aborted due to concurrent update against table p:analytics.user_info_watermark at [1:1]",
      },
      {
        kind: "assertion",
        action: "analytics.user_info_bad_rows",
        message: "bigquery error: Assertion failed: query returned 1 row(s).",
      },
    ]);
  });

  it("finds none in a compilation error", () => {
    expect(failures("Compilation errors:\n  definitions/a.sqlx: Unexpected identifier\n")).toEqual([]);
  });
});

describe("a run that failed before any action", () => {
  // As the CLI writes it where node_modules is a symbolic link: in colours, its note on the timeout first.
  const NOTE =
    "\u001b[93mNote: --timeout only bounds project compilation. For a whole-run wall-clock deadline, use --execution-timeout.\n\u001b[0m\n";
  const crash = (stderr: string, retries = 0) =>
    describeCrash({ exitCode: 1, stdout: "Compiling...\n\n", stderr: NOTE + stderr }, retries);

  it("says its cause, not the CLI's note", () => {
    const missing = "Could not find NPM dependencies. Have you run 'dataform install'?";
    expect(crash(`\u001b[91m${missing}\u001b[0m\n`)).toBe(`dataform run failed: ${missing}`);
    expect(crash("Warning: x\nTypeError: y\n", 2)).toBe("dataform run failed after 2 retries: TypeError: y");
  });
});

describe("isWorthRetrying", () => {
  const cases: [string, string, boolean][] = [
    ["an aborted transaction", ABORTED, true],
    ["an aborted transaction and a failed assertion", ABORTED + ASSERTION, true],
    ["a failed assertion alone", ASSERTION, false],
    ["nothing that failed", "", false],
    ["a fence", "Operation failed:  a.b\n  the batch was read by another run; run again\n", true],
    [
      "a watermark without its row",
      "Dataset creation failed:  a.b [table]\n  user_info_watermark has no row: drop that table, and the next run makes it anew\n",
      false,
    ],
    ["a service that is away", "Dataset creation failed:  a.b [table]\n  503 Service Unavailable\n", true],
    [
      "an error of the SQL",
      "Operation failed:  a.b\n  bigquery error: Unrecognized name: nope at [3:5]\n",
      false,
    ],
    ["one of each", `${ABORTED}Operation failed:  a.b\n  bigquery error: Unrecognized name: nope\n`, false],
  ];
  for (const [name, stderr, want] of cases) {
    it(`${want ? "retries" : "does not retry"} ${name}`, () =>
      expect(isWorthRetrying(failures(stderr))).toBe(want));
  }
});

describe("parseFlags", () => {
  const read = (...args: string[]) => {
    const { flags, positional } = parseFlags(args);
    return [flags.map(({ name, values }) => [name, ...values]), positional];
  };
  it("reads flags as the Dataform CLI does", () => {
    expect(read("--actions", "a", "b,c", "--tags=x,y", "--dry-run", "--vars=k=v")).toEqual([
      [
        ["actions", "a", "b", "c"],
        ["tags", "x", "y"],
        ["dry-run", "true"],
        ["vars", "k=v"],
      ],
      [],
    ]);
    expect(read("--vars", "k=v", "stray")).toEqual([[["vars", "k=v"]], ["stray"]]);
    expect(read("--full-refresh", "stray")).toEqual([[["full-refresh", "true"]], ["stray"]]);
    expect(read("--tags", "x", "--actions=a", "b")).toEqual([
      [
        ["tags", "x"],
        ["actions", "a", "b"],
      ],
      [],
    ]);
    expect(read("--no-dry-run", "--vars=a=1", "--vars=b=2")).toEqual([
      [
        ["dry-run", "false"],
        ["vars", "a=1"],
        ["vars", "b=2"],
      ],
      [],
    ]);
  });
});

describe("withAudit", () => {
  const cases: [string[], string[]][] = [
    [
      ["--tags", "audit"],
      ["--tags=audit", "--vars=audit=true"],
    ],
    [
      ["--tags=audit,erase", "--dry-run"],
      ["--tags=audit,erase", "--dry-run", "--vars=audit=true"],
    ],
    [
      ["--vars=a=b", "--tags", "audit"],
      ["--tags=audit", "--vars=a=b,audit=true"],
    ],
    [
      ["--vars", "auditShare=0.5", "--tags", "audit"],
      ["--vars", "auditShare=0.5", "--tags", "audit"],
    ],
    [
      ["--tags", "user_info"],
      ["--tags", "user_info"],
    ],
    [[], []],
  ];
  for (const [flags, want] of cases) {
    it(`reads ${flags.join(" ") || "no flags"}`, () => expect(withAudit(flags)).toEqual(want));
  }
});

describe("withTimeout", () => {
  it("gives a large project longer than Dataform's minute, and leaves what is asked for", () => {
    expect(withTimeout(["--tags", "x"])).toEqual(["--tags", "x", "--timeout=10m"]);
    expect(withTimeout(["--timeout", "5s"])).toEqual(["--timeout", "5s"]);
  });
});

describe("asksForTag", () => {
  it("looks at every list of tags", () => {
    expect(asksForTag(["--tags", "a", "--dry-run", "--tags=b,erase"], "erase")).toBe(true);
    expect(asksForTag(["--actions", "erase"], "erase")).toBe(false);
  });
});
