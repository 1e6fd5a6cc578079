import { select, text } from "@clack/prompts";
import { CommandError } from "../project/errors.ts";

/** Questions to the person at the terminal; each ends the command where it is cancelled. */
export interface Ask {
  text(message: string, initial: string): Promise<string>;
  choice<Value extends string>(message: string, choices: Readonly<Record<Value, string>>): Promise<Value>;
}

/** Asks on the terminal; undefined where there is none to ask on. */
export function terminalAsk(): Ask | undefined {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return undefined;
  return {
    text: async (message, initial) => answered(await text({ message, initialValue: initial })),
    choice: async <Value extends string>(message: string, choices: Readonly<Record<Value, string>>) => {
      const options = Object.entries<string>(choices).map(([value, label]) => ({ value, label }));
      return answered(await select<string>({ message, options })) as Value;
    },
  };
}

function answered<Value extends string>(answer: Value | symbol): Value {
  if (typeof answer === "symbol") throw new CommandError("cancelled; nothing was written");
  return answer;
}
