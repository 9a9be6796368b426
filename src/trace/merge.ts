import type { EventId, ProcessId } from "../core/index.js";
import { canonicalJson, eventId, invariant, NETWORK } from "../core/index.js";
import type { StopReason, Trace, TraceEnd, TraceEvent, TraceHeader } from "./event.js";
import { idOf } from "./event.js";
import { EVENTS_MAX } from "./limits.js";
import { shorten, TraceError } from "./trace-error.js";
import type { ReadTrace } from "./trace-reader.js";
import { TraceRules } from "./trace-rules.js";

/**
 * Makes one trace of the files that the processes of one run wrote, each for itself, and the file of lane `net` when
 * there is one. A process without a file has no events.
 *
 * Order comes from causality alone: program order, and sends before what became of them. Clocks are not trusted;
 * `at` only chooses among events that causality allows next, the header's order of processes among equal `at`s.
 * The result depends on the files' contents and not on their order.
 *
 * Throws {@link TraceError}: `other-run` when headers disagree, `missing-send` when a message's send is in no file,
 * `bad-line` when a message names an event that is no send to its receiver, or events wait for each other.
 */
export function mergeTraces(files: readonly ReadTrace[]): Trace {
  const first = files[0];
  if (first === undefined) throw new TraceError("other-run", "there are no files to merge");
  const header = commonHeader(first, files);
  const lanes = lanesOf(header, files);
  const events = causalOrder(header, lanes);
  return { header, events, end: commonEnd(lanes) };
}

/** The send that must come before the event, beyond what program order asks. */
export function sendOf(event: TraceEvent): { readonly from: ProcessId; readonly send: number } | undefined {
  switch (event.kind) {
    case "receive":
    case "drop":
    case "duplicate":
    case "hold":
      return event;
    default:
      return undefined;
  }
}

/** One process's file and how far it has been merged. */
interface Lane {
  readonly process: ProcessId;
  readonly file: ReadTrace | undefined;
  readonly events: readonly TraceEvent[];
  /** How many of them are in the result. */
  merged: number;
  /** Lanes whose next event waits for a send of this one. */
  readonly waiting: Set<number>;
}

function commonHeader(first: ReadTrace, files: readonly ReadTrace[]): TraceHeader {
  const { process: _, ...header } = first.header;
  for (const file of files) {
    for (const key of HEADER_KEYS) {
      if (!same(first.header[key], file.header[key])) {
        throw new TraceError(
          "other-run",
          `${file.name} is of another run than ${first.name}: its "${key}" is ${shown(file.header[key])}, not ${shown(first.header[key])}`,
          { file: file.name, key },
        );
      }
    }
  }
  return header;
}

// Closed by the compiler: a header key that is added must be compared too.
const COMPARED: Readonly<Record<Exclude<keyof TraceHeader, "process">, true>> = {
  format: true,
  version: true,
  lightcone: true,
  source: true,
  lab: true,
  processes: true,
  seed: true,
  options: true,
  faults: true,
  duration: true,
  transport: true,
};
const HEADER_KEYS = Object.keys(COMPARED) as readonly (keyof typeof COMPARED)[];

function shown(value: TraceHeader[keyof typeof COMPARED]): string {
  return value === undefined ? "absent" : shorten(JSON.stringify(value));
}

function same(a: TraceHeader[keyof typeof COMPARED], b: TraceHeader[keyof typeof COMPARED]): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function lanesOf(header: TraceHeader, files: readonly ReadTrace[]): readonly Lane[] {
  const byProcess = new Map<ProcessId, ReadTrace>();
  let total = 0;
  for (const file of files) {
    const process = file.header.process;
    if (process === undefined) {
      throw new TraceError(
        "other-run",
        `${file.name} holds a whole run; only files of single processes can be merged`,
        {
          file: file.name,
        },
      );
    }
    const other = byProcess.get(process);
    if (other !== undefined) {
      throw new TraceError(
        "other-run",
        `${file.name} and ${other.name} are both of ${process}; give one of them`,
        {
          process,
        },
      );
    }
    byProcess.set(process, file);
    total += file.events.length;
  }
  if (total > EVENTS_MAX) {
    throw new TraceError("too-large", `the files have ${total} events; a trace has at most ${EVENTS_MAX}`, {
      total,
    });
  }
  return [...header.processes, NETWORK].map((process) => {
    const file = byProcess.get(process);
    return { process, file, events: file?.events ?? [], merged: 0, waiting: new Set() };
  });
}

