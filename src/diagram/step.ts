import type { EventId, Instant, ProcessId } from "../core/index.js";
import type { Attempt } from "./attempts.js";
import type { Wording } from "./narration.js";
import type { PhaseChange } from "./phases.js";

/** What a process does in a step, as one glyph can say it; a later one in this list wins. */
export const MARKS = [
  "note",
  "command",
  "defer",
  "pause",
  "resume",
  "restart",
  "crash",
  "exit",
  "enter",
] as const;
export type Mark = (typeof MARKS)[number];

export interface Note {
  /** Who it is about; absent when the sentence stands alone. */
  readonly process?: ProcessId;
  readonly text: string;
}

/** Arrows one step may send off in a diagram; the rest of a burst is counted. */
export const DEPARTURE_ROWS_MAX = 6;

/** How much a step has to say: 3 changes what a lane looks like or is evidence, 2 tells, 1 repeats, 0 is not drawn. */
export type Weight = 0 | 1 | 2 | 3;

/** An input of a process with its effects, or something that befell it from outside. */
export interface Step {
  /** Its place among the steps. */
  readonly order: number;
  /** `net` for what concerns everyone. */
  readonly process: ProcessId;
  /** The event that began it. */
  readonly event: EventId;
  readonly at: Instant;
  readonly mark: Mark;
  readonly weight: Weight;
  readonly highlighted: boolean;
  /** The message whose arrival began the step, when it is worth an arrow; `copy` when it had arrived before. */
  readonly arrival: { readonly attempt: Attempt; readonly copy: boolean } | undefined;
  readonly departures: readonly Attempt[];
  /** Whether it has notes. */
  readonly speaks: boolean;
  /** What is said about it, put into words when asked: most steps of a long trace never are. */
  readonly notes: () => readonly Note[];
  readonly changes: readonly PhaseChange[];
  readonly fault: { readonly text: string; readonly phase: "begin" | "end" } | undefined;
  /** What is not drawn of it, by name: `acknowledgement`, `retransmission`. */
  readonly hidden: readonly string[];
}

export interface StepsOptions extends Wording {
  /** Events that must be shown, such as the evidence of a violation. */
  readonly highlight?: readonly EventId[];
}
