import { MILLISECOND, processNames, SECOND, unknownName, UsageError } from "../../core/index.js";
import type { Duration, RunSettings } from "../../core/index.js";
import { formatFaults, NO_FAULTS, parseFaults } from "../../faults/index.js";
import { headerOf, Simulation, type SimulationSettings } from "../../sim/index.js";
import { Judge, type Report } from "../judge.js";
import type { Lab } from "../lab.js";
import { runSettings, simulationOf } from "../run-lab.js";
import { electionFamily } from "./election-family.js";
import type { Family, FamilyMember, Load, Reading, Trial } from "./family.js";
import { mutexFamily } from "./mutex-family.js";

export const families: readonly Family[] = [mutexFamily, electionFamily];

/** The family of that id; throws a `UsageError` that names the nearest. */
export function findFamily(id: string): Family {
  const found = families.find((family) => family.id === id);
  if (found !== undefined) return found;
  throw unknownName(
    "family",
    id,
    families.map((family) => family.id),
  );
}

export interface CompareRequest {
  readonly family: Family;
  /** Numbers of processes to run with, ascending. */
  readonly sizes: readonly number[];
  readonly seed: number;
  /** Lab options that all members have, over those of the load: `entries`. */
  readonly options: RunSettings["options"];
  /** Instead of the family's own trials. */
  readonly faults?: string;
}

/** One member under one load. */
export interface Measured {
  readonly kind: "measured";
  readonly algorithm: string;
  readonly processes: number;
  readonly load: string;
  readonly formula: string;
  /** What the formula allows. */
  readonly published: { readonly min: number; readonly max: number };
  readonly messagesPerOperation: number;
  readonly operations: number;
  /** By column: durations in units of T, counts as they are. */
  readonly values: Readonly<Record<string, number>>;
  /** What its lab's checkers found, and a cost other than published; empty when all holds. */
  readonly violations: readonly string[];
}

/** One member under faults, over some seeds. */
export interface Tried {
  readonly kind: "tried";
  readonly algorithm: string;
  readonly processes: number;
  readonly trial: string;
  readonly faults: string;
  readonly runs: number;
  /** Runs in which no checker of safety found anything. */
  readonly safe: number;
  /** Runs at whose end nobody waited that was up. */
  readonly finished: number;
  readonly operations: number;
  readonly messagesPerOperation: number;
}

/** What every message takes on the perfect network of the measurements. */
export const MESSAGE_DELAY: Duration = 10 * MILLISECOND;

const TRIAL_RUNS = 20;

/** A comparison of 8 algorithms that goes beyond it would take longer than anybody waits. */
export const SIZE_MAX = 256;

/** Runs the whole family and yields each result as it comes; what cannot be run is refused before anything is. */
export function* compare(request: CompareRequest): Generator<Measured | Tried, void> {
  const { family, sizes, seed, options } = request;
  for (const size of sizes) checkSize(family, size);
  const trials: readonly Trial[] =
    request.faults === undefined
      ? family.trials
      : [{ name: "faults", faults: request.faults, options: { "max-retries": 20 } }];
  const trialSize = sizes.find((size) => size >= 4) ?? sizes.at(-1) ?? 2;
  for (const { faults } of trials) parseFaults(faults, processNames(trialSize));
  for (const { lab } of family.members) settingsOf(lab, trialSize, seed, options);

  for (const processes of sizes) {
    for (const load of family.loads) {
      for (const member of family.members) yield measure(request, member, processes, load);
    }
  }
  for (const trial of trials) {
    for (const { lab } of family.members) yield tryOut(request, lab, trialSize, trial);
  }
}

function checkSize(family: Family, processes: number): void {
  if (processes > SIZE_MAX)
    throw new UsageError(`-n ${processes}: a comparison takes at most ${SIZE_MAX} processes`);
  for (const { lab } of family.members) {
    const { min, max } = lab.processes;
    if (processes >= min && processes <= max) continue;
    throw new UsageError(`-n ${processes}: ${lab.id} runs with ${min} to ${max} processes`);
  }
}

function measure(
  { family, seed, options }: CompareRequest,
  { lab, formula, published }: FamilyMember,
  processes: number,
  load: Load,
): Measured {
  const wanted = { ...load.options(processes, MESSAGE_DELAY), ...options };
  const { reading, report } = runOnce(family, lab, {
    ...simulationOf(lab, settingsOf(lab, processes, seed, wanted), { duration: 24 * 3600 * SECOND }),
    latency: { min: MESSAGE_DELAY, max: MESSAGE_DELAY },
    stepsMax: 50_000_000,
  });
  const allowed = published(processes);
  const range = typeof allowed === "number" ? { min: allowed, max: allowed } : allowed;
  const cost = reading.operations === 0 ? 0 : reading.messages / reading.operations;
  const violations = report.violations.map(({ message }) => message);
  if (cost < range.min || cost > range.max) violations.push(`${cost} messages where ${formula} is published`);
  return {
    kind: "measured",
    algorithm: lab.id,
    processes,
    load: load.name,
    formula,
    published: range,
    messagesPerOperation: cost,
    operations: reading.operations,
    values: Object.fromEntries(
      family.columns.flatMap(({ key, unit }) => {
        const value = reading.values[key];
        if (value === undefined) return [];
        return [[key, unit === "delays" ? value / MESSAGE_DELAY : value]];
      }),
    ),
    violations,
  };
}

function tryOut({ family, seed, options }: CompareRequest, lab: Lab, processes: number, trial: Trial): Tried {
  const faults = parseFaults(trial.faults, processNames(processes));
  let safe = 0;
  let finished = 0;
  let operations = 0;
  let messages = 0;
  for (let i = 0; i < TRIAL_RUNS; i++) {
    const settings = settingsOf(lab, processes, seed + i, { ...trial.options, ...options });
    const { reading, report } = runOnce(family, lab, simulationOf(lab, settings, { faults }));
    if (report.violations.every(({ checker }) => LIVENESS.includes(checker))) safe++;
    if (reading.unfinished === 0) finished++;
    operations += reading.operations;
    messages += reading.messages;
  }
  return {
    kind: "tried",
    algorithm: lab.id,
    processes,
    trial: trial.name,
    faults: formatFaults(faults),
    runs: TRIAL_RUNS,
    safe,
    finished,
    operations,
    messagesPerOperation: operations === 0 ? 0 : messages / operations,
  };
}

/** Checkers that claim that something happens at all; the others claim that nothing wrong does. */
const LIVENESS: readonly string[] = [
  "every-request-served",
  "messages-per-entry",
  "one-leader-at-the-end",
  "messages-of-elections",
];

function runOnce(
  family: Family,
  lab: Lab,
  settings: SimulationSettings,
): { readonly reading: Reading; readonly report: Report } {
  const header = headerOf({ faults: NO_FAULTS, ...settings }, { lab: lab.id, lightcone: "comparison" });
  const judge = new Judge(lab, header);
  const meter = family.begin(header);
  const simulation = new Simulation(settings, (event) => {
    judge.observe(event);
    meter.observe(event);
  });
  const end = { stopped: simulation.run() };
  return { reading: meter.finish(end), report: judge.finish(end) };
}

/** The lab's settings with those of `wanted` that it has; not every member can be told the same. */
function settingsOf(lab: Lab, processes: number, seed: number, wanted: RunSettings["options"]): RunSettings {
  const known = Object.entries(wanted).filter(([name]) => lab.options.some((option) => option.name === name));
  return runSettings(lab, { processes: processNames(processes), seed, options: Object.fromEntries(known) });
}
