import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    // By itself it leaves one core idle; and half the tests wait for processes, not for a core.
    maxWorkers: availableParallelism() + 1,
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
  },
});
