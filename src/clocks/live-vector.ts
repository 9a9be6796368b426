import { invariant } from "../core/index.js";
import { ClockError } from "./clock-error.js";
import { checkedEntry, isCount, JUMP_MAX, nextCount } from "./count.js";

/** How a {@link LiveVector} begins and what it refuses. */
export interface LiveVectorOptions {
  /** Where the counts start: after a restart, what was stored. Default: zeros. */
  readonly start?: readonly number[];
  /** How far one message may raise an entry; default {@link JUMP_MAX}. */
  readonly jumpMax?: number;
}

/**
 * The vector clock of a running process: changed in place at every event, guarded against what peers claim.
 *
 * For a process host, which stamps whatever protocol it runs; protocols use the plain vectors of `VectorClock`.
 * Also keeps, for each entry, the own event at which it last rose: what differential compression needs (`LU` in
 * M. Singhal and A. Kshemkalyani, "An efficient implementation of vector clocks", IPL 43, 1992).
 * Clock rules: C. J. Fidge 1988; F. Mattern 1989.
 */
export class LiveVector {
  /** Place of this process in the run's order of processes. */
  readonly self: number;
  readonly #counts: number[];
  readonly #raisedAt: number[];
  readonly #jumpMax: number;

  /** `processes` is their number; `self` the place of this one, from 0. */
  constructor(processes: number, self: number, options: LiveVectorOptions = {}) {
    const start = options.start ?? Array.from({ length: processes }, () => 0);
    invariant(self >= 0 && self < processes, `process ${self} is not one of ${processes}`);
    invariant(
      start.length === processes && start.every(isCount),
      `a clock of ${processes} processes cannot start at [${start.join(", ")}]`,
    );
    this.self = self;
    this.#counts = [...start];
    this.#jumpMax = options.jumpMax ?? JUMP_MAX;
    // What was known at the start counts as learned at the latest own event, so that it reaches every peer once.
    const learned = Math.max(1, this.own);
    this.#raisedAt = start.map((count) => (count > 0 ? learned : 0));
  }

  /** How many processes the vector counts. */
  get size(): number {
    return this.#counts.length;
  }

  /** Events of this process so far: the number of its latest event. */
  get own(): number {
    return this.count(this.self);
  }

  /** Events of process `k` that this one has in its causal past. */
  count(k: number): number {
    const count = this.#counts[k];
    // The message is only built when it is needed: this runs n times per message.
    if (count === undefined)
      invariant(false, `a vector of ${this.#counts.length} entries was asked for entry ${k}`);
    return count;
  }

  /** Counts one event of this process and gives its number; throws `ClockError("clock-exhausted")` at 2^53 - 1. */
  tick(): number {
    const own = nextCount(this.own);
    this.#counts[this.self] = own;
    this.#raisedAt[this.self] = own;
    return own;
  }

  /**
   * Counts the receipt of a message stamped `stamp` and takes over what its sender knew; gives the receipt's number.
   *
   * Throws as {@link check} and {@link tick} do; the clock is then unchanged.
   */
  receive(stamp: readonly number[]): number {
    this.check(stamp);
    const receipt = this.tick();
    this.#raise(stamp, receipt);
    return receipt;
  }

  /**
   * Takes over what `stamp` knows without counting an event; what it raises belongs to the event that comes next.
   * Entries never fall. Throws as {@link check} does; the clock is then unchanged.
   */
  merge(stamp: readonly number[]): void {
    this.check(stamp);
    this.#raise(stamp, this.own + 1);
  }

  /**
   * Throws `ClockError("clock-rejected")` unless a peer can honestly have sent the stamp: one count per member, none
   * more than the jump bound ahead of what is known here, and no more events of this process than it has made.
   */
  check(stamp: readonly number[]): void {
    if (stamp.length !== this.#counts.length) {
      throw new ClockError(
        "clock-rejected",
        `a stamp has ${stamp.length} entries; the group has ${this.#counts.length} members`,
        { entries: stamp.length, members: this.#counts.length },
      );
    }
    for (let k = 0; k < stamp.length; k++) {
      const theirs = checkedEntry(stamp[k], k);
      const known = this.count(k);
      if (k === this.self && theirs > known) {
        throw new ClockError(
          "clock-rejected",
          `a stamp knows ${theirs} events of this process, which has made ${known}`,
          { entry: k, given: theirs, known },
        );
      }
      if (theirs - known > this.#jumpMax) {
        throw new ClockError(
          "clock-rejected",
          `entry ${k} of a stamp is ${theirs}, which is ${theirs - known} ahead; at most ${this.#jumpMax} is believed`,
          { entry: k, given: theirs, known, jumpMax: this.#jumpMax },
        );
      }
    }
  }

  /** The counts now, as a value that later events do not change: what a message or a trace event carries. */
  copy(): number[] {
    return this.#counts.slice();
  }

  /**
   * The entries that rose after own event `since`, as index, value, index, value …, by rising index.
   *
   * `since` 0 gives every entry that is not zero.
   */
  raisedSince(since: number): number[] {
    let raised = 0;
    for (const at of this.#raisedAt) if (at > since) raised++;
    // Made at its size: a list that grows from nothing takes room for seventeen.
    const pairs = new Array<number>(2 * raised);
    for (let k = 0, i = 0; i < pairs.length; k++) {
      if ((this.#raisedAt[k] ?? 0) <= since) continue;
      pairs[i++] = k;
      pairs[i++] = this.count(k);
    }
    return pairs;
  }

  #raise(stamp: readonly number[], event: number): void {
    for (let k = 0; k < stamp.length; k++) {
      const theirs = stamp[k] ?? 0;
      if (theirs > this.count(k)) {
        this.#counts[k] = theirs;
        this.#raisedAt[k] = event;
      }
    }
  }
}
