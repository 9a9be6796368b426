import { escapeText, UsageError } from "../../core/index.js";
import {
  compare,
  findFamily,
  MESSAGE_DELAY,
  SIZE_MAX,
  type Family,
  type Measured,
  type Tried,
} from "../../labs/index.js";
import { printComparison } from "../compare-screen.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { CompareFlags } from "../program.js";
import { wholeNumber } from "../run-request.js";
import type { Terminal } from "../terminal.js";

/** Exit status 1 when a measured figure is not what is published. */
export async function compareCommand(name: string, flags: CompareFlags, terminal: Terminal): Promise<number> {
  terminal.ascii = flags.ascii === true;
  const family = findFamily(name);
  const sizes = sizesOf(flags.processes);
  const { repeatedBy } = family;
  if (flags.entries !== undefined && repeatedBy !== "entries") {
    throw new UsageError(`--entries says how often each process enters; ${family.id} has no entries`);
  }
  const times = repeatedBy === undefined ? 1 : wholeNumber("--entries", flags.entries ?? "2");
  const seed = wholeNumber("--seed", flags.seed);
  const request = {
    family,
    sizes,
    seed,
    options: repeatedBy === undefined ? {} : { [repeatedBy]: times },
    ...(flags.faults !== undefined && { faults: flags.faults }),
  };
  const measured: Measured[] = [];
  const tried: Tried[] = [];
  using interruption = new Interruption();
  for (const result of compare(request)) {
    if (result.kind === "measured") measured.push(result);
    else tried.push(result);
    terminal.progress(`${result.algorithm}, ${result.processes} processes`);
    // One long computation: signals and the terminal get their turn here.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (interruption.signal.aborted) return EXIT.interrupted;
  }
  if (flags.json) terminal.print(comparisonJson(family, seed, measured, tried));
  else printComparison({ family, sizes, times, seed, measured, tried }, terminal);
  return measured.every(({ violations }) => violations.length === 0) ? EXIT.pass : EXIT.violation;
}

function comparisonJson(
  family: Family,
  seed: number,
  measured: readonly Measured[],
  tried: readonly Tried[],
): string {
  return JSON.stringify({ family: family.id, seed, messageDelay: MESSAGE_DELAY, measured, tried });
}

/** `8`, or `2..64`: both ends and the powers of two between. */
function sizesOf(text: string): readonly number[] {
  const [, low = "", high = low] = /^(\d{1,6})(?:\.\.(\d{1,6}))?$/.exec(text) ?? [];
  if (low === "")
    throw new UsageError(`-n takes a number or a range such as 2..64; "${escapeText(text)}" given`);
  const from = Number(low);
  const to = Number(high);
  if (from > to) throw new UsageError(`-n ${text} goes down; write ${to}..${from}`);
  if (to > SIZE_MAX) throw new UsageError(`-n ${to}: a comparison takes at most ${SIZE_MAX} processes`);
  const powers = Array.from({ length: 9 }, (_, i) => 2 ** i).filter((size) => size > from && size < to);
  return [...new Set([from, ...powers, to])];
}
