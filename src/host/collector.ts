import { closeSync, fstatSync, openSync, rmSync, writeSync } from "node:fs";
import { NETWORK, type Instant, type ProcessId } from "../core/index.js";
import {
  CausalMerger,
  TraceWriter,
  type DropReason,
  type Trace,
  type TraceEnd,
  type TraceEvent,
  type TraceHeader,
} from "../trace/index.js";
import { HostError, messageOf, safeText } from "./errors.js";

/** Events that one process may be ahead of what it waits for; reading keeps the lanes close together. */
const PENDING_MAX = 1_000_000;

// Written in pieces of this many characters; a trace of a killed run lacks the last piece and the end line.
const PIECE_LENGTH = 64 * 2 ** 10;

export interface CollectorOptions {
  readonly header: TraceHeader;
  /** Sees every event once, causes before effects. */
  readonly onEvent?: (event: TraceEvent) => void;
  /** The trace is written here as the run goes on. */
  readonly out?: string;
}

/** An event on the network's lane, which the supervisor writes. */
export type NetworkEvent =
  | {
      readonly kind: "drop";
      readonly from: ProcessId;
      readonly send: number;
      readonly to: ProcessId;
      readonly reason: DropReason;
    }
  | { readonly kind: "pause" | "resume"; readonly target: ProcessId }
  | { readonly kind: "fault"; readonly fault: string; readonly phase: "begin" | "end" };

/** Puts the events of all lanes into causal order, keeps and writes them, and knows which messages are under way. */
export class Collector implements Disposable {
  readonly #header: TraceHeader;
  readonly #onEvent: ((event: TraceEvent) => void) | undefined;
  readonly #merger: CausalMerger;
  readonly #writer = new TraceWriter();
  readonly #events: TraceEvent[] = [];
  /** By sender and number: the receiver, and how many arrivals are still to come. */
  readonly #underWay = new Map<ProcessId, Map<number, UnderWay>>();
  readonly #groups = new Map<ProcessId, Group>();
  #networkEvents = 0;
  readonly #out: string | undefined;
  #file: number | undefined;
  #piece: string;
  #bytesWritten = 0;

  /**
   * Opens the file and writes the header. `HostError("trace-not-written")` comes from here, and from every method that
   * takes events or ends the trace, when the system refuses.
   */
  constructor(options: CollectorOptions) {
    this.#header = options.header;
    this.#onEvent = options.onEvent;
    this.#merger = new CausalMerger(options.header.processes, { pendingMax: PENDING_MAX });
    for (const process of options.header.processes) this.#underWay.set(process, new Map());
    this.#out = options.out;
    this.#piece = this.#writer.header(options.header);
    if (options.out === undefined) return;
    try {
      this.#file = openSync(options.out, "w", 0o600);
    } catch (cause) {
      throw notWritten(options.out, cause, false);
    }
    this.#flush();
  }

  /** Events in causal order so far. */
  get count(): number {
    return this.#events.length;
  }

  /** Takes the next event of a lane. */
  push(event: TraceEvent): void {
    this.#follow(event);
    const group = this.#groups.get(event.process);
    if (group !== undefined && isAbout(event, group)) {
      group.faults.push(event);
      return;
    }
    this.settle(event.process);
    if (event.kind === "send") this.#groups.set(event.process, { send: event, faults: [] });
    else this.#emit(this.#merger.push(event));
  }

  /**
   * The lane has nothing more for now. A send is held back until then or until the next event of its lane, so that what
   * befell the message at its sender stands right after it, before its receipt: a reader who has seen the duplication
   * knows how many arrivals to expect.
   */
  settle(process: ProcessId): void {
    const group = this.#groups.get(process);
    if (group === undefined) return;
    this.#groups.delete(process);
    const released = this.#merger.push(group.send);
    // When the lane waits for another, the merger keeps it together by itself.
    this.#emit(released.splice(0, 1));
    for (const fault of group.faults) this.#emit(this.#merger.push(fault));
    this.#emit(released);
  }

