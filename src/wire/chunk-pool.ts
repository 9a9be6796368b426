/** Makes a byte array; Node's own kind keeps every array on a connection of one shape, which the engine rewards. */
export type Allocate = (bytes: number) => Uint8Array;

/** Buffers are handed out in this size: a frame of 64 KiB with all that surrounds it. */
export const CHUNK_BYTES = 66_560; // 65 KiB

/**
 * Buffers that many connections take turns with, so that a busy one does not allocate and an idle one holds nothing.
 *
 * Keeps at most `chunksKeptMax` idle ones (default 64, 4 MiB); beyond that they are left to the collector.
 */
export class ChunkPool {
  readonly allocate: Allocate;
  readonly #idle: Uint8Array[] = [];
  readonly #chunksKeptMax: number;

  constructor(allocate: Allocate = (bytes) => new Uint8Array(bytes), chunksKeptMax = 64) {
    this.allocate = allocate;
    this.#chunksKeptMax = chunksKeptMax;
  }

  /** A buffer of {@link CHUNK_BYTES} with anything in it. */
  take(): Uint8Array {
    return this.#idle.pop() ?? this.allocate(CHUNK_BYTES);
  }

  /** Gives a buffer back, whoever made it; only those of {@link CHUNK_BYTES} are kept. The giver forgets it. */
  give(chunk: Uint8Array): void {
    if (chunk.length === CHUNK_BYTES && this.#idle.length < this.#chunksKeptMax) this.#idle.push(chunk);
  }
}
