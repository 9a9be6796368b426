import {
  checkProcessNames,
  parseDuration,
  UsageError,
  formatDuration,
  unknownName,
  type Duration,
  type RunSettings,
} from "../core/index.js";
import type { FaultPlan } from "../faults/index.js";
import type { SimulationSettings } from "../sim/index.js";
import type { Lab, LabOption } from "./lab.js";

/** What a user may say about a run; everything else has a usual value. */
export interface RunRequest {
  readonly processes: readonly string[];
  readonly seed: number;
  /** By name, as text from a command line or as values. */
  readonly options?: Readonly<Record<string, number | string | boolean>>;
}

/** The settings of a run of `lab`, checked; throws a `UsageError` for what the lab cannot take. */
export function runSettings(lab: Lab, request: RunRequest): RunSettings {
  checkProcessNames(request.processes);
  const { min, max } = lab.processes;
  if (request.processes.length < min || request.processes.length > max) {
    throw new UsageError(`${lab.id} runs with ${min} to ${max} processes; ${request.processes.length} given`);
  }
  if (!Number.isSafeInteger(request.seed) || request.seed < 0) {
    throw new UsageError(`a seed is a whole number from 0 to 2^53 - 1; ${request.seed} given`);
  }
  const given = request.options ?? {};
  const known = lab.options.map((option) => option.name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw unknownName(`option of ${lab.id}`, name, known);
  }
  const options: Record<string, number | string | boolean> = {};
  for (const option of lab.options) {
    const value = given[option.name];
    options[option.name] = value === undefined ? option.usual : optionValue(option, value);
  }
  return { processes: request.processes, seed: request.seed, options };
}

/** What the simulator needs to run `lab` with these settings. */
export function simulationOf(
  lab: Lab,
  settings: RunSettings,
  rest: { readonly faults?: FaultPlan; readonly duration?: Duration } = {},
): SimulationSettings {
  return {
    ...settings,
    ...rest,
    protocol: lab.protocol(settings),
    ...(lab.user !== undefined && { user: lab.user }),
    ...(lab.latency !== undefined && { latency: lab.latency }),
  };
}

function optionValue(option: LabOption, value: number | string | boolean): number | string | boolean {
  switch (option.kind) {
    case "integer": {
      const number = typeof value === "string" && /^[0-9]+$/.test(value) ? Number(value) : value;
      if (typeof number !== "number" || !Number.isSafeInteger(number)) {
        throw new UsageError(`--${option.name} takes a whole number; "${String(value)}" given`);
      }
      return inRange(option, number, String);
    }
    case "duration": {
      const duration = typeof value === "string" ? durationOf(option, value) : value;
      if (typeof duration !== "number" || !Number.isSafeInteger(duration)) {
        throw new UsageError(
          `--${option.name} takes a duration such as 250ms or 10s; "${String(value)}" given`,
        );
      }
      return inRange(option, duration, formatDuration);
    }
    case "flag":
      if (typeof value !== "boolean")
        throw new UsageError(`--${option.name} is a flag and takes no value; "${String(value)}" given`);
      return value;
    case "text":
      return String(value);
  }
}

function durationOf(option: LabOption, text: string): Duration {
  try {
    return parseDuration(text);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`--${option.name}: ${cause.message}`, cause.facts, { cause });
  }
}

function inRange(option: LabOption, value: number, write: (value: number) => string): number {
  const { min, max } = option;
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    const range = max === undefined ? `at least ${write(min ?? 0)}` : `${write(min ?? 0)} to ${write(max)}`;
    throw new UsageError(`--${option.name} takes ${range}; ${write(value)} given`);
  }
  return value;
}
