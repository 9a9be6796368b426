import { UsageError, type Duration, type RunSettings } from "../core/index.js";
import type { FaultPlan } from "../faults/index.js";
import { headerOf, Simulation } from "../sim/index.js";
import { FaultTally } from "./fault-tally.js";
import { Judge, type Report, type VerdictKind } from "./judge.js";
import type { Lab } from "./lab.js";
import { simulationOf } from "./run-lab.js";

export interface SweepSettings {
  readonly lab: Lab;
  readonly reference: string;
  readonly lightcone: string;
  /** Seed and all: the sweep begins at its seed. */
  readonly settings: RunSettings;
  readonly faults: FaultPlan;
  readonly duration: Duration;
  readonly seeds: number;
}

/** What many seeds of one lab showed together. */
export interface SweepReport {
  /**
   * `fail` when any seed failed. `inconclusive` when none did, but some witness or fault was met in no seed at all, or
   * some run was cut short; a single seed may well lack a witness.
   */
  readonly verdict: VerdictKind;
  readonly seeds: number;
  /** Seeds that failed; at most the first {@link FAILURES_MAX} with their reports, all of them counted. */
  readonly failed: number;
  readonly failures: readonly { readonly seed: number; readonly report: Report }[];
  /** In how many seeds each witness was met. */
  readonly witnesses: readonly {
    readonly name: string;
    readonly claim: string;
    readonly seeds: number;
    /** Whether a run like these is expected to show it. */
    readonly expected: boolean;
  }[];
  /** In how many seeds each checker had something to judge. */
  readonly checks: readonly { readonly name: string; readonly claim: string; readonly seeds: number }[];
  /** How much each fault touched in all seeds together. */
  readonly faults: readonly { readonly fault: string; readonly touched: number }[];
  readonly cutShort: number;
  readonly events: number;
  readonly messages: number;
  readonly reasons: readonly string[];
}

export const FAILURES_MAX = 10;

/** Runs one seed after the other; a consumer that stops iterating stops the sweep. Yields the report so far. */
export function* sweep(request: SweepSettings): Generator<SweepReport, SweepReport> {
  const { lab, settings, faults, duration } = request;
  if (!Number.isSafeInteger(settings.seed + request.seeds)) {
    throw new UsageError(
      `${request.seeds} seeds from ${settings.seed} on pass 2^53 - 1, the last seed; begin lower`,
    );
  }
  const rest = { faults, duration };
  const header = headerOf(simulationOf(lab, settings, rest), {
    lab: request.reference,
    lightcone: request.lightcone,
  });
  const tally = new FaultTally(faults);
  const total = new SweepTotal(lab, request.seeds);
  for (let i = 0; i < request.seeds; i++) {
    const seed = settings.seed + i;
    const judge = new Judge(lab, { ...header, seed }, tally);
    // One seed in full strictness finds a handler that changes its state; in all of them it would cost half the speed.
    const strict = i === 0;
    const simulation = new Simulation(
      { ...simulationOf(lab, { ...settings, seed }, rest), strict },
      (event) => judge.observe(event),
    );
    const stopped = simulation.run();
    const detail = simulation.failure?.message;
    total.add(seed, judge.finish(detail === undefined ? { stopped } : { stopped, detail }));
    yield total;
  }
  return total;
}

class SweepTotal implements SweepReport {
  seeds = 0;
  failed = 0;
  cutShort = 0;
  events = 0;
  messages = 0;
  readonly failures: { seed: number; report: Report }[] = [];
  readonly witnesses: { name: string; claim: string; seeds: number; expected: boolean }[];
  checks: { name: string; claim: string; seeds: number }[] = [];
  faults: { fault: string; touched: number }[] = [];

  readonly #asked: number;

  constructor(lab: Lab, asked: number) {
    this.#asked = asked;
    this.witnesses = lab.witnesses.map(({ name, claim }) => ({ name, claim, seeds: 0, expected: false }));
  }

  get verdict(): VerdictKind {
    if (this.failed > 0) return "fail";
    return this.reasons.length > 0 ? "inconclusive" : "pass";
  }

  get reasons(): readonly string[] {
    const reasons: string[] = [];
    if (this.failed > 0) reasons.push(`${this.failed} of ${this.seeds} seeds failed`);
    if (this.seeds < this.#asked)
      reasons.push(`only ${this.seeds} of the ${this.#asked} seeds asked for were run`);
    if (this.cutShort > 0) reasons.push(`${this.cutShort} of ${this.seeds} runs were cut short by a limit`);
    for (const { name, claim, seeds } of this.checks) {
      if (seeds === 0) reasons.push(`in no seed was there anything to judge whether ${claim} (${name})`);
    }
    for (const { name, claim, seeds, expected } of this.witnesses) {
      if (seeds === 0 && expected) reasons.push(`in no seed did it come to it that ${claim} (${name})`);
    }
    for (const { fault, touched } of this.faults) {
      if (touched === 0) reasons.push(`the fault "${fault}" touched nothing in any seed`);
    }
    return reasons;
  }

  add(seed: number, report: Report): void {
    this.seeds++;
    this.events += report.events;
    this.messages += report.messages;
    if (report.stopped !== "quiescent") this.cutShort++;
    if (report.verdict === "fail") {
      this.failed++;
      if (this.failures.length < FAILURES_MAX) this.failures.push({ seed, report });
    }
    if (this.checks.length === 0) {
      this.checks = report.checks
        .filter(({ outcome }) => outcome !== "out-of-scope")
        .map(({ name, claim }) => ({ name, claim, seeds: 0 }));
    }
    for (const { name, outcome } of report.checks) {
      const check = this.checks.find((candidate) => candidate.name === name);
      if (check !== undefined && outcome !== "idle") check.seeds++;
    }
    report.witnesses.forEach(({ shownBy, outOfScope }, i) => {
      const witness = this.witnesses[i];
      if (witness === undefined) return;
      if (shownBy !== undefined) witness.seeds++;
      if (outOfScope !== true) witness.expected = true;
    });
    if (this.faults.length === 0) this.faults = report.faults.map(({ fault }) => ({ fault, touched: 0 }));
    report.faults.forEach(({ touched }, i) => {
      const fault = this.faults[i];
      if (fault !== undefined) fault.touched += touched;
    });
  }
}
