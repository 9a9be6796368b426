import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { calculator, hello, numbersOf, randomNumbers } from "../protocols/index.js";
import {
  createAuthority,
  createMemoryTransport,
  createTlsTransport,
  fifo,
  fifoAddress,
  nodeText,
  tcp,
  udp,
  uds,
  udsAddress,
  ws,
} from "../transports/index.js";
import { ByteWriter, createPlainCodec } from "../wire/index.js";
import { connect } from "./connect.js";
import { serve } from "./serve.js";
import { ServiceError } from "./service-frames.js";
import { ServiceLog } from "./service-log.js";
import { MemoryServiceStore, type ServiceStore } from "./service-store.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-service-"));
afterAll(() => rmSync(folder, { recursive: true }));

const authority = createAuthority();
const certified = authority.issue({ name: "calculator", hosts: ["127.0.0.1"] });
const tls = createTlsTransport({ ...certified, ca: authority.cert });

/** One table for every test: what a service is served over is the URL's choice alone. */
const transports = { tcp, tls, uds, fifo, udp, ws, memory: createMemoryTransport() };

const PLACES = [
  "tcp://127.0.0.1:0",
  "tls://127.0.0.1:0",
  udsAddress(join(folder, "calc.sock")),
  fifoAddress(join(folder, "calc.fifo")),
  "udp://127.0.0.1:0",
  "ws://127.0.0.1:0/",
  "memory://calc",
];

const free = (): string => udsAddress(join(folder, `${Math.random()}.sock`));

describe.each(PLACES)("the same service, the URL alone differs: %s", (at) => {
  test("a call gets its value, and a call that cannot run the reason", async () => {
    await using server = await serve(calculator, { at, transports });
    await using client = await connect(calculator, server.address, { transports });
    expect(await client.multiply({ a: 5, b: 10 }, { deadline: "2s" })).toEqual({ kind: "ok", value: 50 });
    expect(await client.divide({ a: 5, b: 0 })).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("division by zero") as string,
    });
    expect(await client.call("nonsense", {})).toMatchObject({ kind: "failed" });
    expect(server.executed).toBe(1);
  });

  test("many clients with many calls at once each get their own answers", async () => {
    await using server = await serve(calculator, { at, transports });
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => connect(calculator, server.address, { transports })),
    );
    const answers = clients.flatMap((client, i) =>
      Array.from({ length: 100 }, async (_, j) => {
        expect(await client.add({ a: i * 1_000, b: j })).toEqual({ kind: "ok", value: i * 1_000 + j });
      }),
    );
    await Promise.all(answers);
    expect(server.executed).toBe(800);
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe("when the server goes away", () => {
  test("with a store, calls go on at its successor; each ran once, and the count goes on", async () => {
    const at = free();
    const path = join(folder, "kept.log");
    let server = await serve(calculator, { at, transports, store: new ServiceLog(path) });
    await using client = await connect(calculator, at, { transports });
    expect(client.mode).toBe("exactly-once");
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) calls.push(client.add({ a: round, b: i }));
      // Perhaps before, perhaps after they have arrived or run.
      if (round % 2 === 0) await calls.at(-1);
      await server.close();
      server = await serve(calculator, { at, transports, store: new ServiceLog(path) });
    }
    for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ kind: "ok" });
    await server.close();
    const { entries } = new ServiceLog(path).load("calculator");
    expect(entries).toHaveLength(100);
  });

  test("without a store, what was under way is unknown, and what follows is not", async () => {
    const at = free();
    const server = await serve(hello, { at, transports });
    await using client = await connect(hello, at, { transports });
    expect(await client.hello({ name: "Ana" })).toMatchObject({ kind: "ok" });
    await server.close();
    const underWay = client.hello({ name: "Bea" });
    await using _successor = await serve(hello, { at, transports });
    expect((await underWay).kind).not.toBe("failed");
    expect(await client.hello({ name: "Cem" })).toMatchObject({ kind: "ok" });
  });

  test("for good, a call ends at its deadline; one that never left has failed", async () => {
    const at = free();
    const server = await serve(hello, { at, transports });
    await using client = await connect(hello, at, { transports });
    await client.hello({ name: "Ana" });
    await server.close();
    expect((await client.hello({ name: "Bea" }, { deadline: "50ms" })).kind).not.toBe("ok");
    // By now it knows that there is no server.
    expect(await client.hello({ name: "Cem" }, { deadline: "50ms" })).toMatchObject({ kind: "failed" });
  });
});

test("an effect that cannot be kept does not happen, and the call runs once it can", async () => {
  let full = true;
  const memory = new MemoryServiceStore();
  const store: ServiceStore = {
    load: (service) => memory.load(service),
    append: (entry) => full || memory.append(entry),
    commit: () => (full ? "ENOSPC: no space left on device" : memory.commit()),
    wantsSnapshot: false,
    replace: (snapshot) => memory.replace(snapshot),
    close: () => memory.close(),
  };
  const lines: string[] = [];
  await using server = await serve(hello, {
    at: free(),
    transports,
    store,
    log: (line) => {
      lines.push(line);
      full = false;
    },
  });
  await using client = await connect(hello, server.address, { transports });
  expect(await client.hello({ name: "Ana" })).toEqual({
    kind: "ok",
    value: "Hello from server, Ana (greeting 1)",
  });
  expect(lines).toEqual([
    "1 calls were not run, for their effect could not be kept: ENOSPC: no space left on device",
  ]);
  expect(server.executed).toBe(1);
});

