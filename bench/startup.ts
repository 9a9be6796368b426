import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

/** What a newcomer waits for. */
const benchmark: Benchmark = {
  name: "startup",
  claim: "help is there at once, and the first verdict within seconds",

  run(): Promise<readonly Figure[]> {
    const help = median(Array.from({ length: 9 }, () => timed(process.execPath, [main, "--help"], 0)));
    const first = timed("npm", ["start", "--", "--no-studio"], 0);
    return Promise.resolve([
      {
        name: "lightcone --help, median of 9",
        value: Math.round(help),
        unit: "ms",
        target: "≤ 150",
        met: help <= 150,
      },
      {
        name: "npm start -- --no-studio, after set-up, to its verdict",
        value: Math.round(first / 100) / 10,
        unit: "s",
        target: "≤ 15",
        met: first <= 15_000,
      },
    ]);
  },
};

export default benchmark;

/** Milliseconds; throws unless it ends with `status`. */
function timed(command: string, args: readonly string[], status: number): number {
  const started = performance.now();
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 120_000 });
  const took = performance.now() - started;
  if (result.status !== status) {
    throw new Error(
      `${command} ${args.join(" ")} ended with status ${String(result.status)}: ${result.stdout}${result.stderr}`,
    );
  }
  return took;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
