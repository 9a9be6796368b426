import type { EventId, ProcessId } from "../core/index.js";
import { eventId, invariant, NETWORK, parseEventId, UsageError } from "../core/index.js";
import { tooManyClocks } from "./causal-tracker.js";
import type { Trace, TraceEvent } from "./event.js";
import { CLOCK_ENTRIES_MAX } from "./limits.js";

/** `P2:8`, or anything that has process and number, such as an event. */
export type EventName = EventId | { readonly process: ProcessId; readonly number: number };

/** How two events stand to each other under happens-before. */
export type Relation = "before" | "after" | "concurrent" | "same";

/**
 * A cut through a run: how many events of each process, counted from its first, in the header's order of processes.
 */
export type Cut = readonly number[];

/**
 * Answers every question about the causality of a finished run: happens-before, light cones, cuts, witness chains.
 *
 * Built in one causal pass; holds a clock per receive and four to eight bytes per event. Events on lane `net` have no
 * causal edges: each is concurrent with all others. Names of events that the trace does not have throw
 * {@link UsageError}.
 */
export class CausalityIndex {
  readonly processes: readonly ProcessId[];
  readonly #events: readonly TraceEvent[];
  /** Lane of each process by name; `net` comes last. */
  readonly #lanes: ReadonlyMap<ProcessId, number>;
  readonly #width: number;
  /** By lane: its first slot; slots are the events lane by lane. One more at the end. */
  readonly #starts: Int32Array;
  /** By slot: index of the event in the trace. */
  readonly #positions: Int32Array;
  /** By slot: row of the clock, which the event shares with the last receive before it. */
  readonly #rowOf: Int32Array;
  /** Row by row; row 0 is all zeros. The entry of a row's own lane is never read: it is the event's number. */
  readonly #rows: Int32Array;

  /** Throws `TraceError("too-large")` when processes × receives passes `CLOCK_ENTRIES_MAX`. */
  static of(trace: Trace): CausalityIndex {
    return new CausalityIndex(trace);
  }

