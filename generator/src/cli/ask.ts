import { select, text } from "@clack/prompts";
import { CommandError } from "../project/errors.ts";

/** Questions to the person at the terminal; each ends the command where it is cancelled. */
export interface Ask {
  /** What is typed, or `usual` where nothing is; asks again while `check` says what is wrong with it. */
  text(message: string, usual: string, check?: (answer: string) => string | undefined): Promise<string>;
  choice<Value extends string>(message: string, choices: Readonly<Record<Value, string>>): Promise<Value>;
}

/** Asks on the terminal; undefined where there is none to ask on. */
export function terminalAsk(): Ask | undefined {
  const { stdin: input, stdout: output } = process;
  return input.isTTY === true && output.isTTY === true ? askThrough({ input, output }) : undefined;
}

/** Asks through two streams. */
export function askThrough(streams: {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}): Ask {
  return {
    text: async (message, usual, check) =>
      answered(
        await text({
          ...streams,
          message,
          placeholder: usual,
          defaultValue: usual,
          validate: (answer = "") => problemOf(answer === "" ? usual : answer, check),
        }),
      ),
    choice: async <Value extends string>(message: string, choices: Readonly<Record<Value, string>>) => {
      const options = Object.entries<string>(choices).map(([value, label]) => ({ value, label }));
      return answered(await select<string>({ ...streams, message, options })) as Value;
    },
  };
}

function problemOf(answer: string, check: (answer: string) => string | undefined = () => undefined) {
  return answer.trim() === "" ? "write something" : check(answer);
}

function answered<Value extends string>(answer: Value | symbol): Value {
  if (typeof answer === "symbol") throw new CommandError("cancelled; nothing was written");
  return answer;
}
