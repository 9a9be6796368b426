import type { Trace, TraceEvent } from "../trace/index.js";
import { eventText, isUntold, type Wording } from "./narration.js";
import type { Phase } from "./phases.js";
import type { Note, Step, StepsOptions, Weight } from "./step.js";
import { StepReader, type Draft } from "./step-reader.js";

/** A trace read into steps, and which step each message arrived in. */
export interface Steps {
  readonly all: readonly Step[];
  /** The step that began with the event at a place in `trace.events`. */
  beganAt(index: number): Step | undefined;
}

/** Reads a trace into steps, each knowing what of it is worth telling. Linear in the trace. */
export function stepsOf(trace: Trace, options: StepsOptions = {}): Steps {
  const reader = new StepReader(trace, options);
  const drafts = reader.read();
  const all = drafts.map((draft) => finishStep(draft, options));
  return {
    all,
    beganAt(index) {
      const order = reader.stepAt[index] ?? -1;
      return all[order];
    },
  };
}

function finishStep(draft: Draft, wording: Wording): Step {
  const { order, process, event, at, mark, highlighted, arrival, departures, changes, fault, hidden } = draft;
  return {
    order,
    process,
    event,
    at,
    mark,
    weight: weightOf(draft),
    highlighted,
    arrival,
    departures,
    speaks: draft.said.length > 0 || draft.command !== undefined,
    notes: () => notesOf(draft, wording),
    changes,
    fault,
    hidden,
  };
}

/** Only what does not go without saying: a command where nothing follows from it, a phase that no rule announces. */
function notesOf({ said, command }: Draft, wording: Wording): Note[] {
  const explained = said
    .filter(({ event }) => event.kind === "explain")
    .map(({ event }) => eventText(event, wording));
  const told = said.filter(({ phase }) => !explained.some((text) => announces(text, phase)));
  const events = told.length === 0 && command !== undefined ? [command] : told.map(({ event }) => event);
  const worded = events.filter((event) => !isUntold(event, wording));
  return worded.map((event) => {
    const text = eventText(event, wording);
    return namesItsOwn(event) ? { text } : { process: event.process, text };
  });
}

/** What befalls a message or a process from outside says itself whom. */
function namesItsOwn({ kind }: TraceEvent): boolean {
  return kind === "pause" || kind === "resume" || kind === "drop" || kind === "duplicate" || kind === "hold";
}

/** Whether an explanation says already that the phase begins, so that saying it again would only cost a row. */
function announces(text: string, phase: Phase | undefined): boolean {
  switch (phase) {
    case "waiting":
      return /\b(ask|request|want)/i.test(text);
    case "inside":
      return /\benter/i.test(text);
    case "idle":
      return /\b(leave|exit|release)/i.test(text);
    default:
      return false;
  }
}

function weightOf(draft: Draft): Weight {
  if (draft.highlighted || draft.fault !== undefined || draft.changes.length > 0) return 3;
  if (draft.mark === "restart") return 3;
  const first = draft.departures.some(({ number }) => number === 1);
  if (first || (draft.arrival !== undefined && !draft.arrival.copy)) return 2;
  if (draft.said.length > 0 || draft.command !== undefined) return draft.hidden.length > 0 ? 1 : 2;
  return draft.arrival !== undefined || draft.departures.length > 0 ? 1 : 0;
}
