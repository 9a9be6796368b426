import { ClockCompressor, type EncodedStamp, type LiveVector } from "../clocks/index.js";
import type { Instant, ProcessId } from "../core/index.js";
import type { Arrival, Injector } from "../faults/index.js";
import { TransportError, type Connection } from "../transports/index.js";
import { ByteWriter, createPlainCodec, encodeMessage, messageHeader } from "../wire/index.js";
import type { HeldMessage } from "./held-messages.js";
import type { Journal } from "./journal.js";
import type { Link } from "./link.js";

/** Messages that faults hold back or that wait for a connection, all links together; more are dropped, recorded. */
export const WAITING_MAX = 100_000;

/** Bytes of those; more are dropped, recorded. */
export const WAITING_BYTES_MAX = 64 * 2 ** 20;

/** Bytes that one connection may still have to hand to the system; messages beyond are dropped, recorded. */
export const BUFFERED_BYTES_MAX = 16 * 2 ** 20;

/**
 * What leaves a process: stamps every message with the clock of its send event, lets the injector decide what becomes
 * of it, and holds back what waits.
 *
 * A message that leaves at once carries the difference to the last one on its connection, where that keeps the order
 * and loses nothing; any other carries its whole clock, because it builds on nothing and others may pass it.
 */
export class Outbox {
  readonly #self: ProcessId;
  readonly #live: LiveVector;
  readonly #journal: Journal;
  readonly #injector: Injector;
  readonly #compressor: ClockCompressor;
  readonly #header = messageHeader();
  readonly #frame = new ByteWriter();
  readonly #codec = createPlainCodec();
  /** The message that `#frame` ends with, and where: a broadcast is encoded once. */
  #encoded: unknown = NOTHING;
  #payloadStart = 0;
  /** A copy of its bytes, once it goes into a second frame. */
  #payload: Uint8Array | undefined;
  #waiting = 0;
  #waitingBytes = 0;

  constructor(self: ProcessId, live: LiveVector, journal: Journal, injector: Injector) {
    this.#self = self;
    this.#live = live;
    this.#journal = journal;
    this.#injector = injector;
    this.#compressor = new ClockCompressor(live);
  }

  /** Messages of all links that have not left. */
  get waiting(): number {
    return this.#waiting;
  }

  /** A new step: nothing that was encoded before is the same message any more. */
  beginStep(): void {
    this.#encoded = NOTHING;
  }

  /** Throws `UsageError` for a message that is not plain data, `FrameError` for one that is too long. */
  send(link: Link, message: unknown): void {
    const to = link.peer;
    const send = this.#journal.send(to, message);
    const verdict = this.#injector.verdict(this.#self, to, this.#journal.at);
    if (verdict.kind === "drop") {
      this.#journal.drop(to, send, verdict.reason);
      return;
    }
    const { arrivals } = verdict;
    const first = arrivals[0];
    if (arrivals.length === 1 && first?.after === 0 && !first.overtakable) {
      if (!this.#leaveAtOnce(link, send, message)) this.#keep(link, send, message, this.#live.copy(), first);
      return;
    }
    // Whatever is recorded from here on moves the clock; the message keeps the one of its send.
    const stamp = this.#live.copy();
    if (arrivals.length > 1) this.#journal.duplicate(to, send, arrivals.length);
    for (const arrival of arrivals) {
      if (arrival.held === "reorder") this.#journal.hold(to, send, arrival.after);
      this.#keep(link, send, message, stamp, arrival);
    }
  }

  /** A new connection serves the link: stamps start over, and what waited for it leaves. */
  attached(link: Link): void {
    this.#compressor.reset(link.index);
    for (const held of link.queue.splice(0)) this.release(held, link);
  }

  /** The peer has crashed: what waited for a connection to it is lost. */
  peerDown(link: Link): void {
    this.#journal.readClocks();
    for (const held of link.queue.splice(0)) {
      this.#forget(held);
      this.#journal.drop(link.peer, held.send, "crashed");
    }
  }

  /** A held message's time has come. */
  release(held: HeldMessage, link: Link): void {
    const { connection } = link;
    if (connection === undefined && !link.down) {
      link.queue.push(held);
    } else if (connection !== undefined && connection.bufferedBytes <= BUFFERED_BYTES_MAX) {
      if (this.#transmit(link, connection, held.frame, held.frame.length)) this.#forget(held);
      else link.queue.push(held);
    } else {
      this.#forget(held);
      this.#journal.readClocks();
      this.#journal.drop(link.peer, held.send, link.down ? "crashed" : "disconnected");
    }
  }

  /** Sends the message in sequence, unless something stands in its way: then false. */
  #leaveAtOnce(link: Link, send: number, message: unknown): boolean {
    const { connection } = link;
    if (connection === undefined || !link.held.lineIsEmpty || link.queue.length > 0) return false;
    if (connection.bufferedBytes > BUFFERED_BYTES_MAX) {
      this.#journal.drop(link.peer, send, "disconnected");
      return true;
    }
    const stamp = link.inSequence
      ? this.#compressor.encode(link.index)
      : this.#compressor.encodeWhole(this.#live.copy());
    this.#encode(send, stamp, message);
    return this.#transmit(link, connection, this.#frame.bytes, this.#frame.end);
  }

  /** Keeps the message until it may leave. */
  #keep(
    link: Link,
    send: number,
    message: unknown,
    stamp: readonly number[],
    { after, overtakable }: Arrival,
  ): void {
    this.#encode(send, this.#compressor.encodeWhole(stamp), message);
    if (this.#waiting >= WAITING_MAX || this.#waitingBytes + this.#frame.end > WAITING_BYTES_MAX) {
      this.#journal.drop(link.peer, send, link.down ? "crashed" : "disconnected");
      return;
    }
    const held: HeldMessage = { frame: this.#frame.copy(), send };
    this.#waiting++;
    this.#waitingBytes += held.frame.length;
    const due: Instant = this.#journal.at + after;
    if (after === 0 && !overtakable && link.held.lineIsEmpty) this.release(held, link);
    else link.held.add(held, due, overtakable);
  }

  /** Makes `#frame` the message's. */
  #encode(send: number, { kind, entries }: EncodedStamp, message: unknown): void {
    const header = this.#header;
    header.number = send;
    header.clockForm = kind === "whole" ? "full" : "changed";
    header.clock = entries;
    const frame = this.#frame;
    const again = message === this.#encoded;
    if (again) this.#payload ??= frame.bytes.slice(this.#payloadStart, frame.end);
    else this.#payload = undefined;
    frame.clear();
    encodeMessage(frame, header);
    this.#payloadStart = frame.end;
    if (this.#payload !== undefined) frame.raw(this.#payload);
    else this.#codec.encode(frame, message);
    this.#encoded = message;
  }

  /** False when the connection is over already, which its `closed` is about to tell. */
  #transmit(link: Link, connection: Connection, bytes: Uint8Array, end: number): boolean {
    try {
      connection.send(bytes, 0, end);
      link.sent++;
      return true;
    } catch (error) {
      if (!(error instanceof TransportError) || error.code !== "closed") throw error;
      link.connection = undefined;
      return false;
    }
  }

  #forget(held: HeldMessage): void {
    this.#waiting--;
    this.#waitingBytes -= held.frame.length;
  }
}

const NOTHING = Symbol("nothing encoded");
