import type { EventId, Instant, ProcessId } from "../core/index.js";
import { NETWORK } from "../core/index.js";
import { idOf, isInput, type Trace, type TraceEvent } from "../trace/index.js";
import { attemptsOf, gotThrough, type Attempt } from "./attempts.js";
import { describeMessage, type Description } from "./describe.js";
import { messagePaths, type MessagePath, type MessagePaths } from "./messages.js";
import { PhaseTracker, type Phase, type PhaseChange } from "./phases.js";
import { MARKS, type Mark, type Step, type StepsOptions } from "./step.js";

/** An event to be told, and the phase it announces when it is an output. */
interface Said {
  readonly event: TraceEvent;
  readonly phase: Phase | undefined;
}

/** A step while it is being read. */
export interface Draft {
  readonly order: number;
  readonly process: ProcessId;
  readonly event: EventId;
  readonly at: Instant;
  mark: Mark;
  highlighted: boolean;
  arrival: Step["arrival"];
  command: TraceEvent | undefined;
  fault: Step["fault"];
  readonly departures: Attempt[];
  readonly said: Said[];
  readonly changes: PhaseChange[];
  readonly hidden: string[];
}

/** Reads a trace into drafts, one event at a time, in trace order. */
export class StepReader {
  /** Order of the step that the event at each place began; -1 where it began none. */
  readonly stepAt: Int32Array;
  readonly #trace: Trace;
  readonly #highlight: ReadonlySet<EventId>;
  readonly #paths: MessagePaths;
  readonly #attempts: ReadonlyMap<MessagePath, Attempt>;
  readonly #phases: PhaseTracker;
  readonly #drafts: Draft[] = [];
  readonly #current = new Map<ProcessId, Draft>();

  constructor(trace: Trace, options: StepsOptions) {
    this.stepAt = new Int32Array(trace.events.length).fill(-1);
    this.#trace = trace;
    this.#highlight = new Set(options.highlight);
    this.#paths = messagePaths(trace);
    this.#attempts = attemptsOf(trace, this.#paths, options.describe ?? describeMessage);
    this.#phases = new PhaseTracker(options.phaseOf);
  }

  read(): readonly Draft[] {
    this.#trace.events.forEach((event, index) => this.#take(event, index));
    return this.#drafts;
  }

  #take(event: TraceEvent, index: number): void {
    const highlighted = this.#highlight.size > 0 && this.#highlight.has(idOf(event));
    const change = this.#phases.observe(event);
    const step = this.#stepFor(event, index, highlighted);
    if (step === undefined) return;
    step.highlighted ||= highlighted;
    if (change !== undefined) step.changes.push(change);
    switch (event.kind) {
      case "receive":
        this.#receive(step, event, index, highlighted);
        break;
      case "send":
        this.#send(step, index, highlighted);
        break;
      case "command":
        raise(step, "command");
        step.command = event;
        break;
      case "explain":
        // Its name is the only hint a diagram has that a rule is about making somebody wait.
        raise(step, /defer|wait|block|hold/.test(event.rule) ? "defer" : "note");
        step.said.push({ event, phase: undefined });
        break;
      case "output":
        raise(step, change?.phase === "inside" ? "enter" : change?.phase === "idle" ? "exit" : "note");
        step.said.push({ event, phase: change?.phase });
        break;
      case "deliver":
        // Links hand over to the protocol inside, which is plumbing; a broadcast hands over to people.
        if (highlighted || (event.layer.includes("broadcast") && event.from !== event.process)) {
          step.said.push({ event, phase: undefined });
        }
        break;
      case "crash":
      case "restart":
        raise(step, event.kind);
        step.said.push({ event, phase: undefined });
        break;
      case "pause":
      case "resume":
        raise(step, event.kind);
        step.said.push({ event, phase: undefined });
        break;
      case "fault":
        step.fault = { text: event.fault, phase: event.phase };
        break;
      default:
        if (highlighted) step.said.push({ event, phase: undefined });
    }
  }

  #stepFor(event: TraceEvent, index: number, highlighted: boolean): Draft | undefined {
    if (event.kind === "drop" || event.kind === "duplicate" || event.kind === "hold") {
      return highlighted ? this.#begin(event.process, event, index) : undefined;
    }
    if (event.kind === "pause" || event.kind === "resume") return this.#begin(event.target, event, index);
    if (event.process === NETWORK) return this.#begin(NETWORK, event, index);
    const current = this.#current.get(event.process);
    if (current !== undefined && !isInput(event) && event.kind !== "crash") return current;
    const step = this.#begin(event.process, event, index);
    this.#current.set(event.process, step);
    return step;
  }

  #begin(process: ProcessId, event: TraceEvent, index: number): Draft {
    const order = this.#drafts.length;
    const step: Draft = {
      order,
      process,
      event: idOf(event),
      at: event.at,
      mark: "note",
      highlighted: false,
      arrival: undefined,
      command: undefined,
      fault: undefined,
      departures: [],
      said: [],
      changes: [],
      hidden: [],
    };
    this.#drafts.push(step);
    this.stepAt[index] = order;
    return step;
  }

  #receive(step: Draft, event: TraceEvent, index: number, highlighted: boolean): void {
    const attempt = this.#attemptAt(index);
    if (attempt === undefined) {
      step.said.push({ event, phase: undefined });
      return;
    }
    const { path, description } = attempt;
    const copy = attempt.firstArrival !== index;
    const byFault = path.duplicate !== undefined && index !== path.receives[0];
    if (description.chatter && !highlighted) step.hidden.push(chatterName(description));
    else if (!copy || byFault || highlighted) step.arrival = { attempt, copy };
    else step.hidden.push("copy");
  }

  #send(step: Draft, index: number, highlighted: boolean): void {
    const attempt = this.#attemptAt(index);
    if (attempt === undefined) return;
    const { path, description, number } = attempt;
    if (description.chatter && !highlighted) {
      // One that arrives is counted there.
      if (path.receives.length === 0) step.hidden.push(chatterName(description));
    } else if (number === 1 || gotThrough(attempt) || highlighted) {
      step.departures.push(attempt);
    } else {
      step.hidden.push("retransmission");
    }
  }

  #attemptAt(index: number): Attempt | undefined {
    const path = this.#paths.at(index);
    return path === undefined ? undefined : this.#attempts.get(path);
  }
}

function raise(step: Draft, mark: Mark): void {
  if (MARKS.indexOf(mark) > MARKS.indexOf(step.mark)) step.mark = mark;
}

function chatterName({ label }: Description): string {
  const word = label.split(" ", 1)[0] ?? label;
  if (word === "ack") return "acknowledgement";
  return word === "nack" ? "negative acknowledgement" : word;
}
