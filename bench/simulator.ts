import { performance } from "node:perf_hooks";
import { processNames, SECOND } from "../dist/core/index.js";
import { parseFaults } from "../dist/faults/index.js";
import { findLab, runSettings, simulationOf, sweep } from "../dist/labs/index.js";
import { ricartAgrawala } from "../dist/protocols/index.js";
import { Simulation } from "../dist/sim/index.js";
import type { Benchmark, Figure } from "./benchmark.js";

const SEEDS = 4_000;
const ROUNDS = 5;

/** The simulator on one core: whole checked runs, and bare steps. */
const benchmark: Benchmark = {
  name: "simulator",
  claim: "a seed sweep checks more than 2,000 runs a second; bare steps exceed 700,000 a second",

  async run(): Promise<readonly Figure[]> {
    // One after the other and the best of a few rounds: the machine's other work only ever slows one down.
    let seedsPerSecond = 0;
    let eventsPerRun = 0;
    let stepsPerSecond = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const swept = sweepOnce(round * SEEDS);
      seedsPerSecond = Math.max(seedsPerSecond, swept.seedsPerSecond);
      eventsPerRun = swept.eventsPerRun;
      stepsPerSecond = Math.max(stepsPerSecond, bareSteps(round));
    }
    return [
      {
        name: "seeds of ricart-agrawala -n 3 --entries 3, loss, duplication, reordering 10 % each, all checkers",
        value: Math.round(seedsPerSecond),
        unit: "seeds/s",
        target: "≥ 2000",
        met: seedsPerSecond >= 2_000,
      },
      { name: "events of such a run, mean", value: Math.round(eventsPerRun), unit: "events" },
      {
        name: "bare steps, no trace (ricart-agrawala -n 3, no link)",
        value: Math.round(stepsPerSecond),
        unit: "steps/s",
        target: "≥ 700000",
        met: stepsPerSecond >= 700_000,
      },
    ];
  },
};

export default benchmark;

function sweepOnce(seed: number): { seedsPerSecond: number; eventsPerRun: number } {
  const lab = findLab("ricart-agrawala");
  const processes = processNames(3);
  const settings = runSettings(lab, { processes, seed, options: { entries: 3 } });
  const faults = parseFaults("loss 10%, duplicate 10%, reorder 10%", processes);
  const request = { lab, reference: lab.id, lightcone: "bench", settings, faults, duration: 60 * SECOND };
  const started = performance.now();
  let events = 0;
  let failed = 0;
  for (const report of sweep({ ...request, seeds: SEEDS })) ({ events, failed } = report);
  if (failed > 0) throw new Error(`${failed} seeds failed; a benchmark of a broken protocol says nothing`);
  return {
    seedsPerSecond: (SEEDS / (performance.now() - started)) * 1_000,
    eventsPerRun: events / SEEDS,
  };
}

function bareSteps(seed: number): number {
  const lab = findLab("ricart-agrawala");
  const settings = runSettings(lab, {
    processes: processNames(3),
    seed,
    options: { entries: 50_000, hold: 10, think: 10 },
  });
  const simulation = new Simulation({
    ...simulationOf(lab, settings, { duration: 3_600 * SECOND }),
    protocol: ricartAgrawala,
  });
  const started = performance.now();
  simulation.run();
  return (simulation.steps / (performance.now() - started)) * 1_000;
}
