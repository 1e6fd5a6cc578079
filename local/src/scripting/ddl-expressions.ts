import type { OptionExpression, Options } from "../compiler/compiled.ts";
import { optionValue } from "../compiler/ddl-options.ts";
import { fromDuck } from "../values.ts";
import type { Ddl } from "./ddl-statements.ts";
import type { Session } from "./session.ts";

/** The statement with the values of those of its options that are expressions. */
export async function evaluateOptions(session: Session, ddl: Ddl): Promise<Ddl> {
  switch (ddl.kind) {
    case "create-table":
    case "create-schema":
      return { ...ddl, options: await evaluate(session, ddl.options) };
    case "create-view": {
      const columnOptions: Record<string, Options> = {};
      for (const [name, options] of Object.entries(ddl.columnOptions)) {
        columnOptions[name] = await evaluate(session, options);
      }
      return { ...ddl, columnOptions, options: await evaluate(session, ddl.options) };
    }
    case "alter": {
      const actions = [];
      for (const action of ddl.actions) {
        if ("options" in action)
          actions.push({ ...action, options: await evaluate(session, action.options) });
        else actions.push(action);
      }
      return { ...ddl, actions };
    }
    default:
      return ddl;
  }
}

async function evaluate(session: Session, options: Options): Promise<Options> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    values[name] = isExpression(value) ? await evaluateOne(session, value) : value;
  }
  return values;
}

async function evaluateOne(session: Session, { sql, type }: OptionExpression): Promise<unknown> {
  const reader = await session.reading((connection) => connection.runAndReadAll(`SELECT ${sql}`));
  return optionValue(type, fromDuck(type, reader.getRows()[0]?.[0]));
}

function isExpression(value: unknown): value is OptionExpression {
  return typeof value === "object" && value !== null && (value as OptionExpression).kind === "expression";
}
