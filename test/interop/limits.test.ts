import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { calculator, hello } from "../../src/protocols/index.js";
import { connect, serve } from "../../src/host/index.js";
import { createTcpTransport } from "../../src/transports/index.js";
import { lightcone, mainFile } from "../support/lightcone.js";
import { allOf, callOver, formatOf, Lines, plug, say } from "./wire.js";

const anywhere = "tcp://127.0.0.1:0";
const classic = formatOf("calculator");
const transports = { tcp: createTcpTransport() };

test("a client that dribbles is told when its time is over, and nobody waits for it", async () => {
  const lines = new Lines();
  await using server = await classic.serve({ at: anywhere, log: lines.log, limits: { requestMsMax: 300 } });
  const slow = await plug(server.address);
  const dribble = setInterval(() => slow.write("9"), 20);
  slow.once("close", () => clearInterval(dribble));
  slow.once("end", () => clearInterval(dribble));
  const reply = allOf(slow);
  expect(await callOver(classic, server.address, "multiply 2 3")).toEqual({ kind: "ok", value: "6.0" });
  expect(lines.all).toHaveLength(1);
  expect(await reply).toBe("Data receivederror: two numbers are needed, such as 5 10; 1 given");
  slow.destroy();
});

test("one connection more than the limit is turned away in words, and there is room again later", async () => {
  const lines = new Lines();
  await using server = await classic.serve({ at: anywhere, log: lines.log, limits: { connectionsMax: 3 } });
  const idle: Socket[] = [];
  for (let i = 0; i < 3; i++) idle.push(await plug(server.address));
  const outcome = await callOver(classic, server.address, "multiply 2 3");
  expect(outcome).toMatchObject({
    kind: "failed",
    reason: expect.stringContaining("3 clients are connected, the limit"),
  });
  expect(lines.all).toEqual([expect.stringContaining("turned away: 3 clients are connected, the limit")]);
  for (const socket of idle) socket.destroy();
  await expect
    .poll(async () => (await callOver(classic, server.address, "multiply 2 3")).kind, { timeout: 20_000 })
    .toBe("ok");
});

test("who sends eight megabytes at once still gets its answer, for the rest is taken and thrown away", async () => {
  await using server = await classic.serve({ at: anywhere, log: () => {} });
  const reply = await say(server.address, Buffer.alloc(8 * 1024 * 1024, 0x39));
  expect(reply).toBe("Data receivederror: the request is longer than 1024 bytes");
});

test("a hundred megabytes without a newline are cut off, keep no memory, and delay nobody", async () => {
  const lines = new Lines();
  await using server = await classic.serve({ at: anywhere, log: lines.log });
  const before = process.memoryUsage().arrayBuffers;
  const flood = await plug(server.address);
  const reply = allOf(flood);
  const chunk = Buffer.alloc(1024 * 1024, 0x39);
  let sent = 0;
  let greatest = 0;
  const pour = (): void => {
    while (sent < 100 && !flood.destroyed) {
      sent++;
      if (!flood.write(chunk)) return;
    }
  };
  flood.on("drain", () => {
    greatest = Math.max(greatest, process.memoryUsage().arrayBuffers - before);
    pour();
  });
  pour();
  expect(await callOver(classic, server.address, "multiply 2 3")).toEqual({ kind: "ok", value: "6.0" });
  // The answer comes as long as the connection stays in order; it may be reset once the server has listened enough.
  expect(await reply).toMatch(/^(?:Data receivederror: the request is longer than 1024 bytes)?$/);
  expect(lines.all.filter((line) => /refused/.test(line))).toHaveLength(1);
  // What was thrown away and not yet collected is in this figure, and the sending side's buffers; keeping it all would
  // be twice as much at least.
  expect(greatest).toBeLessThan(64 * 1024 * 1024);
  flood.destroy();
});