function causalOrder(header: TraceHeader, lanes: readonly Lane[]): readonly TraceEvent[] {
  const indices = new Map(lanes.map((lane, index) => [lane.process, index]));
  const rules = new TraceRules(header);
  const ready = new ReadyLanes(lanes);
  const events: TraceEvent[] = [];
  const offer = (index: number): void => {
    const lane = laneAt(lanes, index);
    const next = lane.events[lane.merged];
    if (next === undefined) return;
    const cause = sendOf(next);
    const sender = cause === undefined ? undefined : lanes[indices.get(cause.from) ?? -1];
    if (cause !== undefined && sender !== undefined && sender.merged < cause.send) sender.waiting.add(index);
    else ready.add(index);
  };
  for (let index = 0; index < lanes.length; index++) offer(index);
  for (let index = ready.take(); index !== undefined; index = ready.take()) {
    const lane = laneAt(lanes, index);
    const event = lane.events[lane.merged];
    invariant(event !== undefined, "a ready lane has a next event");
    const problem = rules.problem(event);
    if (problem !== undefined) {
      throw new TraceError(
        "bad-line",
        `${lane.file?.name ?? lane.process}, event ${idOf(event)}: ${problem}`,
        {
          event: idOf(event),
        },
      );
    }
    events.push(event);
    lane.merged++;
    const waiting = [...lane.waiting];
    lane.waiting.clear();
    for (const other of waiting) offer(other);
    offer(index);
  }
  const stuck = lanes.filter((lane) => lane.merged < lane.events.length);
  if (stuck.length > 0) throw stuckError(stuck, new Map(lanes.map((lane) => [lane.process, lane])));
  return events;
}

function stuckError(stuck: readonly Lane[], lanes: ReadonlyMap<ProcessId, Lane>): TraceError {
  const missing: {
    readonly event: EventId;
    readonly kind: string;
    readonly send: EventId;
    readonly why: string;
  }[] = [];
  for (const lane of stuck) {
    const event = lane.events[lane.merged];
    const cause = event === undefined ? undefined : sendOf(event);
    if (event === undefined || cause === undefined) continue;
    const sender = lanes.get(cause.from);
    if (sender !== undefined && cause.send <= sender.events.length) continue;
    const why =
      sender?.file === undefined
        ? `there is no file of ${cause.from}`
        : `${sender.file.name} ends at ${cause.from}:${sender.events.length}`;
    missing.push({ event: idOf(event), kind: event.kind, send: eventId(cause.from, cause.send), why });
  }
  if (missing.length === 0) {
    const names = stuck.map((lane) => eventId(lane.process, lane.merged + 1));
    return new TraceError(
      "bad-line",
      `events wait for each other, which no run can do: ${names.slice(0, 8).join(", ")}`,
      {
        events: names,
      },
    );
  }
  const shown = missing
    .slice(0, 3)
    .map(({ event, kind, send, why }) => `${event} (${kind}) needs the send ${send}, but ${why}`);
  const more = missing.length > shown.length ? `; and ${missing.length - shown.length} more` : "";
  return new TraceError("missing-send", `${shown.join("; ")}${more}`, { missing });
}

/** The end of `net`, whose file the supervisor writes; without it the gravest of the others. */
function commonEnd(lanes: readonly Lane[]): TraceEnd {
  const net = lanes.at(-1)?.file;
  if (net?.complete === true) return net.end;
  let gravest: TraceEnd = { stopped: "quiescent" };
  for (const { process, file } of lanes) {
    if (file === undefined || GRAVITY[file.end.stopped] <= GRAVITY[gravest.stopped]) continue;
    gravest = { stopped: file.end.stopped, detail: `${process}: ${file.end.detail ?? file.end.stopped}` };
  }
  return gravest;
}

const GRAVITY: Readonly<Record<StopReason, number>> = {
  quiescent: 0,
  "event-limit": 1,
  "time-limit": 2,
  interrupted: 3,
  lost: 4,
  failed: 5,
};

/** Lanes whose next event may come now, earliest `at` first, then in lane order: a binary heap. */
class ReadyLanes {
  readonly #lanes: readonly Lane[];
  readonly #heap: number[] = [];

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  add(lane: number): void {
    let child = this.#heap.length;
    this.#heap.push(lane);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#precedes(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  take(): number | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return top;
    this.#heap[0] = last;
    for (let parent = 0; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.#heap.length && this.#precedes(child, least)) least = child;
      }
      if (least === parent) return top;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #precedes(a: number, b: number): boolean {
    const laneA = this.#heap[a] ?? 0;
    const laneB = this.#heap[b] ?? 0;
    const difference = this.#at(laneA) - this.#at(laneB);
    return difference === 0 ? laneA < laneB : difference < 0;
  }

  #at(index: number): number {
    const lane = laneAt(this.#lanes, index);
    return lane.events[lane.merged]?.at ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a] ?? 0;
    this.#heap[a] = this.#heap[b] ?? 0;
    this.#heap[b] = held;
  }
}

function laneAt(lanes: readonly Lane[], index: number): Lane {
  const lane = lanes[index];
  invariant(lane !== undefined, `lane ${index} exists`);
  return lane;
}
