import { formatDuration } from "../core/index.js";
import { TraceCheck, type Findings } from "../checkers/index.js";
import { parseFaults } from "../faults/index.js";
import type { StopReason, Trace, TraceEnd, TraceEvent, TraceHeader } from "../trace/index.js";
import { FaultTally, type FaultTouch } from "./fault-tally.js";
import type { Lab } from "./lab.js";

export type VerdictKind = "pass" | "fail" | "inconclusive";

/** What a run showed. */
export interface Report extends Findings {
  readonly verdict: VerdictKind;
  /** Why it is no `pass`, a sentence each; empty when it is. */
  readonly reasons: readonly string[];
  /** How many messages or processes each planned fault touched. */
  readonly faults: readonly FaultTouch[];
  readonly events: number;
  /** Messages sent, those of links included. */
  readonly messages: number;
  readonly stopped: StopReason;
}

/**
 * Judges a run by its lab while the events come in.
 *
 * `fail`: a checker found a violation, or a process broke down by itself. `inconclusive`: no violation, but the run
 * did not show what it claims: a witness is missing, a planned fault touched nothing, or it ended before it was done.
 */
export class Judge {
  readonly #header: TraceHeader;
  readonly #check: TraceCheck;
  readonly #tally: FaultTally;
  #events = 0;
  #messages = 0;

  /** `tally` is of the header's faults; giving one spares thousands of runs of one plan from each reading it again. */
  constructor(
    lab: Lab,
    header: TraceHeader,
    tally = new FaultTally(parseFaults(header.faults, header.processes)),
  ) {
    this.#header = header;
    this.#check = new TraceCheck(header, lab.checkers, lab.witnesses);
    tally.reset();
    this.#tally = tally;
  }

  observe(event: TraceEvent): void {
    this.#events++;
    if (event.kind === "send") this.#messages++;
    this.#tally.observe(event);
    this.#check.observe(event);
  }

  finish(end: TraceEnd): Report {
    const findings = this.#check.finish(end);
    const faults = this.#tally.finish();
    const reasons = findings.violations.map((violation) => violation.message);
    const failed = reasons.length > 0 || end.stopped === "failed";
    if (end.stopped !== "quiescent") reasons.push(this.#cutShort(end));
    for (const { name, claim, outcome } of findings.checks) {
      // A run that was cut short has its reason already.
      if (outcome === "idle" && end.stopped === "quiescent") {
        reasons.push(`nothing happened by which to judge whether ${claim} (${name})`);
      }
    }
    for (const { name, claim, shownBy, outOfScope } of findings.witnesses) {
      if (shownBy === undefined && outOfScope !== true)
        reasons.push(`it did not come to it that ${claim} (${name})`);
    }
    for (const { fault, touched } of faults) {
      if (touched === 0) reasons.push(`the fault "${fault}" touched nothing`);
    }
    return {
      ...findings,
      verdict: failed ? "fail" : reasons.length > 0 ? "inconclusive" : "pass",
      reasons,
      faults,
      events: this.#events,
      messages: this.#messages,
      stopped: end.stopped,
    };
  }

  #cutShort(end: TraceEnd): string {
    const detail = end.detail === undefined ? "" : `: ${end.detail}`;
    switch (end.stopped) {
      case "time-limit":
        return `the time limit of ${formatDuration(this.#header.duration)} came before the run was done${detail}`;
      case "event-limit":
        return `the limit on steps came before the run was done${detail}`;
      case "interrupted":
        return `the run was interrupted${detail}`;
      case "lost":
        return `a participant was lost${detail}`;
      case "failed":
        return `the run broke down${detail}`;
      case "quiescent":
        return "";
    }
  }
}

/** Judges a trace that is all there. */
export function judge(lab: Lab, trace: Trace): Report {
  const judge = new Judge(lab, trace.header);
  for (const event of trace.events) judge.observe(event);
  return judge.finish(trace.end);
}
