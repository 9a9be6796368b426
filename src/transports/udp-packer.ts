import { FrameError } from "../wire/index.js";
import type { FrameReceiver } from "./transport.js";
import { type Datagram, DATAGRAM_OVERHEAD, PAYLOAD_AT, sealDatagram } from "./udp-datagram.js";

/**
 * Puts frames into datagrams: small ones share one. Each datagram has a buffer of its own, because the system reads it
 * later: a buffer that is used again meanwhile sends the wrong bytes.
 */
export class FramePacker {
  readonly #id: Uint8Array;
  readonly #datagramBytes: number;
  readonly #frameBytesMax: number;
  #full: Buffer[] = [];
  #open: Buffer | undefined;
  #end = 0;
  #queuedBytes = 0;

  /** `id` is the one that the receiver has chosen. */
  constructor(id: Uint8Array, datagramBytes: number, frameBytesMax: number) {
    this.#id = id;
    this.#datagramBytes = datagramBytes;
    this.#frameBytesMax = frameBytesMax;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Copies the frame in; throws `frame-too-long`. */
  add(frame: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#frameBytesMax) {
      throw new FrameError(
        "frame-too-long",
        `a frame of ${length} bytes; a datagram has room for ${this.#frameBytesMax}`,
        { bytes: length, frameBytesMax: this.#frameBytesMax },
      );
    }
    const needed = length + (length > 0x3fff ? 3 : length > 0x7f ? 2 : 1);
    const bytes = this.#room(needed);
    let at = this.#end;
    let rest = length;
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    bytes.set(start === 0 && end === frame.length ? frame : frame.subarray(start, end), at);
    this.#end = at + length;
    this.#queuedBytes += needed;
  }

  /** All datagrams, sealed; the packer is empty then. */
  take(): readonly Buffer[] {
    this.#seal();
    const full = this.#full;
    this.#full = [];
    this.#queuedBytes = 0;
    return full;
  }

  #room(needed: number): Buffer {
    const open = this.#open;
    if (open !== undefined && this.#end + needed + DATAGRAM_OVERHEAD - PAYLOAD_AT <= open.length) return open;
    this.#seal();
    this.#queuedBytes += DATAGRAM_OVERHEAD;
    this.#end = PAYLOAD_AT;
    return (this.#open = Buffer.allocUnsafe(Math.max(this.#datagramBytes, needed + DATAGRAM_OVERHEAD)));
  }

  #seal(): void {
    if (this.#open === undefined) return;
    this.#full.push(this.#open.subarray(0, sealDatagram(this.#open, "frames", this.#id, this.#end)));
    this.#open = undefined;
  }
}

/** Hands on the frames of a datagram while `goesOn`; throws `protocol-error` at one that reaches beyond it. */
export function unpackFrames(
  { bytes, payloadEnd }: Datagram,
  onFrame: FrameReceiver,
  goesOn: () => boolean,
): void {
  for (let at = PAYLOAD_AT; at < payloadEnd && goesOn();) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      if (at > payloadEnd || shift > 14) throw badLength();
      length |= (byte & 0x7f) << shift;
      if (byte <= 0x7f) break;
    }
    if (length > payloadEnd - at) throw badLength();
    at += length;
    onFrame(bytes, at - length, at);
  }
}

function badLength(): FrameError {
  return new FrameError("protocol-error", "a frame claims to be longer than the datagram it is in");
}
