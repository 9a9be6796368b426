import type { EventId, ProcessId } from "../core/index.js";
import { eventId, invariant, NETWORK } from "../core/index.js";
import type { TraceEvent } from "./event.js";
import { idOf } from "./event.js";
import { PENDING_EVENTS_MAX } from "./limits.js";
import { sendOf } from "./merge.js";
import { TraceError } from "./trace-error.js";

/** An event that could not be released, and the event it waited for. */
export interface Stranded {
  readonly event: TraceEvent;
  readonly waitsFor: EventId;
}

/**
 * Brings the events of a live run into causal order as they come in from several processes: each is held back until
 * the send that it names, and everything before it on its lane, was released.
 *
 * Each process's events must come in its own order, without gaps. Holds at most `pendingMax` events; one more
 * throws `TraceError("too-large")`, for a process that is that far behind is lost.
 */
export class CausalMerger {
  readonly #lanes = new Map<ProcessId, Lane>();
  readonly #pendingMax: number;
  #pending = 0;

  constructor(processes: readonly ProcessId[], options: { readonly pendingMax?: number } = {}) {
    for (const process of [...processes, NETWORK]) this.#lanes.set(process, new Lane(process));
    this.#pendingMax = options.pendingMax ?? PENDING_EVENTS_MAX;
  }

  /** How many events are held back. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Takes one event and gives all that may now come next, in causal order; empty when this one has to wait.
   *
   * Throws `TraceError`: `missing-event` when it is not the next of its process, `bad-line` when it names a process
   * that the run does not have, `too-large` when too many wait.
   */
  push(event: TraceEvent): TraceEvent[] {
    const lane = this.#lane(event.process, event);
    const cause = sendOf(event);
    const sender = cause === undefined ? undefined : this.#lane(cause.from, event);
    const expected = lane.released + lane.queued + 1;
    if (event.number !== expected) {
      throw new TraceError(
        "missing-event",
        `expected event ${eventId(lane.process, expected)}, got ${idOf(event)}`,
        {
          event: idOf(event),
        },
      );
    }
    const waits =
      lane.queued > 0 || (cause !== undefined && sender !== undefined && sender.released < cause.send);
    // What need not wait is never refused: it may be what the others wait for.
    if (waits && this.#pending >= this.#pendingMax) throw this.#tooMany(event);
    lane.enqueue(event);
    this.#pending++;
    return lane.queued === 1 ? this.#release(lane) : [];
  }

  /** Empties the merger at the end of a run: what still waits, lane by lane, can have no place in the trace. */
  flush(): Stranded[] {
    const stranded: Stranded[] = [];
    for (const lane of this.#lanes.values()) {
      for (const [place, event] of lane.drain().entries()) {
        const cause = place === 0 ? sendOf(event) : undefined;
        const waitsFor =
          cause === undefined ? eventId(event.process, event.number - 1) : eventId(cause.from, cause.send);
        stranded.push({ event, waitsFor });
      }
      lane.waiting.clear();
    }
    this.#pending = 0;
    return stranded;
  }

  /** Releases what the lane has ready, then what that was the last obstacle for, and so on. */
  #release(first: Lane): TraceEvent[] {
    const released: TraceEvent[] = [];
    const lanes = [first];
    for (let lane = lanes.pop(); lane !== undefined; lane = lanes.pop()) {
      const before = lane.released;
      for (let event = lane.next; event !== undefined; event = lane.next) {
        const cause = sendOf(event);
        const sender = cause === undefined ? undefined : this.#lane(cause.from, event);
        if (cause !== undefined && sender !== undefined && sender.released < cause.send) {
          sender.waiting.add(lane);
          break;
        }
        lane.dequeue();
        this.#pending--;
        released.push(event);
      }
      if (lane.released === before) continue;
      lanes.push(...lane.waiting);
      lane.waiting.clear();
    }
    return released;
  }

  #lane(process: ProcessId, event: TraceEvent): Lane {
    const lane = this.#lanes.get(process);
    if (lane === undefined) {
      throw new TraceError(
        "bad-line",
        `event ${idOf(event)} names ${process}, which is not a process of this run`,
        {
          event: idOf(event),
        },
      );
    }
    return lane;
  }

  #tooMany(event: TraceEvent): TraceError {
    const blocked = [...this.#lanes.values()].map((lane) => lane.next).find((next) => next !== undefined);
    const cause = blocked === undefined ? undefined : sendOf(blocked);
    const waits = cause === undefined ? "" : `, the first for ${eventId(cause.from, cause.send)}`;
    return new TraceError(
      "too-large",
      `${this.#pending} events wait for events of other processes${waits}; no room for ${idOf(event)}`,
      { pendingMax: this.#pendingMax },
    );
  }
}

/** Events of one process that wait, and how many went on. */
class Lane {
  readonly process: ProcessId;
  /** Number of the last event released. */
  released = 0;
  /** Lanes whose next event waits for a send of this one. */
  readonly waiting = new Set<Lane>();
  #queue: TraceEvent[] = [];
  #head = 0;

  constructor(process: ProcessId) {
    this.process = process;
  }

  get queued(): number {
    return this.#queue.length - this.#head;
  }

  get next(): TraceEvent | undefined {
    return this.#queue[this.#head];
  }

  enqueue(event: TraceEvent): void {
    this.#queue.push(event);
  }

  dequeue(): void {
    invariant(this.queued > 0, "only a waiting event is released");
    this.#head++;
    this.released++;
    // Moved rarely: taking from the front of a long list one by one would be quadratic.
    if (this.#head === this.#queue.length || this.#head >= 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  drain(): TraceEvent[] {
    const left = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    return left;
  }
}
