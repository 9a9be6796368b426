import type { EventId } from "../core/index.js";
import type { CausalPast, EventKind, TraceEnd, TraceEvent, TraceHeader } from "../trace/index.js";

export type { CausalPast } from "../trace/index.js";

/** What must be true of a trace. Reads it once, in order, and names its evidence. */
export interface Checker {
  /** Kebab-case; stable, printed in verdicts. */
  readonly name: string;
  /** One sentence that a violation contradicts: "no two processes are in the critical section at once". */
  readonly claim: string;
  /** The kinds of event it looks at; the others are not shown to it. Absent: all. */
  readonly kinds?: readonly EventKind[];
  /** The runs it can judge; of the others it says nothing, and a report says so. Absent: every run. */
  readonly only?: Scope;
  begin(run: TraceHeader): Observer<readonly Violation[]>;
}

/**
 * What must have happened for the run to mean anything: somebody waited, a reply was deferred. A run whose witnesses
 * are missing is inconclusive, never green.
 */
export interface Witness {
  readonly name: string;
  readonly claim: string;
  readonly kinds?: readonly EventKind[];
  /** The runs of which it is expected; others pass without it. Absent: every run. */
  readonly only?: Scope;
  /** Gives the first event that shows it, or `undefined`. */
  begin(run: TraceHeader): Observer<EventId | undefined>;
}

export interface Scope {
  /** Completes "judges only …": `runs without faults`. */
  readonly runs: string;
  includes(run: TraceHeader): boolean;
}

export interface Observer<Result> {
  /** `past` answers for `event` and whatever came before it. Called once per event of `kinds`, causes before effects. */
  observe(event: TraceEvent, past: CausalPast): void;
  finish(end: TraceEnd): Result;
  /**
   * How often there was something to judge, once finished; a claim about entries says nothing of a run without any.
   * Zero makes the run inconclusive. Absent: always something.
   */
  occasions?(): number;
}

export interface Violation {
  readonly checker: string;
  /** What happened, in words, with names and numbers; one sentence. */
  readonly message: string;
  /** The events that show it, most telling first. */
  readonly evidence: readonly EventId[];
}
