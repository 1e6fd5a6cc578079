import { createRequire } from "node:module";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeRows } from "../../../src/javascript/arguments.ts";
import type { NumberedFunction } from "../../../src/javascript/messages.ts";
import { Sandbox, SandboxError, StoppedError } from "../../../src/javascript/sandbox.ts";

const require = createRequire(import.meta.url);
let quickjs: QuickJSWASMModule;
beforeAll(async () => {
  const { default: variant } = require("@jitl/quickjs-wasmfile-release-sync") as {
    default: QuickJSSyncVariant;
  };
  quickjs = await newQuickJSWASMModuleFromVariant(variant);
});

function definition(code: string): NumberedFunction {
  return {
    number: 1,
    argumentNames: ["x"],
    argumentTypes: [{ kind: "STRING" }],
    returnType: { kind: "STRING" },
    code,
  };
}

const rows = JSON.stringify({ rows: 2, columns: [["a", null]] });

describe("a sandbox", () => {
  it("calls its function for each row", () => {
    const sandbox = new Sandbox(quickjs, definition("return x + '!'"), () => false);
    expect(sandbox.run(rows, 2)).toEqual(["a!", "null!"]);
    expect(sandbox.run(rows, 2)).toEqual(["a!", "null!"]);
    sandbox.dispose();
  });

  it.each([
    ["code that does not compile", "return 1 +"],
    ["code that fails", "throw new Error()"],
    ["code that runs", "return x"],
  ])("leaves nothing behind of %s", (_, code) => {
    const runs = (count: number): void => {
      for (let n = 0; n < count; n++) {
        try {
          // Each has some memory of its own.
          const sandbox = new Sandbox(quickjs, definition(`${code} //${" ".repeat(30_000)}`), () => false);
          try {
            sandbox.run(rows, 2);
          } finally {
            sandbox.dispose();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(SandboxError);
        }
      }
    };
    runs(20);
    const size = quickjs.getWasmMemory().buffer.byteLength;
    runs(200);
    expect(quickjs.getWasmMemory().buffer.byteLength).toBe(size);
  });

  it("tells that it was stopped", () => {
    let steps = 0;
    const sandbox = new Sandbox(quickjs, definition("for (;;) { try { for (;;) {} } catch {} }"), () => {
      steps += 1;
      return steps > 5;
    });
    expect(() => sandbox.run(rows, 2)).toThrow(StoppedError);
    sandbox.dispose();
  });
});

describe("rows for a sandbox", () => {
  it("are cut where they are large", () => {
    const large = "x".repeat(1_500_000);
    const parts = encodeRows([{ kind: "STRING" }], [[large, large, large, "a", large]], 5);
    expect(parts.map(({ count }) => count)).toEqual([3, 2]);
    expect(parts.flatMap(({ text }) => (JSON.parse(text) as { columns: unknown[][] }).columns[0])).toEqual([
      large,
      large,
      large,
      "a",
      large,
    ]);
  });

  it("may have no columns", () => {
    expect(encodeRows([], [], 3)).toEqual([{ text: '{"rows":3,"columns":[]}', count: 3 }]);
  });
});
