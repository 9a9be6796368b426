/**
 * `npm run bench -- NAME [--json]`: measures one claim of `bench/` on this machine; without a name, lists them.
 * Exits 2 for a name that does not exist; figures that miss their target are shown, and are no failure.
 */
import { readdirSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { programs, root, run, runTool } from "./lib/run.mjs";
import { table } from "./lib/table.mjs";
import { SetupError, setUp } from "./setup.mjs";

/** @typedef {import("../bench/benchmark.js").Benchmark} Benchmark */

async function main() {
  const given = process.argv.slice(2);
  const json = given.includes("--json");
  const names = given.filter((argument) => argument !== "--json");
  const [name] = names;
  try {
    await setUp((line) => console.error(line));
    const compiled = await runTool(programs.tsc, ["-b", "bench"]);
    if (compiled.status !== 0) throw new SetupError(`bench does not compile:\n${compiled.output}`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return 4;
  }
  const known = benchmarkNames();
  if (name === undefined) {
    const rows = await Promise.all(known.map(async (each) => [each, (await load(each)).claim]));
    console.log(table(["benchmark", "claim"], rows));
    return 0;
  }
  if (names.length > 1) {
    console.error(`one benchmark at a time, as they disturb each other; given: ${names.join(", ")}`);
    return 2;
  }
  if (!known.includes(name)) {
    const { unknownName } = await import("../dist/core/index.js");
    console.error(unknownName("benchmark", name, known).message);
    return 2;
  }
  await measure(await load(name), json);
  return 0;
}

/** @param {Benchmark} benchmark @param {boolean} json */
async function measure(benchmark, json) {
  const figures = await benchmark.run();
  const { name, claim } = benchmark;
  const place = { machine: machine(), node: process.versions.node, commit: await commit() };
  if (json) {
    const keyed = Object.fromEntries(
      figures.flatMap(({ key, value }) => (key === undefined ? [] : [[key, value]])),
    );
    console.log(JSON.stringify({ name, claim, ...keyed, figures, ...place }));
    return;
  }
  console.log(`${name}: ${claim}\n`);
  console.log(
    table(
      ["figure", "value", "target", "met"],
      figures.map(({ name: figure, value, unit, target, met }) => [
        figure,
        `${written(value)} ${unit}`,
        target ?? "",
        met === undefined ? "" : met ? "yes" : "NO",
      ]),
    ),
  );
  console.log(`\n${place.machine}, Node ${place.node}, commit ${place.commit}`);
}

/** Files directly in `bench/`; what they share is in folders, and in `benchmark.ts`. */
function benchmarkNames() {
  return readdirSync(join(root, "bench"))
    .filter((file) => file.endsWith(".ts") && file !== "benchmark.ts")
    .map((file) => file.slice(0, -".ts".length))
    .toSorted();
}

/** @param {string} name @returns {Promise<Benchmark>} */
async function load(name) {
  return (await import(pathToFileURL(join(root, ".bench", `${name}.js`)).href)).default;
}

/** Three digits that count, and thousands apart: 1,520,000; 71.4; 0.0123. @param {number} value */
function written(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function machine() {
  const processors = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} × ${processors[0]?.model.trim() ?? arch()}, ${gigabytes} GiB, ${platform()} ${release()}`;
}

/** With "+" when the tree has changes that are not committed. */
async function commit() {
  const head = await run("git", ["rev-parse", "--short", "HEAD"]);
  if (head.status !== 0) return "unknown";
  const { stdout } = await run("git", ["status", "--porcelain", "--untracked-files=no"]);
  return head.stdout.trim() + (stdout === "" ? "" : "+");
}

process.exitCode = await main();
