import { createPlainCodec, decodeMessage, messageHeader } from "../wire/index.js";
import { HostError } from "./errors.js";
import type { Link } from "./link.js";

/** A message as it arrived; one record serves all. */
export interface Arrived {
  /** Number of the send event at the peer. */
  send: number;
  /** The peer's clock at that event. */
  stamp: readonly number[];
  message: unknown;
}

/**
 * Reads frames of protocol messages: header, clock, payload.
 *
 * Since links are in order and lose nothing, a difference builds upon the last one that came; that both ends agree is
 * checked against the send event's own number.
 */
export class Inbox {
  readonly #header = messageHeader();
  readonly #codec = createPlainCodec();
  readonly #arrived: Arrived = { send: 0, stamp: [], message: undefined };

  /**
   * The message in `bytes` from `start` to `end`, valid until the next call; `undefined` for what is none.
   *
   * Throws `FrameError`, `DecodeError`, `ClockError` or `HostError("peer-violation")`: then the link cannot be
   * trusted any more.
   */
  read(link: Link, bytes: Uint8Array, start: number, end: number): Arrived | undefined {
    const header = this.#header;
    decodeMessage(header, bytes, start, end);
    if (header.kind === "heartbeat") return undefined;
    // A late copy of what introduced the peer, as a network of datagrams may deliver it.
    if (header.kind !== "message" && !link.inSequence) return undefined;
    if (header.kind !== "message") {
      throw new HostError("peer-violation", `${link.peer} sent a ${header.kind} where a message belongs`);
    }
    const arrived = this.#arrived;
    arrived.send = header.number;
    arrived.stamp = this.#stampOf(link);
    arrived.message = this.#codec.decode(bytes, header.payloadStart, header.payloadEnd);
    return arrived;
  }

  #stampOf(link: Link): readonly number[] {
    const { clockForm, clock: entries, number } = this.#header;
    const changed = clockForm === "changed";
    if (changed && !link.inSequence) {
      throw new HostError("peer-violation", `${link.peer} sent a difference of clocks where any may be lost`);
    }
    const stamp = link.decompressor.decode(
      changed ? { kind: "changes", since: link.lastInSequence, entries } : { kind: "whole", entries },
    );
    if (changed) link.lastInSequence = number;
    if (stamp[link.index] !== number) {
      const claimed = stamp[link.index];
      throw new HostError("peer-violation", `${link.peer} sent message ${number} with a clock of ${claimed}`);
    }
    return stamp;
  }
}
