import { describe, expect, it } from "vitest";
import { init } from "../../../generator/src/cli/commands/init.ts";
import { update } from "../../../generator/src/cli/commands/update.ts";
import { refuseSwallowed } from "../../../generator/src/cli/npm-options.ts";

describe("an option that npm took for its own", () => {
  it("is refused in one line that says how to write it", () => {
    const call = (env: NodeJS.ProcessEnv) => () => refuseSwallowed(init, ["init"], env);
    expect(call({ npm_lifecycle_event: "init", npm_config_plan: "true" })).toThrow(
      "init: npm took --plan for its own; write npm run init -- --plan",
    );
    expect(call({ npm_lifecycle_event: "init", npm_config_project: "../crm" })).toThrow(
      "init: npm took --project for its own; write npm run init -- --project=../crm",
    );
  });

  it("is Dataform's too, for update", () => {
    const call = () =>
      refuseSwallowed(update, ["update", "user_info"], {
        npm_lifecycle_event: "update",
        npm_config_tags: "true",
      });
    expect(call).toThrow("update: npm took --tags for its own; write npm run update -- user_info --tags");
  });

  it("is none where another script runs, or npm was told nothing", () => {
    for (const env of [
      { npm_lifecycle_event: "test", npm_config_plan: "true" },
      { npm_lifecycle_event: "init", npm_config_plan: "" },
      { npm_lifecycle_event: "init", npm_config_loglevel: "verbose" },
      {},
    ])
      expect(() => refuseSwallowed(init, ["init"], env)).not.toThrow();
  });
});
