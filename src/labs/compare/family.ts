import type { Duration, RunSettings } from "../../core/index.js";
import type { MessageRange } from "../../checkers/index.js";
import type { TraceEnd, TraceEvent, TraceHeader } from "../../trace/index.js";
import type { Lab } from "../lab.js";

/**
 * Algorithms that do the same thing, to be compared on the same work: mutual exclusion, election, broadcast. All that
 * a comparison needs to know of its subject is here, as data.
 */
export interface Family {
  /** What the user types. */
  readonly id: string;
  readonly title: string;
  /** What the algorithms are counted by: "entry". */
  readonly operation: string;
  readonly members: readonly FamilyMember[];
  /** The same for all members; the first is the one whose growth is drawn. */
  readonly loads: readonly Load[];
  /** Besides messages per operation. */
  readonly columns: readonly Column[];
  readonly trials: readonly Trial[];
  /** The lab option that says how often each process does it; absent where once is all. */
  readonly repeatedBy: string | undefined;
  /** Measures one run. */
  begin(run: TraceHeader): Meter;
}

export interface FamilyMember {
  readonly lab: Lab;
  /** Messages per operation as published, in terms of n. */
  readonly formula: string;
  /** What the formula makes of n processes. */
  readonly published: (processes: number) => number | MessageRange;
}

export interface Load {
  readonly name: string;
  /** One clause that completes "when …". */
  readonly when: string;
  /** Lab options by which the users make this load; `delay` is what every message takes. */
  options(processes: number, delay: Duration): RunSettings["options"];
}

/** A figure of a run, and what it means. */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly meaning: string;
  /** `delays`: shown in units of T, what a message takes. */
  readonly unit: "delays" | "count";
}

/** Something that goes wrong, the same for all members. */
export interface Trial {
  readonly name: string;
  readonly faults: string;
  readonly options: RunSettings["options"];
}

export interface Meter {
  observe(event: TraceEvent): void;
  finish(end: TraceEnd): Reading;
}

export interface Reading {
  readonly operations: number;
  /** The algorithms' own messages, without the upkeep of their links. */
  readonly messages: number;
  /** By {@link Column.key}; absent where nothing was there to measure. Durations in microseconds. */
  readonly values: Readonly<Record<string, number>>;
  /** Processes, at the end up, whose operation was begun and never done. */
  readonly unfinished: number;
}
