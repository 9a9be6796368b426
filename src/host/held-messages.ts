import type { Instant } from "../core/index.js";
import { callAt, type RunClock } from "./run-clock.js";

/** A message that a fault holds back, or that waits for its link. Its frame is whole: it builds on no other. */
export interface HeldMessage {
  readonly frame: Uint8Array;
  /** Number of its send event. */
  readonly send: number;
}

/**
 * The messages of one link that faults hold back.
 *
 * A link keeps its order by the injector's rule: an arrival leaves at `max(inLine, now + after)`, where `inLine` is
 * the latest of those that are not overtakable.
 */
export class HeldMessages implements Disposable {
  readonly #clock: RunClock;
  readonly #leave: (held: HeldMessage) => void;
  readonly #line: { readonly due: Instant; readonly held: HeldMessage }[] = [];
  readonly #overtakable = new Map<Disposable, HeldMessage>();
  #head: Disposable | undefined;
  #inLine: Instant = -Infinity;

  constructor(clock: RunClock, leave: (held: HeldMessage) => void) {
    this.#clock = clock;
    this.#leave = leave;
  }

  get size(): number {
    return this.#line.length + this.#overtakable.size;
  }

  /** Numbers of their send events, in no particular order. */
  get sends(): number[] {
    return [
      ...this.#line.map(({ held }) => held.send),
      ...[...this.#overtakable.values()].map(({ send }) => send),
    ];
  }

  /** Whether a message that no fault holds back may leave at once without overtaking one that is in line. */
  get lineIsEmpty(): boolean {
    return this.#line.length === 0;
  }

  add(held: HeldMessage, due: Instant, overtakable: boolean): void {
    const at = Math.max(due, this.#inLine);
    if (overtakable) {
      const timer = callAt(this.#clock, at, () => {
        this.#overtakable.delete(timer);
        this.#leave(held);
      });
      this.#overtakable.set(timer, held);
      return;
    }
    this.#inLine = at;
    this.#line.push({ due: at, held });
    if (this.#line.length === 1) this.#arm();
  }

  #arm(): void {
    const [first] = this.#line;
    this.#head = first === undefined ? undefined : callAt(this.#clock, first.due, () => this.#leaveDue());
  }

  #leaveDue(): void {
    const now = this.#clock.read();
    let count = 0;
    for (const { due, held } of this.#line) {
      if (due > now) break;
      count++;
      this.#leave(held);
    }
    this.#line.splice(0, count);
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#head?.[Symbol.dispose]();
    for (const timer of this.#overtakable.keys()) timer[Symbol.dispose]();
    this.#overtakable.clear();
    this.#line.length = 0;
  }
}