describe("a stream", () => {
  const draw = { count: 20_000, max: 6, seed: 11 };

  test.each(PLACES)("over %s: every item, in order, once", async (at) => {
    await using server = await serve(randomNumbers, { at, transports });
    await using client = await connect(randomNumbers, server.address, { transports });
    const numbers: unknown[] = [];
    for await (const items of client.stream("draw", draw).batches()) numbers.push(...items);
    expect(numbers).toEqual(numbersOf(draw, 0, draw.count));
    expect(server.executed).toBe(0);
  });

  test("goes on, without gap or repeat, at a server that has never heard of it", async () => {
    const at = free();
    let server = await serve(randomNumbers, { at, transports });
    await using client = await connect(randomNumbers, at, { transports });
    const numbers: unknown[] = [];
    for await (const items of client.stream("draw", draw).batches()) {
      numbers.push(...items);
      await server.close();
      server = await serve(randomNumbers, { at, transports });
    }
    expect(numbers).toEqual(numbersOf(draw, 0, draw.count));
    await server.close();
  });

  test("is fetched no further ahead of its consumer than it should be", async () => {
    await using server = await serve(randomNumbers, { at: free(), transports });
    await using client = await connect(randomNumbers, server.address, { transports });
    const stream = client.stream("draw", { ...draw, count: 1_000_000_000 });
    let taken = 0;
    for await (const number of stream) {
      expect(number).toBeTypeOf("number");
      if (++taken === 1_000) break;
    }
    // The parts that were under way are all that was drawn for nothing; the client is free for other calls.
    expect(await client.call("draw", { ...draw, count: 1 })).toMatchObject({ kind: "ok" });
  });

  test("without a seed differs each time; one that is refused says why", async () => {
    await using server = await serve(randomNumbers, { at: free(), transports });
    await using client = await connect(randomNumbers, server.address, { transports });
    const all = async (args: { count: number; max: number }): Promise<unknown[]> => {
      const items: unknown[] = [];
      for await (const item of client.stream("draw", args)) items.push(item);
      return items;
    };
    const args = { count: 20, max: 1_000_000 };
    expect(await all(args)).not.toEqual(await all(args));
    await expect(all({ count: 0, max: 6 })).rejects.toThrow(/count is a whole number/);
    expect(() => client.stream("paint", {})).toThrow(/not a stream/);
  });
});

describe("a caller may", () => {
  test("take a call back", async () => {
    await using server = await serve(hello, { at: free(), transports });
    await using client = await connect(hello, server.address, { transports });
    const aborted = client.hello({ name: "Ana" }, { signal: AbortSignal.abort() });
    expect(await aborted).toMatchObject({ kind: "failed" });
    const late = new AbortController();
    const ran = client.hello({ name: "Ana" }, { signal: late.signal });
    late.abort();
    // It had left, and nobody could keep it from running: the caller gets its value.
    expect((await ran).kind).toBe("ok");
    await server.close();
    expect((await client.hello({ name: "Bea" }, { deadline: "20ms" })).kind).not.toBe("ok");
    const early = new AbortController();
    const unsent = client.hello({ name: "Cem" }, { signal: early.signal });
    early.abort();
    expect(await unsent).toEqual({ kind: "failed", reason: "cancelled before it was sent" });
    expect(server.executed).toBe(1);
  });

  test("close the client with calls under way", async () => {
    await using server = await serve(hello, { at: free(), transports });
    const client = await connect(hello, server.address, { transports });
    const call = client.hello({ name: "Ana" });
    await client.close();
    expect((await call).kind).toBe("unknown");
    expect((await client.hello({ name: "Ana" })).kind).toBe("failed");
  });

  test("not give what cannot be sent", async () => {
    await using server = await serve(hello, { at: free(), transports });
    await using client = await connect(hello, server.address, { transports });
    await expect(client.hello({ name: "Ana" }, { deadline: "soon" })).rejects.toThrow(UsageError);
    await expect(client.hello({ name: "Ana" }, { deadline: "1h" })).rejects.toThrow(/at most 5m/);
    await expect(client.hello({ name: Number.NaN })).rejects.toThrow(/\.name/);
    expect(await client.hello({ name: "x".repeat(20 * 2 ** 20) })).toMatchObject({ kind: "failed" });
    expect(await client.hello({ name: "Ana" })).toMatchObject({ kind: "ok" });
  });
});

describe("strangers", () => {
  test("a client of another service is told which one is here", async () => {
    await using server = await serve(hello, { at: free(), transports });
    const failed = connect(calculator, server.address, { transports });
    await expect(failed).rejects.toThrow(ServiceError);
    await expect(failed).rejects.toThrow(/here is the service hello/);
  });

  test("whoever sends nonsense is cut off, and nobody else", async () => {
    await using server = await serve(hello, { at: free(), transports });
    await using client = await connect(hello, server.address, { transports });
    const codec = createPlainCodec(nodeText);
    const frames: unknown[] = [
      null,
      [],
      { kind: "request" },
      { kind: "hello", service: "hello", client: "../../etc" },
      { kind: "hello", service: 4, client: "12345678" },
    ];
    for (const frame of frames) {
      const stranger = await uds.dial(server.address);
      const writer = new ByteWriter();
      codec.encode(writer, frame);
      stranger.receive(() => {});
      stranger.send(writer.bytes, 0, writer.end);
      expect((await stranger.closed).code).not.toBe("closed");
    }
    expect(await client.hello({ name: "Ana" })).toMatchObject({ kind: "ok" });
  });

  test("an address of no transport is refused", async () => {
    await expect(serve(hello, { at: "tpc://127.0.0.1:0", transports })).rejects.toThrow(/did you mean "tcp"/);
    await expect(connect(hello, "nowhere", { transports })).rejects.toThrow(/tcp:\/\/127\.0\.0\.1:65432/);
  });
});