  /** Writes an event on the network's lane. */
  network(event: NetworkEvent, at: Instant): void {
    this.push({ process: NETWORK, number: ++this.#networkEvents, at, ...event });
  }

  /** Records as lost what `from` sent to `to` up to event `number`, is not `waiting` at its sender and never arrived. */
  lost(
    from: ProcessId,
    to: ProcessId,
    number: number,
    waiting: readonly number[],
    reason: DropReason,
    at: Instant,
  ): void {
    const waits = new Set(waiting);
    for (const [send, message] of this.#underWay.get(from) ?? []) {
      if (message.to !== to || message.left < 1 || send > number || waits.has(send)) continue;
      this.network({ kind: "drop", from, send, to, reason }, at);
      this.#underWay.get(from)?.delete(send);
    }
  }

  /** Ends the trace. Says in `detail` when events had to be left out because what they wait for never came. */
  finish(end: TraceEnd): Trace {
    for (const process of this.#header.processes) this.settle(process);
    const stranded = this.#merger.flush();
    const [first] = stranded;
    const left =
      first === undefined
        ? undefined
        : `${stranded.length} events left out: ${first.event.process}:${first.event.number} waits for ${first.waitsFor}, which was never recorded`;
    const detail = [end.detail, left].filter((part) => part !== undefined).join("; ");
    const whole: TraceEnd = {
      // Of a process that was lost to something else, the rest may be lost too.
      stopped: left === undefined || end.stopped === "lost" ? end.stopped : "failed",
      ...(detail !== "" && { detail }),
    };
    if (this.#file !== undefined) {
      this.#piece += this.#writer.end(whole);
      this.#flush();
    }
    this[Symbol.dispose]();
    return { header: this.#header, events: this.#events, end: whole };
  }

  /** Nothing was run: the file goes too, unless it is something else than a file. */
  discard(): void {
    if (this.#file === undefined || this.#out === undefined) return;
    const isFile = fstatSync(this.#file).isFile();
    this[Symbol.dispose]();
    if (isFile) rmSync(this.#out, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #emit(events: readonly TraceEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      if (this.#file !== undefined) this.#write(this.#writer.event(event));
      this.#onEvent?.(event);
    }
  }

  #follow(event: TraceEvent): void {
    if (event.kind === "send") {
      // Lanes come in at different speeds: the receipt may have been seen first.
      const lane = this.#underWay.get(event.process);
      const early = lane?.get(event.number);
      if (early === undefined) lane?.set(event.number, { to: event.to, left: 1 });
      else this.#arrived(event.process, event.number, early, 1);
    } else if (event.kind === "duplicate") {
      const lane = this.#underWay.get(event.from);
      const message = lane?.get(event.send);
      if (message === undefined) lane?.set(event.send, { to: event.to, left: event.copies - 1 });
      else this.#arrived(event.from, event.send, message, event.copies - 1);
    } else if (event.kind === "receive") {
      this.#change(event.from, event.send, event.process);
    } else if (event.kind === "drop") {
      this.#change(event.from, event.send, event.to);
    }
  }

  #change(from: ProcessId, send: number, to: ProcessId): void {
    const message = this.#underWay.get(from)?.get(send);
    if (message === undefined) this.#underWay.get(from)?.set(send, { to, left: -1 });
    else this.#arrived(from, send, message, -1);
  }

  #arrived(from: ProcessId, send: number, message: UnderWay, change: number): void {
    message.left += change;
    if (message.left === 0) this.#underWay.get(from)?.delete(send);
  }

  #write(line: string): void {
    this.#piece += line;
    if (this.#piece.length >= PIECE_LENGTH) this.#flush();
  }

  #flush(): void {
    if (this.#file === undefined) return;
    const bytes = Buffer.from(this.#piece, "utf8");
    this.#piece = "";
    try {
      for (let at = 0; at < bytes.length;) {
        const written = writeSync(this.#file, bytes, at);
        at += written;
        this.#bytesWritten += written;
      }
    } catch (cause) {
      // Whoever goes on meanwhile must not leave a hole in it.
      if (this.#bytesWritten === 0) this.discard();
      else this[Symbol.dispose]();
      throw notWritten(this.#out ?? "", cause, this.#bytesWritten > 0);
    }
  }
}

function notWritten(path: string, cause: unknown, begun: boolean): HostError {
  const incomplete = begun ? "; the run was stopped, and the trace is incomplete" : "";
  return new HostError(
    "trace-not-written",
    `cannot write the trace to ${safeText(path)}: ${safeText(messageOf(cause), 500)}${incomplete}`,
    { path },
    { cause },
  );
}

/** A send, and what the faults did to its message at the sender. */
interface Group {
  readonly send: TraceEvent;
  readonly faults: TraceEvent[];
}

function isAbout(event: TraceEvent, { send }: Group): boolean {
  switch (event.kind) {
    case "drop":
    case "duplicate":
    case "hold":
      return event.send === send.number;
    default:
      return false;
  }
}

interface UnderWay {
  readonly to: ProcessId;
  /** Negative while more arrivals than sends have been seen. */
  left: number;
}
