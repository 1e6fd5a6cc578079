import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "local/test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // The tests wait for processes of their own much of the time: one file less than cores would leave half a machine idle.
    maxWorkers: "100%",
  },
});
