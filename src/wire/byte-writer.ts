import { FRAME_BYTES_MAX } from "./batch-format.js";
import { FrameError } from "./errors.js";

// A view for `set` costs some 90 ns and 100 bytes of garbage; a loop, 1 ns a byte.
const LOOP_BYTES_MAX = 80;

/**
 * A buffer that is written over and over: grows to what the largest frame needed, never beyond `bytesMax`.
 *
 * `bytes` from 0 to `end` is what has been written; a write may replace `bytes`.
 */
export class ByteWriter {
  bytes: Uint8Array;
  end = 0;
  readonly #bytesMax: number;
  #view: DataView;

  /** Begins with room for `bytesFirst`. */
  constructor(bytesMax = FRAME_BYTES_MAX, bytesFirst = 1024) {
    this.bytes = new Uint8Array(Math.min(bytesFirst, bytesMax));
    this.#view = new DataView(this.bytes.buffer);
    this.#bytesMax = bytesMax;
  }

  clear(): void {
    this.end = 0;
  }

  /** A copy of what has been written. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.end);
  }

  /** Makes room for `count` bytes more; throws `frame-too-long` when they would pass the limit. */
  reserve(count: number): void {
    const needed = this.end + count;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  /** Makes room for `count` bytes if the limit allows, and says for how many there is. */
  roomFor(count: number): number {
    if (this.end + count <= this.#bytesMax) this.reserve(count);
    return this.bytes.length - this.end;
  }

  byte(value: number): void {
    if (this.end === this.bytes.length) this.#grow(this.end + 1);
    this.bytes[this.end++] = value;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, lowest first: 1 byte below 128, at most 8. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    // Bit operations know 32 bits only; division takes over above them.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) this.bytes[this.end++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.end++] = (rest & 0x7f) | 0x80;
    this.bytes[this.end++] = rest;
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.reserve(end - start);
    if (start === 0 && end === bytes.length) this.bytes.set(bytes, this.end);
    else if (end - start > LOOP_BYTES_MAX) this.bytes.set(bytes.subarray(start, end), this.end);
    else for (let i = start, to = this.end; i < end; i++) this.bytes[to++] = bytes[i] as number;
    this.end += end - start;
  }

  /** Big-endian, as MessagePack wants it. */
  u16(value: number): void {
    this.reserve(2);
    this.#view.setUint16(this.end, value);
    this.end += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.end, value);
    this.end += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.end, value);
    this.end += 8;
  }

  #grow(needed: number): void {
    if (needed > this.#bytesMax) {
      throw new FrameError("frame-too-long", `a message of more than ${this.#bytesMax} bytes`, {
        bytes: needed,
        frameBytesMax: this.#bytesMax,
      });
    }
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, 2 * this.bytes.length)));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
