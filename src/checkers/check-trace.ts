import type { EventId } from "../core/index.js";
import {
  CausalTracker,
  type EventKind,
  type Trace,
  type TraceEnd,
  type TraceEvent,
  type TraceHeader,
} from "../trace/index.js";
import type { Checker, Observer, Violation, Witness } from "./checker.js";

/** What the checkers and witnesses of a lab say of one trace. */
export interface Findings {
  readonly violations: readonly Violation[];
  /** What became of each checker of the lab. */
  readonly checks: readonly CheckFinding[];
  readonly witnesses: readonly WitnessFinding[];
}

export interface CheckFinding {
  readonly name: string;
  readonly claim: string;
  /**
   * `out-of-scope`: it judges other runs only (its `only`). `idle`: nothing came up that it could judge, so it says
   * nothing.
   */
  readonly outcome: "holds" | "violated" | "idle" | "out-of-scope";
}

export interface WitnessFinding {
  readonly name: string;
  readonly claim: string;
  /** The event that shows it; absent when nothing did. */
  readonly shownBy?: EventId;
  /** Set where it is not expected of this run (its `only`). */
  readonly outOfScope?: true;
}

/** Checks a trace while it comes in, one pass for all checkers together. */
export class TraceCheck {
  readonly #header: TraceHeader;
  readonly #tracker: CausalTracker;
  readonly #checkers: readonly {
    readonly checker: Checker;
    /** Absent: the run is out of its scope. */
    readonly observer: Observer<readonly Violation[]> | undefined;
  }[];
  readonly #witnesses: readonly {
    readonly witness: Witness;
    readonly observer: Observer<EventId | undefined>;
  }[];
  /** Who looks at which kind: most checkers read few of the events, and showing them all costs half a sweep. */
  readonly #byKind = new Map<EventKind, Observer<unknown>[]>();
  readonly #always: Observer<unknown>[] = [];

  constructor(header: TraceHeader, checkers: readonly Checker[], witnesses: readonly Witness[]) {
    this.#header = header;
    this.#tracker = new CausalTracker(header.processes);
    this.#checkers = checkers.map((checker) => ({
      checker,
      observer:
        checker.only === undefined || checker.only.includes(header)
          ? this.#add(checker.kinds, checker.begin(header))
          : undefined,
    }));
    this.#witnesses = witnesses.map((witness) => ({
      witness,
      observer: this.#add(witness.kinds, witness.begin(header)),
    }));
  }

  observe(event: TraceEvent): void {
    this.#tracker.observe(event);
    for (const observer of this.#always) observer.observe(event, this.#tracker);
    const interested = this.#byKind.get(event.kind);
    if (interested === undefined) return;
    for (const observer of interested) observer.observe(event, this.#tracker);
  }

  finish(end: TraceEnd): Findings {
    const violations: Violation[] = [];
    const checks = this.#checkers.map(({ checker: { name, claim }, observer }): CheckFinding => {
      if (observer === undefined) return { name, claim, outcome: "out-of-scope" };
      const found = observer.finish(end);
      violations.push(...found);
      if (found.length > 0) return { name, claim, outcome: "violated" };
      return { name, claim, outcome: observer.occasions?.() === 0 ? "idle" : "holds" };
    });
    return {
      violations,
      checks,
      witnesses: this.#witnesses.map(({ witness, observer }) => {
        const shownBy = observer.finish(end);
        const expected = witness.only === undefined || witness.only.includes(this.#header);
        return {
          name: witness.name,
          claim: witness.claim,
          ...(shownBy !== undefined && { shownBy }),
          ...(!expected && { outOfScope: true }),
        };
      }),
    };
  }

  #add<Result>(kinds: readonly EventKind[] | undefined, observer: Observer<Result>): Observer<Result> {
    if (kinds === undefined) this.#always.push(observer);
    for (const kind of kinds ?? []) {
      const interested = this.#byKind.get(kind);
      if (interested === undefined) this.#byKind.set(kind, [observer]);
      else interested.push(observer);
    }
    return observer;
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
