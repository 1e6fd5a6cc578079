import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type Ask, askThrough } from "../../../generator/src/cli/ask.ts";
import { askForColumns } from "../../../generator/src/cli/ask-columns.ts";
import { settingProblem } from "../../../generator/src/project/dataform-json.ts";

/** Types answers on what looks like a terminal, one after another, and gives what was shown. */
function terminal(...typed: string[]) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (piece: Buffer) => {
    shown += piece.toString();
  });
  for (const stream of [input, output]) Object.assign(stream, { isTTY: true, columns: 80, rows: 24 });
  Object.assign(input, { setRawMode: () => input });
  const ask = askThrough({
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
  });
  const type = async (): Promise<void> => {
    for (const text of typed) {
      await new Promise((resolve) => setImmediate(resolve));
      input.write(text);
    }
  };
  return { ask, type, shown: () => shown };
}

describe("a question on the terminal", () => {
  it("takes what is typed in place of the default, and the default where nothing is", async () => {
    const typing = terminal("EU", "\r");
    const [answer] = await Promise.all([typing.ask.text("Location", "US"), typing.type()]);
    expect(answer).toBe("EU");
    const silent = terminal("\r");
    const [usual] = await Promise.all([silent.ask.text("Location", "US"), silent.type()]);
    expect(usual).toBe("US");
  });

  it("is asked again where the answer is wrong, with what would be right", async () => {
    const { ask, type, shown } = terminal("Mars", "\r", "\u007f".repeat(4), "europe-west1", "\r");
    const check = (typed: string) => settingProblem("defaultLocation", typed);
    const [answer] = await Promise.all([ask.text("Location", "US", check), type()]);
    expect(answer).toBe("europe-west1");
    expect(shown()).toContain('"Mars" is not a location');
  });
});

describe("the settings of a new project", () => {
  it.each([
    "US",
    "EU",
    "eu",
    "europe-west1",
    "northamerica-northeast2",
    "me-central2",
    "aws-us-east-1",
    "azure-eastus2",
  ])("take %s for a location", (location) =>
    expect(settingProblem("defaultLocation", location)).toBeUndefined(),
  );
  it.each(["Mars", "USEU", "europe", "europe-west", "eu west1", "europe-west1 "])(
    "refuse %s for one",
    (location) =>
      expect(settingProblem("defaultLocation", location)).toMatch(
        /is not a location; write a multi-region, such as "EU"/,
      ),
  );
  it("refuse a project's name and a dataset with a dash", () => {
    expect(settingProblem("defaultDatabase", "Acme CRM")).toMatch(/is not a project's id/);
    expect(settingProblem("defaultSchema", "crm-analytics")).toMatch(/is not a dataset's name/);
  });
});

describe("the key and the clocks", () => {
  const fields = [
    { name: "aId", type: "STRING" },
    { name: "bId", type: "STRING" },
    { name: "seen", type: "TIMESTAMP" },
    { name: "happened", type: "TIMESTAMP" },
    { name: "tags", type: "STRING", mode: "REPEATED" },
  ];
  /** Answers each question by the word it has in it, and keeps what there was to choose from. */
  const answering = (answers: Readonly<Record<string, string>>) => {
    const asked: string[][] = [];
    const ask: Ask = {
      text: () => Promise.reject(new Error("no text is asked for")),
      choice: async (question, choices) => {
        asked.push([question, ...Object.keys(choices)]);
        const [, answer] = Object.entries(answers).find(([word]) => question.includes(word)) ?? [];
        return answer as keyof typeof choices;
      },
    };
    return { ask, asked };
  };

  it("are asked for where neither options nor names tell, of the columns that can be it", async () => {
    const { ask, asked } = answering({ whose: "bId", "came in": "seen", "was true": "happened" });
    expect(await askForColumns(fields, {}, ask)).toEqual({
      key: ["bId"],
      ingestTimestamp: "seen",
      eventTimestamp: "happened",
    });
    expect(asked).toEqual([
      ["Which column says whose row it is?", "aId", "bId"],
      ["Which TIMESTAMP says when a row came in?", "seen", "happened"],
      ["Which says when it was true?", "", "happened"],
    ]);
  });

  it("are not asked for where they are said or guessed, or where no column can be it", async () => {
    const { ask, asked } = answering({ "was true": "" });
    const given = { key: ["aId"], ingestTimestamp: "seen" };
    expect(await askForColumns(fields, given, ask)).toEqual(given);
    expect(await askForColumns([{ name: "at", type: "STRING" }], { key: ["at"] }, ask)).toEqual({
      key: ["at"],
    });
    expect(asked).toEqual([]);
    const one = await askForColumns(
      fields.slice(2),
      { key: ["aId"], ingestTimestamp: undefined },
      answering({ "came in": "seen", "was true": "" }).ask,
    );
    expect(one).toEqual({ key: ["aId"], ingestTimestamp: "seen" });
  });
});
