import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hello } from "../protocols/index.js";
import { createUdsTransport, udsAddress } from "../transports/index.js";
import { connect } from "./connect.js";
import { serve } from "./serve.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-slow-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Passes bytes on both ways; towards the first client only so many, and then no more. */
async function stallingProxy(at: string, to: string, bytesToFirst: number): Promise<AsyncDisposable> {
  const sockets: Socket[] = [];
  let first = true;
  const server = createServer((client) => {
    const upstream = connectSocket(to);
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) {
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    if (!first) return void upstream.pipe(client);
    first = false;
    let left = bytesToFirst;
    upstream.on("data", (chunk: Buffer) => {
      client.write(chunk);
      left -= chunk.length;
      if (left <= 0) upstream.pause();
    });
  });
  await new Promise<void>((resolve) => server.listen(at, resolve));
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a client that stops reading is cut off and logged; it comes back, and gets every reply once", async () => {
  const [server, proxy] = [join(folder, "server.sock"), join(folder, "proxy.sock")];
  const transports = { uds: createUdsTransport({ highWaterBytes: 65_536 }) };
  const log: string[] = [];
  await using served = await serve(hello, {
    at: udsAddress(server),
    transports,
    log: (line) => log.push(line),
  });
  await using _between = await stallingProxy(proxy, server, 1_024);
  await using slow = await connect(hello, udsAddress(proxy), { transports });
  await using other = await connect(hello, udsAddress(server), { transports });
  // A megabyte of replies: more than lies in the sockets between.
  const calls = Array.from({ length: 4_000 }, () =>
    slow.hello({ name: "A".repeat(200) }, { deadline: "30s" }),
  );
  const others = Array.from({ length: 100 }, () => other.hello({ name: "Bea" }));
  for (const outcome of await Promise.all([...calls, ...others])) expect(outcome.kind).toBe("ok");
  expect(served.executed).toBe(4_100);
  expect(log.filter((line) => line.includes("does not read its replies")).length).toBeGreaterThan(0);
});
