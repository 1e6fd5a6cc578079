import { z } from "zod";
import { findNear } from "./near.ts";
import { ProblemList } from "./problems.ts";

/** Parts what is wrong from what would be right in a message of the validation library; no text of a user can hold it. */
const SEPARATOR = "\u0000";

/** A fault as the message of a zod issue. */
export function say(wrong: string, right: string): string {
  return `${wrong}${SEPARATOR}${right}`;
}

/**
 * An object with these members and no others: of any other member it says which there are, after `what`; of anything but an object,
 * what `otherwise` says.
 */
export function strict<Shape extends z.ZodRawShape>(
  what: string,
  shape: Shape,
  otherwise: (input: unknown) => string,
) {
  const unknown = say("unknown option", `${what} has ${Object.keys(shape).join(", ")}`);
  return z.strictObject(shape, {
    error: ({ code, input }) => (code === "unrecognized_keys" ? unknown : otherwise(input)),
  });
}

/** Gives what the schema makes of a value; throws an InputError with everything that is wrong, by JSON path. */
export function validate<Output>(schema: z.ZodType<Output>, value: unknown, file: string): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = new ProblemList(file);
  for (const issue of result.error.issues) {
    const [wrong = "", right = ""] = issue.message.split(SEPARATOR);
    if (issue.code !== "unrecognized_keys") problems.add(formatPath(issue.path), wrong, right);
    else {
      const known = right.replace(/^.* has /, "").split(", ");
      for (const key of issue.keys) {
        const near = findNear(key, known);
        problems.add(
          formatPath([...issue.path, key]),
          wrong,
          near === undefined ? right : `did you mean ${near}?`,
        );
      }
    }
  }
  problems.throwIfAny();
  throw new Error("a value that does not fit, without an issue that says why");
}

function formatPath(path: readonly PropertyKey[]): string {
  let formatted = "";
  for (const step of path) {
    if (typeof step === "number") formatted += `[${step}]`;
    else formatted += formatted === "" ? String(step) : `.${String(step)}`;
  }
  return formatted;
}
