import type { BatchOptions } from "./batch-encoder.js";
import {
  checkPayload,
  FRAME_BYTES_MAX,
  HEADER_BYTES,
  isGoodbye,
  LENGTH_BYTES_MAX,
  readGoodbye,
  readHeader,
} from "./batch-format.js";
import { CHUNK_BYTES, ChunkPool } from "./chunk-pool.js";
import type { Crc32 } from "./crc32.js";
import { crc32 } from "./crc32.js";
import { FrameError } from "./errors.js";

/** `bytes.subarray(start, end)` is a frame, for the length of the call: copy what must stay. */
export type FrameSink = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Turns a stream of bytes, cut anywhere, back into frames. Never hands on a frame whose batch fails its checksum.
 *
 * A batch that lies whole in one chunk is parsed where it is; the rest of a cut one is kept in a buffer that grows
 * with what has really arrived, never with what was announced. Time is linear in the bytes, however they are cut.
 */
export class BatchDecoder {
  /** Why the peer ended the connection early, once it has said so. */
  goodbye: string | undefined;
  readonly #frameBytesMax: number;
  readonly #crc32: Crc32;
  readonly #pool: ChunkPool;
  /** The cut batch: its first `#held` bytes. Once the header is there, `#total` is its whole length. */
  #buffer: Uint8Array = NOTHING;
  #held = 0;
  #total = 0;
  #stopped = false;

  constructor(options: BatchOptions = {}) {
    this.#frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
    this.#crc32 = options.crc32 ?? crc32;
    this.#pool = options.pool ?? new ChunkPool();
  }

  /** Bytes of an unfinished batch; 0 between batches. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Memory that the unfinished batch occupies. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  /** Nothing is handed on from here, not even the rest of the present chunk. */
  stop(): void {
    // The buffer is not given back: this may be called while somebody reads a frame in it.
    this.#stopped = true;
  }

  /**
   * Takes the next bytes of the stream. Throws {@link FrameError} at the first wrong batch, and whatever `sink`
   * throws; is stopped then.
   */
  push(chunk: Uint8Array, start: number, end: number, sink: FrameSink): void {
    try {
      let at = start;
      while (this.#held > 0 && at < end && !this.#stopped) at = this.#complete(chunk, at, end, sink);
      while (end - at >= HEADER_BYTES && !this.#stopped) {
        const batchEnd = at + HEADER_BYTES + readHeader(chunk, at, this.#payloadBytesMax);
        if (batchEnd > end) break;
        this.#deliver(chunk, at, batchEnd, sink);
        at = batchEnd;
      }
      if (at < end && !this.#stopped) this.#complete(chunk, at, end, sink);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  get #payloadBytesMax(): number {
    return this.#frameBytesMax + LENGTH_BYTES_MAX;
  }

  /** Moves bytes of `chunk` into the buffer until header or batch are whole; returns where it stopped. */
  #complete(chunk: Uint8Array, start: number, end: number, sink: FrameSink): number {
    const wanted = this.#held < HEADER_BYTES ? HEADER_BYTES : this.#total;
    const taken = Math.min(end - start, wanted - this.#held);
    this.#reserve(this.#held + taken);
    this.#buffer.set(chunk.subarray(start, start + taken), this.#held);
    this.#held += taken;
    if (this.#held < wanted) return start + taken;
    if (wanted === HEADER_BYTES) {
      this.#total = HEADER_BYTES + readHeader(this.#buffer, 0, this.#payloadBytesMax);
      // The rest of the chunk is looked at by the caller's loop; when there is none this was the last call.
      return start + taken < end ? this.#complete(chunk, start + taken, end, sink) : end;
    }
    this.#deliver(this.#buffer, 0, this.#total, sink);
    this.#release();
    return start + taken;
  }

  #deliver(bytes: Uint8Array, start: number, end: number, sink: FrameSink): void {
    checkPayload(bytes, start, end, this.#crc32);
    if (isGoodbye(bytes, start)) {
      this.goodbye = readGoodbye(bytes, start, end);
      this.#stopped = true;
      return;
    }
    let at = start + HEADER_BYTES;
    while (at < end && !this.#stopped) {
      let length = bytes[at++] as number;
      if (length > 0x7f) {
        length &= 0x7f;
        for (let shift = 7; ; shift += 7) {
          const byte = shift <= 21 && at < end ? (bytes[at++] as number) : 0x80;
          if (byte === 0x80 && (shift > 21 || at >= end)) throw badLength();
          length |= (byte & 0x7f) << shift;
          if (byte <= 0x7f) break;
        }
      }
      if (length > end - at || length > this.#frameBytesMax) throw badLength();
      at += length;
      sink(bytes, at - length, at);
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown =
      bytes <= CHUNK_BYTES
        ? this.#pool.take()
        : this.#pool.allocate(Math.min(this.#total, Math.max(bytes, 2 * this.#buffer.length)));
    grown.set(this.#buffer.subarray(0, this.#held));
    this.#pool.give(this.#buffer);
    this.#buffer = grown;
  }

  #release(): void {
    this.#pool.give(this.#buffer);
    this.#buffer = NOTHING;
    this.#held = this.#total = 0;
  }
}

const NOTHING = new Uint8Array(0);

function badLength(): FrameError {
  return new FrameError("protocol-error", "a frame claims to be longer than the batch it is in");
}
