import type { EventId, Instant, ProcessId } from "../core/index.js";
import type { PhaseChange } from "./phases.js";
import type { Mark, Note, StepsOptions } from "./step.js";

/** A trace reduced to the rows worth showing, top to bottom; every lane keeps its own order. */
export interface Story {
  readonly processes: readonly ProcessId[];
  readonly rows: readonly StoryRow[];
  /** What no row shows, in words: `48 acknowledgements, 3 retransmissions`; empty when everything is shown. */
  readonly hidden: string;
}

export type StoryRow = ArrowRow | NoteRow | FaultRow | FoldRow | EndRow;

export interface RowBase {
  /** Microseconds on the reference axis. */
  readonly at: Instant;
  /** How lanes look from this row on. */
  readonly changes: readonly PhaseChange[];
  /** Holds an event the caller asked for. */
  readonly highlighted: boolean;
  /** What the row is about: the input that began its step, or a send of it; absent where it is about no one event. */
  readonly event: EventId | undefined;
  readonly notes: readonly Note[];
}

/** One message, or several that leave together under the same name. */
export interface ArrowRow extends RowBase {
  readonly kind: "arrow";
  readonly from: ProcessId;
  readonly label: string;
  /** Says which message it is where the label finds no room. */
  readonly short: string | undefined;
  readonly heads: readonly Head[];
  /** `now`: sent in this row. `earlier`: sent before, while others moved on. `copy`: arrived before. */
  readonly sent: "now" | "earlier" | "copy";
  /** What the process that sends, or the one that receives, does in the same step. */
  readonly mark: { readonly process: ProcessId; readonly mark: Mark } | undefined;
}

/** `later`: it arrives in a row of its own, or the run ends before. */
export interface Head {
  readonly to: ProcessId;
  readonly fate: "arrives" | "later" | "lost";
}

export interface NoteRow extends RowBase {
  readonly kind: "note";
  readonly process: ProcessId;
  readonly mark: Mark;
}

/** The network changes for everyone. */
export interface FaultRow extends RowBase {
  readonly kind: "fault";
  readonly text: string;
  readonly phase: "begin" | "end";
}

/** A stretch left out. */
export interface FoldRow extends RowBase {
  readonly kind: "fold";
  readonly text: string;
}

export interface EndRow extends RowBase {
  readonly kind: "end";
  readonly text: string;
}

/** Fewer rows than these could not hold the two ends, a fault and what is left out between. */
export const ROWS_MIN = 8;

/** Points on the reference axis, in microseconds, both included. */
export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

export interface StoryOptions extends StepsOptions {
  /** How many rows there may be; default 60, at least {@link ROWS_MIN}. */
  readonly rowsMax?: number;
  /** Tells only what happens from `from` to `to` on the reference axis, in microseconds, both included. */
  readonly range?: TimeRange;
}
