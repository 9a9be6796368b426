import { readFile, stat } from "node:fs/promises";
import {
  parseDuration,
  processNames,
  SECOND,
  unknownName,
  UsageError,
  type Duration,
  type RunSettings,
} from "../core/index.js";
import { parseFaults, type FaultPlan } from "../faults/index.js";
import { runSettings, type Lab } from "../labs/index.js";
import { loadLab } from "./load-lab.js";
import type { RunFlags } from "./program.js";

/** A command line of `run` or `sim`, checked. */
export interface Request {
  readonly lab: Lab;
  /** What names the lab in a trace: its id, or the absolute path of its file. */
  readonly reference: string;
  readonly settings: RunSettings;
  readonly faults: FaultPlan;
  readonly duration: Duration;
}

/**
 * Reads `LAB [--option value]…` and the common flags. Everything is checked before anything starts.
 *
 * `usualFaults` says whether the lab's own faults apply when none are given.
 */
export async function readRequest(
  args: readonly string[],
  flags: RunFlags,
  defaults: { readonly usualFaults: boolean; readonly known: readonly string[] },
): Promise<Request> {
  const [reference, ...rest] = args;
  if (reference === undefined || reference.startsWith("-")) {
    throw new UsageError(
      `name the lab first, then its options: lightcone run LAB ${reference ?? ""} …`.trim(),
    );
  }
  const loaded = await loadLab(reference);
  const { lab } = loaded;
  const options = labOptions(lab, rest, defaults.known);
  const count = flags.processes === undefined ? lab.processes.usual : wholeNumber("-n", flags.processes);
  if (count < lab.processes.min || count > lab.processes.max) {
    throw new UsageError(
      `-n ${count}: ${lab.id} runs with ${lab.processes.min} to ${lab.processes.max} processes`,
    );
  }
  const seed =
    flags.seed === undefined ? Math.floor(Math.random() * 1_000_000) : wholeNumber("--seed", flags.seed);
  const settings = runSettings(lab, { processes: processNames(count), seed, options });
  // Options that cannot be together are refused here, by one process, and not by each participant.
  lab.protocol(settings);
  const faults = await readFaults(
    flags.faults ?? (defaults.usualFaults ? lab.faults : ""),
    settings.processes,
  );
  const duration = flags.duration === undefined ? 60 * SECOND : parseDuration(flags.duration);
  if (duration === 0) throw new UsageError(`--duration 0 ends before it begins; give a time such as 10s`);
  return { lab, reference: loaded.reference, settings, faults, duration };
}

/** A whole number of at most 2^53 - 1, written in digits alone. */
export function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new UsageError(`${flag} takes a whole number; "${text}" given`);
  }
  return number;
}

/** `--entries 3`, `--entries=3` and, for flags, `--loud`: what commander does not know is the lab's. */
function labOptions(
  lab: Lab,
  args: readonly string[],
  commonFlags: readonly string[],
): Readonly<Record<string, string | boolean>> {
  const known = lab.options.map((option) => `--${option.name}`);
  const options: Record<string, string | boolean> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-"))
      throw new UsageError(`"${arg}" is one argument too many; ${lab.id} takes options only`);
    const [flag, inline] = splitAtEquals(arg);
    const option = lab.options.find(({ name }) => `--${name}` === flag);
    if (option === undefined) throw unknownName("option", flag, [...known, ...commonFlags]);
    if (option.kind === "flag" && inline === undefined) options[option.name] = true;
    else {
      const value = inline ?? args[++i];
      if (value === undefined) throw new UsageError(`${flag} needs a value: ${option.summary}`);
      options[option.name] = value;
    }
  }
  return options;
}

function splitAtEquals(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at === -1 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** Fault text, or the path of a file that holds it, as text or JSON. `none` says that nothing shall go wrong. */
async function readFaults(given: string, processes: readonly string[]): Promise<FaultPlan> {
  if (given === "none") return parseFaults("", processes);
  if (!(await isFile(given))) return parseFaults(given, processes);
  const text = await readFile(given, "utf8");
  try {
    return parseFaults(text, processes);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`${given}: ${error.message}`, error.facts, { cause: error });
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  if (path === "" || path.includes("\n") || path.includes("\0")) return false;
  try {
    return (await stat(path)).isFile();
  } catch {
    // No such file, or a text that cannot be a path: then it is fault text, which has better errors of its own.
    return false;
  }
}
