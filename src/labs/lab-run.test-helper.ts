import type { Duration, RunSettings } from "../core/index.js";
import { processNames } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import { simulate } from "../sim/index.js";
import type { Trace } from "../trace/index.js";
import type { Lab } from "./lab.js";
import { runSettings, simulationOf } from "./run-lab.js";

export interface LabRun {
  /** Default 3. */
  readonly n?: number;
  readonly seed?: number;
  readonly options?: RunSettings["options"];
  /** In the fault language; default none. */
  readonly faults?: string;
  readonly duration?: Duration;
}

/** One simulated run of a lab, as `lightcone sim` makes it. */
export function runOf(
  lab: Lab,
  { n = 3, seed = 1, options = {}, faults = "", duration }: LabRun = {},
): Trace {
  const processes = processNames(n);
  const rest = { faults: parseFaults(faults, processes), ...(duration !== undefined && { duration }) };
  const settings = simulationOf(lab, runSettings(lab, { processes, seed, options }), rest);
  return simulate(settings, { lab: lab.id, lightcone: "0.0.0" });
}

/** So few retries, or rounds, that a run with a dead peer soon comes to its end; nothing for a lab without either. */
export function fewRetries(lab: Lab, retries: number): RunSettings["options"] {
  const has = (option: string): boolean => lab.options.some(({ name }) => name === option);
  return { ...(has("max-retries") && { "max-retries": retries }), ...(has("rounds") && { rounds: retries }) };
}
