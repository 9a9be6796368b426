/**
 * `npm run soak -- [--minutes 10] [--seed N]`: every lab with its own faults, over new seeds, simulated and with real
 * processes in turn, until the time is over or a run fails. Prints the line that shows a failure again; exits 1 then.
 */
import { parseArgs } from "node:util";
import { join } from "node:path";
import { root, run } from "./lib/run.mjs";
import { SetupError, setUp } from "./setup.mjs";

/** Per lab and round; seconds of work. */
const seedsPerRound = 2000;

/** What the command exits with when it is a matter for this tool; all else is a failure. */
const exit = { pass: 0, inconclusive: 3, interrupted: 130 };

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    },
  });
  const minutes = Number(values.minutes);
  let seed = Number(values.seed);
  if (!(minutes > 0) || !Number.isSafeInteger(seed) || seed < 0) {
    console.error(
      `--minutes takes a number above 0, --seed a whole number; given: ${values.minutes} and ${values.seed}`,
    );
    return 2;
  }
  try {
    await setUp();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return 4;
  }
  const { labs } = await import("../dist/labs/index.js");
  const deadline = performance.now() + minutes * 60_000;
  let simulated = 0;
  let real = 0;
  let inconclusive = 0;
  for (; performance.now() < deadline; seed += seedsPerRound) {
    for (const { id, faults } of labs) {
      const at = ["--seed", String(seed), "--faults", faults];
      for (const args of [
        ["sim", id, ...at, "--seeds", String(seedsPerRound)],
        ["run", id, ...at],
      ]) {
        const { status, output } = await lightcone(args);
        if (status === exit.interrupted) return status;
        if (status === exit.inconclusive) inconclusive++;
        else if (status !== exit.pass) {
          console.log(`${output.trimEnd()}\n\nfailed with status ${status}: ${commandLine(args)}`);
          return 1;
        }
      }
      simulated += seedsPerRound;
      real += 1;
      console.log(
        `${id}: seeds ${seed} to ${seed + seedsPerRound - 1}, ${simulated} simulated and ${real} real runs so far`,
      );
    }
  }
  console.log(`no failure in ${simulated} simulated and ${real} real runs; inconclusive: ${inconclusive}`);
  return 0;
}

/** @param {readonly string[]} args */
function lightcone(args) {
  return run(process.execPath, [join(root, "dist/cli/main.js"), ...args], { secondsMax: 600 });
}

/** @param {readonly string[]} args */
function commandLine(args) {
  return ["lightcone", ...args.map((arg) => (/^[\w-]+$/.test(arg) ? arg : `'${arg}'`))].join(" ");
}

process.exitCode = await main();
