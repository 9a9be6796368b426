import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { rangeOf, type ByteRange, type BytesService } from "../protocols/index.js";
import { uds, udsAddress } from "../transports/index.js";
import { connect } from "./connect.js";
import { serve } from "./serve.js";
import { MemoryServiceStore } from "./service-store.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const transports = { uds };

/** Gives back what came, but for its first byte: a part of the arguments. */
const tail: BytesService<null, "tail"> = {
  name: "tail",
  methods: ["tail"],
  parameters: [],
  initial: null,
  payload: "bytes",
  check: (_method, { start, end }) => (start === end ? "nothing to take from" : undefined),
  handle: (state, _method, { bytes, start, end }) => ({ state, value: { bytes, start: start + 1, end } }),
};

/** Of a length and a content of its own for each number. */
function bytesOf(number: number): Uint8Array {
  return Uint8Array.from({ length: 1 + ((number * 37) % 300) }, (_, i) => (number * 31 + i) & 0xff);
}

const contentOf = ({ bytes, start, end }: ByteRange): number[] => [...bytes.subarray(start, end)];

test("thousands of calls of bytes, those without a promise too, each get their own bytes back", async () => {
  await using server = await serve(tail, { at: udsAddress(join(folder, "tail.sock")), transports });
  await using client = await connect(tail, server.address, { transports });
  for (let round = 0; round < 5; round++) {
    const calls = Array.from({ length: 1_000 }, async (_, i) => {
      const sent = bytesOf(i);
      const range = rangeOf(sent);
      const outcome =
        i % 2 === 0
          ? await client.tail(range)
          : await new Promise<ByteRange | string>((resolve) =>
              client.start("tail", range, (ended) =>
                resolve(
                  ended.kind === "ok" ? rangeOf(Uint8Array.from(contentOf(ended.value))) : ended.reason,
                ),
              ),
            );
      const value =
        typeof outcome === "object" && "kind" in outcome && outcome.kind === "ok" ? outcome.value : outcome;
      expect(contentOf(value as ByteRange)).toEqual([...sent.subarray(1)]);
    });
    await Promise.all(calls);
  }
  expect(await client.tail(rangeOf(new Uint8Array(0)))).toMatchObject({ kind: "failed" });
});

test("kept bytes are the same when they are asked for again, of the server or of its successor", async () => {
  const at = udsAddress(join(folder, "kept.sock"));
  const store = new MemoryServiceStore();
  let server = await serve(tail, { at, transports, store });
  await using client = await connect(tail, at, { transports });
  const calls: Promise<void>[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 50; i++) {
      const sent = bytesOf(1_000 * round + i);
      calls.push(
        client.tail(rangeOf(sent)).then((outcome) => {
          if (outcome.kind !== "ok") throw new Error(outcome.reason);
          expect(contentOf(outcome.value)).toEqual([...sent.subarray(1)]);
        }),
      );
    }
    if (round % 2 === 0) await calls.at(-1);
    await server.close();
    server = await serve(tail, { at, transports, store });
  }
  await Promise.all(calls);
  await server.close();
  expect(store.load("tail").entries).toHaveLength(250);
});
