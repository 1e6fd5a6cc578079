import type { ActionText } from "../../../generator/src/dataform/actions.ts";

/** A view of the entity `person`. */
export function action(name: string, sql: string, rest: Partial<ActionText> = {}): ActionText {
  return {
    schema: "crm",
    name,
    type: "view",
    path: `person/${name}`,
    disabled: false,
    tags: [],
    dependencies: [],
    sql,
    jobs: [sql],
    documentation: "null",
    layout: "null",
    ...rest,
  };
}
