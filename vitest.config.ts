import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // The tests wait for processes of their own much of the time: with a file per core a quarter of the machine is idle.
    maxWorkers: availableParallelism() + 1,
  },
});
