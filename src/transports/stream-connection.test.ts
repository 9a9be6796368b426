import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { BatchDecoder, CHUNK_BYTES, goodbye, preamble, PREAMBLE_BYTES } from "../wire/index.js";
import type { StreamSocket } from "./stream-connection.js";
import { StreamConnection } from "./stream-connection.js";
import { streamShared } from "./stream-transport.js";

/** A socket whose system takes the first write, and nothing more until it is told to. */
class StalledSocket extends Duplex implements StreamSocket {
  readonly written: Uint8Array[] = [];
  #taken: (() => void) | undefined;
  #stalled = true;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.written.push(Uint8Array.from(chunk));
    if (this.#stalled && this.written.length > 1) this.#taken = taken;
    else taken();
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  goOn(): void {
    this.#stalled = false;
    this.#taken?.();
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("small frames, a tick each, to a peer that does not read fill whole chunks, and arrive once it does", async () => {
  let chunks = 0;
  const shared = streamShared({ highWaterBytes: 4 * CHUNK_BYTES });
  const allocate = shared.pool.take.bind(shared.pool);
  shared.pool.take = () => (chunks++, allocate());
  const socket = new StalledSocket();
  const connection = await new Promise<StreamConnection>((resolve) => {
    const opening = new StreamConnection(socket, "test://", shared, 1_000, () => resolve(opening));
    socket.push(preamble());
  });

  let sent = 0;
  const frame = new Uint8Array(100);
  for (let room = true; room; sent++) {
    frame[0] = sent;
    room = connection.send(frame);
    // Each in a batch of its own, if batches were still written.
    await tick();
  }
  expect(connection.bufferedBytes).toBeGreaterThanOrEqual(4 * CHUNK_BYTES);
  // One is half way out; the others are full.
  expect(chunks).toBeLessThanOrEqual(1 + 5);

  const drained = connection.drained();
  socket.goOn();
  await drained;
  await tick();
  socket.push(goodbye("closed"));
  await connection.closed;
  const frames: number[] = [];
  const decoder = new BatchDecoder();
  const bytes = Buffer.concat(socket.written).subarray(PREAMBLE_BYTES);
  decoder.push(bytes, 0, bytes.length, (all, start) => frames.push(all[start] ?? -1));
  expect(frames).toEqual(Array.from({ length: sent }, (_, i) => i & 0xff));
});
