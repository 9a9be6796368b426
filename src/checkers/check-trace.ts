import type { EventId } from "../core/index.js";
import {
  CausalTracker,
  type Trace,
  type TraceEnd,
  type TraceEvent,
  type TraceHeader,
} from "../trace/index.js";
import type { Checker, Observer, Violation, Witness } from "./checker.js";

/** What the checkers and witnesses of a lab say of one trace. */
export interface Findings {
  readonly violations: readonly Violation[];
  readonly witnesses: readonly WitnessFinding[];
}

export interface WitnessFinding {
  readonly name: string;
  readonly claim: string;
  /** The event that shows it; absent when nothing did. */
  readonly shownBy?: EventId;
}

/** Checks a trace while it comes in, one pass for all checkers together. */
export class TraceCheck {
  readonly #tracker: CausalTracker;
  readonly #checkers: readonly Observer<readonly Violation[]>[];
  readonly #witnesses: readonly {
    readonly witness: Witness;
    readonly observer: Observer<EventId | undefined>;
  }[];

  constructor(header: TraceHeader, checkers: readonly Checker[], witnesses: readonly Witness[]) {
    this.#tracker = new CausalTracker(header.processes);
    this.#checkers = checkers.map((checker) => checker.begin(header));
    this.#witnesses = witnesses.map((witness) => ({ witness, observer: witness.begin(header) }));
  }

  observe(event: TraceEvent): void {
    this.#tracker.observe(event);
    for (const checker of this.#checkers) checker.observe(event, this.#tracker);
    for (const { observer } of this.#witnesses) observer.observe(event, this.#tracker);
  }

  finish(end: TraceEnd): Findings {
    return {
      violations: this.#checkers.flatMap((checker) => checker.finish(end)),
      witnesses: this.#witnesses.map(({ witness, observer }) => {
        const shownBy = observer.finish(end);
        return { name: witness.name, claim: witness.claim, ...(shownBy !== undefined && { shownBy }) };
      }),
    };
  }
}

/** Checks a trace that is all there. */
export function checkTrace(
  trace: Trace,
  checkers: readonly Checker[],
  witnesses: readonly Witness[],
): Findings {
  const check = new TraceCheck(trace.header, checkers, witnesses);
  for (const event of trace.events) check.observe(event);
  return check.finish(trace.end);
}
