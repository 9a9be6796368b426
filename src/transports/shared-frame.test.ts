import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CHUNK_BYTES, FrameError } from "../wire/index.js";
import { fifo, fifoAddress } from "./fifo.js";
import { shareFrame } from "./platform.js";
import { createTcpTransport, tcp } from "./tcp.js";
import type { Connection, Transport } from "./transport.js";
import { uds, udsAddress } from "./uds.js";
import { ws } from "./websocket.js";

const folder = mkdtempSync(join(tmpdir(), "lc-shared-"));
afterAll(() => rmSync(folder, { recursive: true }));

const places: [string, Transport, string][] = [
  ["tcp", tcp, "tcp://127.0.0.1:0"],
  ["uds", uds, udsAddress(join(folder, "s"))],
  ["fifo", fifo, fifoAddress(join(folder, "f"))],
  ["ws", ws, "ws://127.0.0.1:0"],
];

test.each(places)(
  "%s: shared frames and others arrive whole, at everybody, in the order sent",
  async (_, transport, at) => {
    const accepted: Connection[] = [];
    await using listener = await transport.listen(at, (connection) => accepted.push(connection));
    // One makes the batch just as long as a chunk of the pool, which would be written over.
    const sizes = [0, 1, 300, CHUNK_BYTES - 20, CHUNK_BYTES - 21, 40_000, 7];
    const frames = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    const expected = frames.flatMap((frame) => [frame.length, frame.length]);
    const heard = await Promise.all(
      [1, 2, 3].map(async () => {
        const connection = await transport.dial(listener.address);
        const got: number[] = [];
        const all = new Promise<void>((resolve) => {
          connection.receive((bytes, start, end) => {
            const [first = 0] = bytes.subarray(start, end);
            if (end > start) expect(bytes.subarray(start, end).every((byte) => byte === first)).toBe(true);
            got.push(end - start);
            if (got.length === expected.length) resolve();
          });
        });
        return { connection, got, all };
      }),
    );
    while (accepted.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const frame of frames) {
      const shared = shareFrame(frame);
      for (const connection of accepted) {
        connection.send(frame);
        (connection.sendShared?.bind(connection) ?? (() => connection.send(frame)))(shared);
      }
    }
    await Promise.all(heard.map(({ all }) => all));
    for (const { got, connection } of heard) {
      expect(got).toEqual(expected);
      await connection.close();
    }
  },
);

test("a shared frame that is too long for the connection is refused", async () => {
  const small = createTcpTransport({ frameBytesMax: 100 });
  let accepted: Connection | undefined;
  await using listener = await small.listen("tcp://127.0.0.1:0", (connection) => (accepted = connection));
  const connection = await small.dial(listener.address);
  while (accepted === undefined) await new Promise((resolve) => setImmediate(resolve));
  expect(() => accepted?.sendShared?.(shareFrame(new Uint8Array(101)))).toThrow(FrameError);
  await connection.close();
});