  private constructor(trace: Trace) {
    const lanes = new Map<ProcessId, number>();
    for (const process of [...trace.header.processes, NETWORK]) lanes.set(process, lanes.size);
    this.processes = trace.header.processes;
    this.#events = trace.events;
    this.#lanes = lanes;
    this.#width = trace.header.processes.length;
    const { starts, receives } = measure(trace.events, lanes);
    this.#starts = starts;
    if ((receives + 1) * this.#width > CLOCK_ENTRIES_MAX) throw tooManyClocks(this.#width);
    this.#positions = new Int32Array(trace.events.length);
    this.#rowOf = new Int32Array(trace.events.length);
    this.#rows = new Int32Array((receives + 1) * this.#width);
    this.#fill();
  }

  /** How many events the process has, or lane `net`. */
  count(process: ProcessId): number {
    const lane = this.#laneOf(process);
    return at(this.#starts, lane + 1) - at(this.#starts, lane);
  }

  event(name: EventName): TraceEvent {
    const event = this.#events[this.position(name)];
    invariant(event !== undefined, "every slot holds an event");
    return event;
  }

  /** The event's index in the trace. */
  position(name: EventName): number {
    return at(this.#positions, this.#locate(name).slot);
  }

  /** Whether information could have gone from `a` to `b`. An event does not happen before itself. */
  happensBefore(a: EventName, b: EventName): boolean {
    return this.#before(this.#locate(a), this.#locate(b));
  }

  relation(a: EventName, b: EventName): Relation {
    const from = this.#locate(a);
    const to = this.#locate(b);
    if (from.slot === to.slot) return "same";
    if (this.#before(from, to)) return "before";
    return this.#before(to, from) ? "after" : "concurrent";
  }

  /**
   * The past light cone: how many events of each process lead to the event, itself included. It is the event's
   * vector clock, and a consistent cut.
   */
  past(name: EventName): number[] {
    const event = this.#locate(name);
    return this.processes.map((_, lane) => this.#known(event, lane));
  }

  /**
   * The future light cone: number of the first event of each process that the event leads to, `undefined` where none
   * does. On the event's own process that is the event itself.
   */
  future(name: EventName): (number | undefined)[] {
    const event = this.#locate(name);
    return this.processes.map((_, lane) => this.#firstKnowing(event, lane));
  }

  /** Whether the cut holds the cause of everything in it: no message is received in it and sent outside. */
  isConsistent(cut: Cut): boolean {
    this.#checkCut(cut);
    return this.processes.every((_, lane) => this.#isClosed(cut, lane));
  }

  /** The largest consistent cut inside the given one: what is left when every event without its causes is undone. */
  latestConsistentCut(within: Cut): number[] {
    this.#checkCut(within);
    const cut = [...within];
    // Undoing an event may undo what followed from it elsewhere; each round goes back to the last event that may stay.
    for (let settled = false; !settled;) {
      settled = true;
      for (let lane = 0; lane < this.#width; lane++) {
        if (this.#isClosed(cut, lane)) continue;
        cut[lane] = this.#lastClosed(cut, lane);
        settled = false;
      }
    }
    return cut;
  }

  /**
   * A chain that shows how `a` leads to `b`: `a`, then sends and their receives in turn, then `b`. Between a receive
   * and the next send lies program order. `undefined` when `a` does not happen before `b`; `[a]` when they are one.
   *
   * It has at most two events per process and goes back from `b` to the first event of each lane that knows `a`.
   */
  path(a: EventName, b: EventName): EventId[] | undefined {
    const from = this.#locate(a);
    const to = this.#locate(b);
    const start = eventId(this.#name(from.lane), from.number);
    if (from.slot === to.slot) return [start];
    if (!this.#before(from, to)) return undefined;
    const chain = [eventId(this.#name(to.lane), to.number)];
    for (let here = to; here.lane !== from.lane;) {
      const arrival = this.#firstKnowing(from, here.lane);
      invariant(
        arrival !== undefined && arrival <= here.number,
        "an event that knows another lies in its future",
      );
      const receive = this.event({ process: this.#name(here.lane), number: arrival });
      invariant(receive.kind === "receive", "only a receive brings news of another process");
      if (arrival !== here.number) chain.push(eventId(receive.process, receive.number));
      chain.push(eventId(receive.from, receive.send));
      here = this.#locate({ process: receive.from, number: receive.send });
    }
    if (chain.at(-1) !== start) chain.push(start);
    return chain.reverse();
  }

  #fill(): void {
    const width = this.#width;
    const next = this.#starts.slice();
    const current = new Int32Array(width + 1);
    let row = 0;
    for (let position = 0; position < this.#events.length; position++) {
      const event = this.#events[position];
      invariant(event !== undefined, "a trace has no holes");
      const lane = this.#laneOf(event.process);
      const slot = at(next, lane);
      if (event.number !== slot - at(this.#starts, lane) + 1) {
        invariant(
          false,
          `${event.process}:${event.number} stands where number ${slot - at(this.#starts, lane) + 1} belongs`,
        );
      }
      if (event.kind === "receive") {
        row++;
        this.#merge(row, at(current, lane), event.from, event.send, next);
        current[lane] = row;
      }
      this.#positions[slot] = position;
      this.#rowOf[slot] = at(current, lane);
      next[lane] = slot + 1;
    }
    invariant(row * width <= this.#rows.length, "every receive was counted");
  }

  /** Row `row` becomes the larger, entry by entry, of row `own` and what the send knew. */
  #merge(row: number, own: number, from: ProcessId, send: number, next: Int32Array): void {
    const width = this.#width;
    const sender = this.#laneOf(from);
    const slot = at(this.#starts, sender) + send - 1;
    if (sender === width || slot >= at(next, sender)) {
      invariant(false, `a receive names ${from}:${send}, which is no earlier send`);
    }
    const theirs = at(this.#rowOf, slot) * width;
    const ours = own * width;
    const to = row * width;
    for (let i = 0; i < width; i++) {
      const a = at(this.#rows, ours + i);
      const b = at(this.#rows, theirs + i);
      this.#rows[to + i] = a > b ? a : b;
    }
    this.#rows[to + sender] = Math.max(at(this.#rows, ours + sender), send);
  }

  #before(a: Place, b: Place): boolean {
    if (a.lane === this.#width || b.lane === this.#width || a.slot === b.slot) return false;
    return this.#known(b, a.lane) >= a.number;
  }

  /** How many events of `lane` the event knows. */
  #known(event: Place, lane: number): number {
    if (event.lane === this.#width) return 0;
    if (event.lane === lane) return event.number;
    return at(this.#rows, at(this.#rowOf, event.slot) * this.#width + lane);
  }

  /** Number of the first event on `lane` that has the event in its past. What a lane knows only grows: bisection. */
  #firstKnowing(event: Place, lane: number): number | undefined {
    if (event.lane === this.#width) return undefined;
    if (event.lane === lane) return event.number;
    const start = at(this.#starts, lane);
    const end = at(this.#starts, lane + 1);
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const known = at(this.#rows, at(this.#rowOf, middle) * this.#width + event.lane);
      if (known >= event.number) high = middle;
      else low = middle + 1;
    }
    return low === end ? undefined : low - start + 1;
  }

  #isClosed(cut: Cut, lane: number): boolean {
    return this.#isWithin(cut, lane, cut[lane] ?? 0);
  }

  /** Number of the last event on `lane`, at most the cut's, whose causes are all in the cut; 0 for none. */
  #lastClosed(cut: Cut, lane: number): number {
    let low = 0;
    let high = cut[lane] ?? 0;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#isWithin(cut, lane, middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether all that event `number` of `lane` knows of other processes is in the cut. */
  #isWithin(cut: Cut, lane: number, number: number): boolean {
    if (number === 0) return true;
    const row = at(this.#rowOf, at(this.#starts, lane) + number - 1) * this.#width;
    for (let i = 0; i < this.#width; i++) {
      if (at(this.#rows, row + i) > (cut[i] ?? 0)) return false;
    }
    return true;
  }

  #checkCut(cut: Cut): void {
    if (cut.length !== this.#width) {
      throw new UsageError(`the cut has ${cut.length} numbers; give one per process, ${this.#width}`);
    }
    for (const [lane, number] of cut.entries()) {
      const count = at(this.#starts, lane + 1) - at(this.#starts, lane);
      if (!Number.isInteger(number) || number < 0 || number > count) {
        throw new UsageError(
          `the cut has ${number} events of ${this.#name(lane)}; give a whole number from 0 to ${count}`,
        );
      }
    }
  }

  #locate(name: EventName): Place {
    const { process, number } = typeof name === "string" ? parseEventId(name) : name;
    const lane = this.#laneOf(process);
    const start = at(this.#starts, lane);
    const count = at(this.#starts, lane + 1) - start;
    if (!Number.isInteger(number) || number < 1 || number > count) {
      const has = count === 0 ? "no events" : `${process}:1 to ${process}:${count}`;
      throw new UsageError(`the trace has no event ${process}:${number}; ${process} has ${has}`);
    }
    return { lane, number, slot: start + number - 1 };
  }

  #laneOf(process: ProcessId): number {
    const lane = this.#lanes.get(process);
    if (lane !== undefined) return lane;
    throw new UsageError(
      `the trace has no process "${process}"; it has ${this.processes.slice(0, 8).join(", ")}`,
    );
  }

  #name(lane: number): ProcessId {
    return this.processes[lane] ?? NETWORK;
  }
}

interface Place {
  readonly lane: number;
  readonly number: number;
  readonly slot: number;
}

function measure(
  events: readonly TraceEvent[],
  lanes: ReadonlyMap<ProcessId, number>,
): { starts: Int32Array; receives: number } {
  const starts = new Int32Array(lanes.size + 1);
  let receives = 0;
  for (const event of events) {
    const lane = lanes.get(event.process);
    if (lane === undefined) invariant(false, `${event.process} is not a process of this run`);
    starts[lane + 1] = at(starts, lane + 1) + 1;
    if (event.kind === "receive") receives++;
  }
  for (let lane = 0; lane < lanes.size; lane++) starts[lane + 1] = at(starts, lane + 1) + at(starts, lane);
  return { starts, receives };
}

// Inside its bounds, which every caller keeps, a typed array has no holes.
function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}
