import type { ProcessId } from "../core/index.js";
import { invariant, NETWORK } from "../core/index.js";
import type { CausalPast } from "./causal-past.js";
import type { TraceEvent } from "./event.js";
import { GrowingInts } from "./growing-ints.js";
import { CLOCK_ENTRIES_MAX } from "./limits.js";
import { TraceError } from "./trace-error.js";

/**
 * Derives vector clocks while a trace is read: program order and message edges in, what each event knows out.
 *
 * Every event of a process raises that process's own entry; a receive also takes over what its send knew. Lane `net`
 * is not a process and has no causal edges: after one of its events `known` is 0 for every process.
 *
 * Events must come causes first, as any valid trace has them; a receive whose send was not observed adds nothing to
 * what its process knows. Throws `TraceError("too-large")` when processes ×
 * kept clocks passes `CLOCK_ENTRIES_MAX`. Source: F. Mattern, "Virtual Time and Global States of Distributed
 * Systems", 1989; C. Fidge, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering", 1988.
 */
export class CausalTracker implements CausalPast {
  readonly #indices = new Map<ProcessId, number>();
  readonly #width: number;
  /**
   * Row by row, `width` entries each; row 0 is all zeros. A lane's clock changes only at receives but for its own
   * entry, which is its event count, so events share rows and a row's own-lane entry is never read.
   */
  #rows: Int32Array;
  #rowCount = 1;
  /** By lane: its current row. */
  readonly #rowOf: Int32Array;
  /** By lane: 1 when a send refers to the current row, so that it may not be overwritten. */
  readonly #shared: Uint8Array;
  /** By lane: number of its last event. */
  readonly #counts: Int32Array;
  /** By lane, then number: the send's row + 1, 0 for other events. */
  readonly #sendRows: readonly GrowingInts[];
  /** Lane of the event just observed; -1 on `net` and before the first. */
  #lane = -1;

  constructor(processes: readonly ProcessId[]) {
    for (const process of processes) this.#indices.set(process, this.#indices.size);
    this.#width = processes.length;
    this.#rows = new Int32Array(this.#width * 16);
    this.#rowOf = new Int32Array(this.#width);
    this.#shared = new Uint8Array(this.#width).fill(1);
    this.#counts = new Int32Array(this.#width);
    this.#sendRows = processes.map(() => new GrowingInts());
  }

  observe(event: TraceEvent): void {
    const lane = this.#indices.get(event.process);
    if (lane === undefined) {
      if (event.process !== NETWORK) invariant(false, `${event.process} is not a process of this run`);
      this.#lane = -1;
      return;
    }
    const number = event.number;
    if (number <= at(this.#counts, lane)) {
      invariant(
        false,
        `${event.process}:${number} was observed after ${event.process}:${at(this.#counts, lane)}`,
      );
    }
    this.#lane = lane;
    this.#counts[lane] = number;
    if (event.kind === "send") {
      this.#shared[lane] = 1;
      this.#sendRows[lane]?.put(number, at(this.#rowOf, lane) + 1);
    } else if (event.kind === "receive") {
      this.#receive(lane, event.from, event.send);
    }
  }

  /** How many events of `process` are in the past of the event just observed, itself included. */
  known(process: ProcessId): number {
    const index = this.#indices.get(process);
    if (index === undefined) {
      if (process !== NETWORK) invariant(false, `${process} is not a process of this run`);
      return 0;
    }
    return this.#entry(index);
  }

  /** The derived vector clock of the event just observed, in the order of processes. */
  vector(): number[] {
    return Array.from({ length: this.#width }, (_, index) => this.#entry(index));
  }

  /**
   * Compares what a process recorded with what the trace shows: gives the derived vector when `event`, which must be
   * the one just observed, carries another; `undefined` when they agree or it carries none.
   */
  vectorMismatch(event: TraceEvent): number[] | undefined {
    const recorded = event.vector;
    if (recorded === undefined) return undefined;
    let same = recorded.length === this.#width;
    for (let i = 0; same && i < this.#width; i++) same = recorded[i] === this.#entry(i);
    return same ? undefined : this.vector();
  }

  #entry(index: number): number {
    if (this.#lane < 0) return 0;
    if (index === this.#lane) return at(this.#counts, index);
    return at(this.#rows, at(this.#rowOf, this.#lane) * this.#width + index);
  }

  #receive(lane: number, from: ProcessId, send: number): void {
    const sender = this.#indices.get(from) ?? -1;
    const sendRow = (this.#sendRows[sender]?.at(send) ?? 0) - 1;
    // A receive without its send brings no news; that it happened is for a checker to report.
    if (sendRow < 0) return;
    if (this.#shared[lane] === 1) this.#ownRow(lane);
    const width = this.#width;
    const rows = this.#rows;
    const own = at(this.#rowOf, lane) * width;
    const theirs = sendRow * width;
    for (let i = 0; i < width; i++) {
      const known = at(rows, theirs + i);
      if (known > at(rows, own + i)) rows[own + i] = known;
    }
    if (send > at(rows, own + sender)) rows[own + sender] = send;
  }

  /** Gives the lane a copy of its row that no send refers to. */
  #ownRow(lane: number): void {
    const width = this.#width;
    const needed = (this.#rowCount + 1) * width;
    if (needed > CLOCK_ENTRIES_MAX) throw tooManyClocks(width);
    if (needed > this.#rows.length) {
      const grown = new Int32Array(Math.max(needed, 2 * this.#rows.length));
      grown.set(this.#rows);
      this.#rows = grown;
    }
    const from = at(this.#rowOf, lane) * width;
    const to = this.#rowCount * width;
    for (let i = 0; i < width; i++) this.#rows[to + i] = at(this.#rows, from + i);
    this.#rowOf[lane] = this.#rowCount;
    this.#rowCount++;
    this.#shared[lane] = 0;
  }
}

/** For trackers and indices alike. */
export function tooManyClocks(processes: number): TraceError {
  return new TraceError(
    "too-large",
    `the clocks of ${processes} processes need more than ${CLOCK_ENTRIES_MAX} entries; look at a shorter run`,
    { processes, clockEntriesMax: CLOCK_ENTRIES_MAX },
  );
}

// Inside its bounds, which every caller keeps, a typed array has no holes.
function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}
