import type { Environment } from "../project/config.ts";
import { type Change, code, type EntityChanges, type Need } from "./changes.ts";

/** One thing to do, in the order of the list. */
export interface Todo {
  readonly step: Need["step"];
  readonly text: string;
  /** Commands or statements, as they are typed. */
  readonly commands: readonly string[];
}

const ORDER: readonly Need["step"][] = ["fix", "before", "init", "fill", "rebuild", "replay", "after"];

/** What the changes ask of those who review and merge them: once each, in the order of doing. */
export function listTodos(
  entities: readonly EntityChanges[],
  stale: readonly string[],
  schedule: readonly Change[] = [],
): readonly Todo[] {
  const todos = [...entities, { entity: "", changes: schedule }].flatMap(({ entity, changes }) =>
    ORDER.flatMap((step) =>
      todosOf(
        step,
        entity,
        changes.flatMap(({ needs }) => needs),
      ),
    ),
  );
  if (stale.length > 0) {
    todos.push({
      step: "fix",
      text: `Commit what the schemas make; stale: ${stale.slice(0, 3).map(code).join(", ")}${stale.length > 3 ? ` and ${stale.length - 3} more` : ""}.`,
      commands: ["npm run generate", "npm run compile"],
    });
  }
  const ordered = ORDER.flatMap((step) => todos.filter((todo) => todo.step === step));
  const seen = new Set<string>();
  return ordered.filter(({ text, step }) => {
    const key = step === "init" ? step : `${step} ${text}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** The same in an environment: commands that ask BigQuery name it. */
export function todoIn(todo: Todo, environment: Environment | undefined): Todo {
  if (environment === undefined) return todo;
  const commands = todo.commands.map((command) =>
    command.replace(/^(npm run (?:init|update))( --)?/, `$1 -- --env ${environment.name}`),
  );
  return { ...todo, commands };
}

function todosOf(step: Need["step"], entity: string, needs: readonly Need[]): readonly Todo[] {
  const reasons = (kind: "rebuild" | "replay") => [
    ...new Set(needs.flatMap((need) => (need.step === kind ? [need.reason] : []))),
  ];
  switch (step) {
    case "init":
      return needs.some((need) => need.step === "init")
        ? [
            {
              step,
              text: "Create and extend the tables, before the next run: `npm run update` refuses to start where a column is missing.",
              commands: ["npm run init"],
            },
          ]
        : [];
    case "rebuild":
      return reasons(step).length === 0
        ? []
        : [
            {
              step,
              text: `Rebuild ${code(entity)} (${reasons(step).join(", ")}): it reads all updates that are still there, and stops where those that are gone said more.`,
              commands: [`npm run update -- --tags ${entity} --vars=rebuild=true`],
            },
          ];
    case "replay":
      return reasons(step).length === 0
        ? []
        : [
            {
              step,
              text: `Read the updates of ${code(entity)} again from a time of your choice (${reasons(step).join(", ")}).`,
              commands: [`npm run update -- --tags ${entity} --vars=replayFrom=<YYYY-MM-DDThh:mm:ssZ>`],
            },
          ];
    default:
      return needs.flatMap((need) =>
        need.step === step && "text" in need
          ? [{ step, text: need.text, commands: ("sql" in need ? need.sql : undefined) ?? [] }]
          : [],
      );
  }
}
