import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { describeLoad, watchLoad } from "../../../generator/src/cli/load-report.ts";
import { bar, type Output, processOutput } from "../../../generator/src/cli/output.ts";

/** What stands at the foot of a terminal, as it was drawn last. */
function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  let shown = "";
  stream.on("data", (piece: Buffer) => {
    shown += piece.toString();
  });
  return { stream, shown: () => shown };
}

describe("a progress bar", () => {
  it("shows no word of its format that nobody has said yet", () => {
    const { stream, shown } = terminal();
    const progress = bar("{value}/{total} {running} {time}", 7, stream);
    expect(shown()).toContain("0/7");
    expect(shown()).not.toContain("{");
    progress.update(1, { running: "user_info_final", time: "3.0 s" });
    progress.stop();
  });
});

describe("the progress of a load", () => {
  const MB = 1024 * 1024;
  const watched = (total: number) => {
    let now = 0;
    const { stream, shown } = terminal();
    const said: string[] = [];
    const output: Output = {
      ...processOutput(),
      isTerminal: false,
      say: (text) => void said.push(text),
      progress: (format, all) => {
        const progress = bar(format, all, stream);
        return {
          ...progress,
          update: (done, words) => {
            drawn.push(fill(format, words));
            progress.update(done, words);
          },
        };
      },
    };
    const drawn: string[] = [];
    const watch = watchLoad(output, total, () => now);
    const pass = (seconds: number): void => {
      now += seconds * 1000;
    };
    return { watch, pass, said, drawn, shown };
  };
  const fill = (format: string, words: Readonly<Record<string, string>>): string =>
    format
      .replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? "")
      .replace(/ +%? */g, " ")
      .trim();

  it("begins with what it does, and promises no time that it cannot know", () => {
    const { watch, pass, drawn, shown } = watched(100 * MB);
    expect(shown()).not.toContain("{");
    pass(5);
    watch.show("check", 10 * MB, 1000);
    pass(5);
    watch.show("send", 0, 10_000);
    pass(10);
    watch.show("send", 50 * MB, 10_000);
    watch.show("wait", 100 * MB, 10_000);
    watch.stop();
    expect(drawn).toEqual([
      "checking 0 rows 0 B",
      "checking 1,000 rows 10 MiB, 2.0 MiB/s, 45.0 s left",
      "sending 10,000 rows 0 B",
      "sending 10,000 rows 50 MiB, 5.0 MiB/s, 10.0 s left",
      "waiting for BigQuery 10,000 rows 100 MiB",
    ]);
  });

  it("says a line every half minute where there is no terminal", () => {
    const { watch, pass, said } = watched(100 * MB);
    pass(29);
    watch.show("check", MB, 10);
    pass(1);
    watch.show("check", 30 * MB, 300);
    watch.stop();
    expect(said).toEqual(["checking: 300 rows, 30 MiB of 100 MiB, 1.0 MiB/s"]);
  });
});

describe("the result of a load", () => {
  const place = { table: "crm.customer_updates", entity: "customer", milliseconds: 1500 };
  it("speaks of removing rows where there are some", () => {
    expect(describeLoad({ rows: 0, files: 1, removal: undefined }, place)).toEqual([
      "0 rows of 1 file are now in crm.customer_updates, 1.5 s",
    ]);
    const [one, other] = [undefined, "DELETE FROM t"].map(
      (removal) => describeLoad({ rows: 1, files: 1, removal }, place)[1],
    );
    expect(one).toMatch(/^no statement removes exactly these rows/);
    expect(other).toMatch(/^to remove exactly these rows: DELETE FROM t; if they were merged/);
  });
});