test("a client that reads none of its million numbers is cut off, and others get theirs", async () => {
  const draws = formatOf("random-numbers");
  const lines = new Lines();
  await using server = await draws.serve({ at: anywhere, log: lines.log, limits: { replyMsMax: 200 } });
  const deaf = await plug(server.address);
  deaf.on("error", () => {});
  const request = Buffer.alloc(12);
  request.writeInt32LE(1, 0);
  request.writeInt32LE(1_000_000, 4);
  request.writeInt32LE(10, 8);
  deaf.write(request);
  const outcome = await callOver(draws, server.address, "draw 5");
  expect(outcome.kind).toBe("ok");
  await lines.shown(/cut off: it does not read its numbers/);
  deaf.destroy();
});

test.skipIf(process.platform === "win32").each([[[]], [["--classic"]]])(
  "a server that has no descriptor left says so on the terminal, and serves on when there is one (%j)",
  async (flags) => {
    const line = ["serve", "hello", "--listen", "tcp://127.0.0.1:0", ...flags].join(" ");
    const program = `ulimit -n 256; exec "${process.execPath}" "${mainFile}" ${line}`;
    const server = spawn("sh", ["-c", program], { stdio: ["ignore", "pipe", "pipe"] });
    const lines = new Lines();
    createInterface({ input: server.stdout }).on("line", lines.log);
    createInterface({ input: server.stderr }).on("line", lines.log);
    const ended = once(server, "close").then(() => lines.log("ended"));
    const sockets: Socket[] = [];
    try {
      const [found = ""] = await lines.shown(/ at tcp:\S+, |^ended$/);
      const address = / at (tcp:\S+),/.exec(found)?.[1] ?? "";
      for (let i = 0; i < 300; i++) {
        const socket = await plug(address);
        socket.on("error", () => {});
        sockets.push(socket);
      }
      const [told] = await lines.shown(/no file descriptor is left|^ended$/);
      expect(told).toMatch(/\(EMFILE; see ulimit -n\): connections are ended as they come$/);
      for (const socket of sockets) socket.destroy();
      await expect.poll(async () => (await greeted(address, flags)).status, { timeout: 20_000 }).toBe(0);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.kill("SIGINT");
      await ended;
    }
  },
);

function greeted(address: string, flags: readonly string[]): Promise<{ readonly status: number }> {
  const name = flags.length === 0 ? ["Ana"] : [];
  return lightcone(["call", "hello", "hello", ...name, ...flags, "--to", address]);
}

test("a framed client at a classic port is told that it is the wrong protocol, and logged in one line", async () => {
  const knocks = [
    [classic, (at: string) => connect(calculator, at, { transports })],
    [formatOf("hello"), (at: string) => connect(hello, at, { transports })],
  ] as const;
  for (const [format, knock] of knocks) {
    const lines = new Lines();
    await using server = await format.serve({ at: anywhere, log: lines.log });
    await expect(knock(server.address)).rejects.toMatchObject({ code: "bad-magic" });
    await lines.shown(/refused: .*call it with --classic/);
    expect(lines.all).toHaveLength(1);
  }
});

test("a classic client at a framed port is told to leave out --classic, and logged in one line; others are served", async () => {
  const lines = new Lines();
  await using server = await serve(calculator, { at: anywhere, transports, log: lines.log });
  for (const service of ["calculator", "hello", "random-numbers"]) {
    const format = formatOf(service);
    const words = { calculator: "multiply 5 10", hello: "hello" }[service] ?? "draw 3";
    await expect(callOver(format, server.address, words)).rejects.toMatchObject({ code: "frames" });
  }
  await lines.shown(/does not speak this protocol/, 3);
  expect(lines.all).toHaveLength(3);
  await using client = await connect(calculator, server.address, { transports });
  expect(await client.multiply({ a: 5, b: 10 })).toEqual({ kind: "ok", value: 50 });
});

test("a raw published client at a framed port gets no answer that it could take for one", async () => {
  await using server = await serve(calculator, { at: anywhere, transports });
  const reply = await say(server.address, "5 10");
  expect(reply).not.toMatch(/^Data received|^\d/);
});
