import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY, useEndpoint, useProjects } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

let streamedMinutes = 30;
const makeProject = useProjects(useEndpoint({ streamedMinutes: () => streamedMinutes }));

const member = {
  name: "member",
  schema: "schemas/user_info.json",
  key: ["userId"],
  ingestTimestamp: "ingestTimestamp",
  clearedFields: "clearedFields",
  deleted: "deleted",
};

async function succeed(command: Promise<CommandResult>): Promise<string> {
  const { exitCode, stdout, stderr } = await command;
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

const FINAL = "SELECT userId, attribute1, attribute2, attribute3 FROM DATASET.member ORDER BY userId";
const AFTER = [
  { userId: "userA", attribute1: "xyz", attribute2: null, attribute3: "qwerty" },
  { userId: "userC", attribute1: "new", attribute2: null, attribute3: null },
];

describe("clears, deletes and erasure", () => {
  it("do as the README says, and survive replay, rebuild and audit", async () => {
    const project = await makeProject({ entities: [member] });
    await succeed(project.npm("generate"));
    await succeed(project.npm("init"));
    for (const batch of [1, 2]) {
      await succeed(
        project.npm("load", "member", path.join(REPOSITORY, "samples", `member_${batch}.ndjson`)),
      );
      await succeed(project.npm("update"));
    }
    expect(await project.query(FINAL)).toEqual(AFTER);

    expect(await succeed(project.npm("erasure", "member", "userB"))).toMatch(
      /member_updates +│ 2 .*rows are left/s,
    );
    await succeed(project.npm("update", "--tags", "audit", "--vars=auditShare=1"));

    // A run of everything comes by: an erasing run stands aside, and must not claim to have erased.
    await project.query(
      "CREATE OR REPLACE TABLE DATASET.member_erase_guard AS SELECT CURRENT_TIMESTAMP() AS made_at",
    );
    const aside = await project.npm("update", "--tags", "erase");
    expect(aside.stderr).toContain("member: nothing was erased, since a run of everything was under way");
    expect(aside.exitCode).toBe(1);
    expect(await succeed(project.npm("update", "--tags", "erase", "--dry-run"))).not.toContain("erased\n");

    // A deleted user's old row is streamed in just before: BigQuery refuses to delete it, so whose rows are as new as that waits.
    const streamed = { userId: "userB", ingestTimestamp: "2024-01-01T00:00:01Z", attribute1: "again" };
    await project.client.dataset(project.dataset).table("member_updates").insert([streamed]);
    const waits = await succeed(project.npm("update", "--tags", "erase"));
    expect(waits).toContain("member: 0 updates of 0 deleted users erased; 2 more users wait for rows");
    expect(await succeed(project.npm("status"))).toContain("2 deleted users wait for the next erasing run");
    streamedMinutes = 0;
    // userB's two rows and that one, userC's first two: its third came after the delete and stays.
    const erased = await succeed(project.npm("update", "--tags", "erase"));
    expect(erased).toContain("member: 5 updates of 2 deleted users erased");
    expect(erased).not.toContain("wait");
    expect(await succeed(project.npm("status"))).not.toContain("erasing run");
    const report = JSON.parse(await succeed(project.npm("erasure", "member", "userB", "--json"))) as Record<
      string,
      unknown
    >;
    expect(report).toMatchObject({
      isErased: true,
      deletedUpTo: expect.stringMatching(/^2024-01-01 00:00:05/),
    });
    expect(await project.query("SELECT userId FROM DATASET.member_updates ORDER BY userId")).toEqual([
      { userId: "userA" },
      { userId: "userA" },
      { userId: "userC" },
    ]);

    // An old row of a deleted user that comes again changes nothing.
    await project.write(
      "late.ndjson",
      '{"userId":"userB","ingestTimestamp":"2024-01-01T00:00:02Z","attribute1":"poc"}\n',
    );
    await succeed(project.npm("load", "member", "late.ndjson"));
    await succeed(project.npm("update", "--vars=replayFrom=2024-01-01T00:00:00Z"));
    expect(await project.query(FINAL)).toEqual(AFTER);
    await succeed(project.npm("update", "--vars=rebuild=true"));
    expect(await project.query(FINAL)).toEqual(AFTER);
    await succeed(project.npm("update", "--tags", "audit", "--vars=auditShare=1"));
  });

  it("find a user whose key is BYTES, as base64, or NaN", async () => {
    const fields = [
      { name: "id", type: "BYTES" },
      { name: "ratio", type: "FLOAT64" },
      { name: "at", type: "TIMESTAMP" },
      { name: "name", type: "STRING" },
    ];
    const device = {
      name: "device",
      schema: "schemas/device.json",
      key: ["id", "ratio"],
      ingestTimestamp: "at",
      deleted: "gone",
    };
    const project = await makeProject({
      entities: [device],
      files: {
        "schemas/device.json": JSON.stringify(fields),
        "rows.ndjson":
          '{"id":"/wA=","ratio":"NaN","at":"2024-01-01T00:00:00Z","name":"x"}\n{"id":"/wA=","ratio":-0.0,"at":"2024-01-01T00:00:01Z","gone":true}\n',
      },
    });
    await succeed(project.npm("generate"));
    await succeed(project.npm("init"));
    await succeed(project.npm("load", "device", "rows.ndjson"));
    await succeed(project.npm("update"));
    const found = async (...key: string[]) =>
      JSON.parse(await succeed(project.npm("erasure", "device", ...key, "--json"))) as unknown;
    expect(await found("/wA=", "NaN")).toMatchObject({
      isErased: false,
      deletedUpTo: null,
      rows: [{ rows: 1 }, { rows: 1 }, { rows: 1 }],
    });
    // A key that cannot be read is nobody's: it must not pass for a user who is erased.
    expect(await project.npm("erasure", "device", "/wA=!", "7")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^erasure: not a key of device: .*base64/),
    });
    expect(await found("/wA=", "0")).toMatchObject({
      isErased: false,
      deletedUpTo: expect.stringMatching(/^2024-01-01 00:00:01/),
    });
    // Whose tables are listed to be dropped when deletes are no more in entities.json, are those too that remember them.
    const { deleted: _, ...without } = device;
    await project.write("entities.json", JSON.stringify({ entities: [without] }));
    expect(await succeed(project.npm("uninstall", "--plan"))).toContain(".device_tombstones`");
  });

  it("say which user to look for", async () => {
    const project = await makeProject({ entities: [member] });
    const result = await project.npm("erasure", "member");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toBe("erasure: member has 1 key column; write erasure member <userId>\n");
  });
});
