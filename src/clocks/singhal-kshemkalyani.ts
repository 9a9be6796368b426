/*
 * Differential vector clocks: a message carries only the entries that changed since the last message to the same peer.
 *
 * The technique needs links that lose nothing and keep the order. Where that does not hold for a message (it was held
 * back and leaves after later ones, or a second copy of it does), the message carries its vector whole and stands
 * outside the sequence; where it ends for a link (a new connection, a gap), `reset` on both sides starts over.
 * Each difference names the event it builds upon, so a lost, repeated or overtaken one is refused, never misread.
 *
 * Source: M. Singhal and A. Kshemkalyani, "An efficient implementation of vector clocks", Information Processing
 * Letters 43, 1992. Ours: the name of the base, whole vectors, and that the receiver rebuilds the sender's full stamp.
 */
import { invariant } from "../core/index.js";
import { ClockError } from "./clock-error.js";
import { checkedEntry } from "./count.js";
import type { LiveVector } from "./live-vector.js";

/** A message's vector clock as it travels. */
export type EncodedStamp =
  /**
   * The entries that rose since the sender's event `since`, at which it last sent in sequence on this link; 0 stands
   * for the zero vector. `entries` is index, value, index, value …, by rising index.
   */
  | { readonly kind: "changes"; readonly since: number; readonly entries: readonly number[] }
  /** The whole vector; nothing later builds upon it. */
  | { readonly kind: "whole"; readonly entries: readonly number[] };

/** The sending side: one per process, for all of its links. Holds one count per peer (`LS` in the paper). */
export class ClockCompressor {
  readonly #live: LiveVector;
  readonly #lastSent: number[];

  constructor(live: LiveVector) {
    this.#live = live;
    this.#lastSent = Array.from({ length: live.size }, () => 0);
  }

  /**
   * The stamp of the send event that `live` has just ticked for, as the next message in sequence to `peer`.
   *
   * Call it exactly for what will arrive, in the order in which it will leave: not for a message that is dropped
   * before the link, nor for one that others may overtake ({@link encodeWhole}).
   */
  encode(peer: number): EncodedStamp {
    const since = this.#lastSent[peer];
    // The message is only built when it is needed: this runs for every send.
    if (since === undefined) invariant(false, `process ${peer} is not one of ${this.#lastSent.length}`);
    this.#lastSent[peer] = this.#live.own;
    return { kind: "changes", since, entries: this.#live.raisedSince(since) };
  }

  /**
   * The stamp of a message that leaves out of sequence, or over a link that is not FIFO and lossless: the copy of the
   * vector that was made at its send event. Leaves the sequence of every link as it is.
   */
  encodeWhole(stamp: readonly number[]): EncodedStamp {
    return { kind: "whole", entries: [...stamp] };
  }

  /** The link to `peer` starts over, at both ends: the next difference builds upon the zero vector. */
  reset(peer: number): void {
    invariant(peer in this.#lastSent, `process ${peer} is not one of ${this.#lastSent.length}`);
    this.#lastSent[peer] = 0;
  }
}

/** The receiving side: one per incoming link. Rebuilds the stamps that the sender's vector had at its send events. */
export class ClockDecompressor {
  readonly #sender: number;
  #base: number[];

  /** `processes` is their number, `sender` the place of the link's other end. */
  constructor(processes: number, sender: number) {
    invariant(sender >= 0 && sender < processes, `process ${sender} is not one of ${processes}`);
    this.#sender = sender;
    this.#base = Array.from({ length: processes }, () => 0);
  }

  /**
   * The sender's full vector at the send event; the caller's to keep.
   *
   * Throws `ClockError("clock-rejected")`, and stays as it was, for a difference that does not build upon the last
   * one (lost, repeated or overtaken), for unknown members, and for counts that fall or are none. How far an entry may
   * jump is for the receiving {@link LiveVector} to judge.
   */
  decode(stamp: EncodedStamp): number[] {
    if (stamp.kind === "whole") return this.#whole(stamp.entries);
    this.#check(stamp.since, stamp.entries);
    const { entries } = stamp;
    for (let i = 0; i < entries.length; i += 2) this.#base[entries[i] ?? 0] = entries[i + 1] ?? 0;
    return this.#base.slice();
  }

  /** The link starts over, at both ends. */
  reset(): void {
    this.#base = this.#base.map(() => 0);
  }

  #whole(entries: readonly number[]): number[] {
    if (entries.length !== this.#base.length) {
      throw new ClockError(
        "clock-rejected",
        `a stamp has ${entries.length} entries; the group has ${this.#base.length} members`,
        { entries: entries.length, members: this.#base.length },
      );
    }
    return entries.map((count, k) => checkedEntry(count, k));
  }

  #check(since: number, entries: readonly number[]): void {
    const last = this.#base[this.#sender] ?? 0;
    if (since !== last) {
      throw new ClockError(
        "clock-rejected",
        `a stamp builds upon event ${since} of its sender; the last one on this link was event ${last}`,
        { since, last },
      );
    }
    let before = -1;
    let counted = false;
    for (let i = 0; i < entries.length; i += 2) {
      const k = entries[i] ?? -1;
      const known = this.#base[k];
      if (known === undefined || k <= before) {
        throw new ClockError(
          "clock-rejected",
          `a stamp names member ${k} after ${before}; indices rise, up to ${this.#base.length - 1}`,
          { entry: k, members: this.#base.length },
        );
      }
      const count = checkedEntry(entries[i + 1], k);
      if (count <= known) {
        throw new ClockError(
          "clock-rejected",
          `entry ${k} of a stamp goes from ${known} to ${count}; it must rise`,
          {
            entry: k,
            given: count,
            known,
          },
        );
      }
      if (k === this.#sender) counted = true;
      before = k;
    }
    if (!counted) {
      throw new ClockError("clock-rejected", `a stamp counts no event of its sender after ${since}`, {
        since,
      });
    }
  }
}
