import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lightcone, start } from "../support/lightcone.js";
import { compiler, cProgram, runProgram, startProgram } from "./programs.js";
import { allOf, callOver, formatOf, Lines, plug, portOf, say } from "./wire.js";

const randomNumbers = formatOf("random-numbers");
const anywhere = "tcp://127.0.0.1:0";
const place = mkdtempSync(join(tmpdir(), "lightcone-draws-"));
afterAll(() => rmSync(place, { recursive: true }));

let folders = 0;
function freshFolder(): string {
  const folder = join(place, String(folders++));
  mkdirSync(folder, { mode: 0o755 });
  return folder;
}

function makeFifo(path: string): void {
  expect(spawnSync("mkfifo", ["-m", "644", path]).status).toBe(0);
}

/** The bytes of a request for numbers up to 10. */
function request(pid: number, x: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32LE(pid, 0);
  bytes.writeInt32LE(x, 4);
  bytes.writeInt32LE(10, 8);
  return bytes;
}

const draws = (outcome: { kind: string; value?: unknown }): readonly number[] => {
  expect(outcome.kind).toBe("ok");
  return outcome.value as readonly number[];
};

test.runIf(compiler)(
  "TCP: twelve clients in C at once get their numbers (skipped where there is no gcc)",
  async () => {
    await using server = await randomNumbers.serve({ at: anywhere, log: () => {} });
    const client = cProgram("draw-tcp-client", "127.0.0.1", String(portOf(server.address)), "7", "10");
    const printed = await Promise.all(Array.from({ length: 12 }, () => runProgram(client)));
    for (const text of printed) expect(text).toMatch(/^(?:\d+ (?:[1-9]|10)\n){7}$/);
    expect(server.served).toBe(12);
  },
);

test.runIf(compiler).each([[[]], [["split"]]])(
  "TCP: a server in C answers ours, its bytes whole or %j (skipped where there is no gcc)",
  async (how) => {
    const server = startProgram(cProgram("draw-tcp-server", ...how));
    const [, port = ""] = await server.shown(/port (\d+)/);
    const to = `tcp://127.0.0.1:${port}`;
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => callOver(randomNumbers, to, "draw 4 3")),
    );
    expect(outcomes.map(draws)).toEqual(outcomes.map(() => [1, 2, 3, 1]));
    server.stop();
  },
);

test("TCP: a request is twelve bytes, a reply eight for each number, and the client may ask again", async () => {
  await using server = await randomNumbers.serve({ at: anywhere, log: () => {}, seed: 1 });
  const socket = await plug(server.address);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const request = Buffer.from([0x39, 0x30, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0]);
  for (const wanted of [24, 48]) {
    // In pieces: the length alone says where it ends.
    for (const byte of request) await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    while (Buffer.concat(chunks).length < wanted)
      await new Promise((resolve) => socket.once("data", resolve));
  }
  const bytes = Buffer.concat(chunks);
  expect(bytes.length).toBe(48);
  for (let at = 0; at < 48; at += 8) {
    expect(bytes.readInt32LE(at)).toBe(process.pid);
    expect(bytes.readInt32LE(at + 4)).toBeGreaterThanOrEqual(1);
    expect(bytes.readInt32LE(at + 4)).toBeLessThanOrEqual(6);
  }
  socket.destroy();
});

test("TCP: requests that come at once are all answered, in order; a client that has ended its side gets all", async () => {
  const lines = new Lines();
  await using server = await randomNumbers.serve({ at: anywhere, log: lines.log, seed: 1 });
  const socket = await plug(server.address);
  const reply = allOf(socket);
  // The last one's answer is more than a socket takes at once.
  const counts = [2, 1, 30_000, 3, 200_000];
  socket.end(Buffer.concat(counts.map((count) => request(12, count))));
  const all = counts.reduce((sum, count) => sum + count, 0);
  expect((await reply).length).toBe(all * 8);
  expect(server.served).toBe(counts.length);
  const sent = lines.all.flatMap((line) => /: (\d+) numbers sent$/.exec(line)?.slice(1) ?? []);
  expect(sent.map(Number)).toEqual(counts);
});

test("TCP: a thousand requests at once are answered, and another client in between", async () => {
  const lines = new Lines();
  await using server = await randomNumbers.serve({ at: anywhere, log: lines.log });
  const socket = await plug(server.address);
  const reply = allOf(socket);
  const first = lines.shown(/numbers sent/);
  socket.end(Buffer.concat(Array.from({ length: 1_000 }, () => request(12, 1))));
  await first;
  await callOver(randomNumbers, server.address, "draw 9 9");
  expect((await reply).length).toBe(8_000);
  expect(lines.all.findIndex((line) => line.endsWith(" 9 numbers sent"))).toBeLessThan(lines.all.length - 1);
});

test("TCP: a refused request ends the answers after it", async () => {
  await using server = await randomNumbers.serve({ at: anywhere, log: () => {} });
  const bytes = Buffer.concat([request(1, 2), request(1, 0), request(1, 3)]);
  expect(await say(server.address, bytes)).toHaveLength(16);
});

test("TCP: who does not ask again is left in order, who asks by half is refused", async () => {
  const lines = new Lines();
  const limits = { requestMsMax: 100 };
  await using server = await randomNumbers.serve({ at: anywhere, log: lines.log, limits });
  expect(await say(server.address, request(1, 1))).toHaveLength(8);
  expect(lines.all.filter((line) => /refused/.test(line))).toEqual([]);
  expect(await say(server.address, Buffer.concat([request(1, 1), Buffer.alloc(5)]))).toHaveLength(8);
  expect(lines.all.at(-1)).toMatch(/refused: no whole request of 12 bytes came within 100 ms$/);
});

test("TCP: a seed decides the numbers; without one they differ", async () => {
  const ask = async (seed?: number): Promise<readonly number[]> => {
    const options = { at: anywhere, log: () => {}, ...(seed !== undefined && { seed }) };
    await using server = await randomNumbers.serve(options);
    return draws(await callOver(randomNumbers, server.address, "draw 40 1000000"));
  };
  expect(await ask(7)).toEqual(await ask(7));
  expect(await ask(7)).not.toEqual(await ask(8));
  expect(await ask()).not.toEqual(await ask());
});

test.each([
  ["text", "Hello from client", /refused: \d+ numbers are asked for/],
  ["no numbers", Buffer.alloc(12), /refused: 0 numbers/],
  ["too many", Buffer.from("01000000ffffff7f0a000000", "hex"), /refused: 2147483647 numbers/],
  ["a maximum below 1", Buffer.from("0100000001000000ffffffff", "hex"), /refused: the greatest number is -1/],
  ["frames", Buffer.from("c34c434e01000000", "hex"), /refused: here is a classic port without frames/],
])(
  "TCP: %s is no request: one line of the log, the connection ends, the next client is served",
  async (_what, bytes, line) => {
    const lines = new Lines();
    await using server = await randomNumbers.serve({ at: anywhere, log: lines.log });
    expect(await say(server.address, bytes)).toBe("");
    expect(lines.all).toHaveLength(1);
    expect(lines.all[0]).toMatch(line);
    expect(draws(await callOver(randomNumbers, server.address, "draw 3"))).toHaveLength(3);
  },
);

test.runIf(compiler).each([[[]], [["anew"]]])(
  "pipes: a client in C, Fifo2 open once or %j, gets its numbers and both signals (skipped where there is no gcc)",
  async (how) => {
    const folder = freshFolder();
    const lines = new Lines();
    await using server = await randomNumbers.serve({ at: `fifo://${folder}`, log: lines.log });
    const client = cProgram("draw-fifo-client", "6", "10", ...how);
    for (let round = 1; round <= 4; round++) {
      expect(await runProgram(client, folder)).toMatch(
        new RegExp(`^(?:number (?:[1-9]|10)\n){6}woken\nsignalled ${process.pid}\n$`),
      );
      await lines.shown(/has signalled back/, round);
    }
    expect(server.served).toBeGreaterThanOrEqual(3);
    expect(statSync(join(folder, "Fifo2")).mode & 0o777).toBe(0o644);
  },
);

test.runIf(compiler)(
  "pipes: a server in C answers ours, and is signalled back (skipped where there is no gcc)",
  async () => {
    const folder = freshFolder();
    const server = startProgram(cProgram("draw-fifo-server", "3"), folder);
    await server.shown(/ready/);
    for (let round = 0; round < 3; round++) {
      const steps = new Lines();
      const outcome = await callOver(randomNumbers, `fifo://${folder}`, "draw 5 4", { step: steps.log });
      expect(draws(outcome)).toEqual([1, 2, 3, 4, 1]);
      expect(steps.all.slice(-2)).toEqual([
        "woken by SIGUSR1: the answer is here",
        `signalled process ${server.pid} back`,
      ]);
    }
    expect(await server.ended).toBe(`ready\n${`answered ${process.pid}\n`.repeat(3)}`);
  },
);

test("pipes: clients of ours at once take turns, and nothing of theirs is left", async () => {
  const folder = freshFolder();
  const to = `fifo://${folder}`;
  const server = start(["serve", "random-numbers", "--classic", "--listen", to]);
  await server.shown(/classic random-numbers at/);
  const called = await Promise.all(
    Array.from({ length: 4 }, () =>
      lightcone(["call", "random-numbers", "draw", "20", "6", "--classic", "--to", to]),
    ),
  );
  for (const { status, stdout } of called) {
    expect(status).toBe(0);
    expect(stdout).toMatch(/^(?:[1-6]\n){20}$/);
  }
  server.signal("SIGINT");
  const { status, stderr } = await server.ended;
  expect(status).toBe(0);
  expect(stderr.match(/has signalled back/g)).toHaveLength(4);
  expect(readdirSync(folder)).toEqual([]);
});

test("pipes: who is not there, another's, or does not read is not answered nor signalled", async () => {
  const folder = freshFolder();
  const lines = new Lines();
  await using server = await randomNumbers.serve({
    at: `fifo://${folder}`,
    log: lines.log,
    limits: { replyMsMax: 300 },
  });
  // It sleeps, and a SIGUSR1 would end it.
  const bystander = startProgram(["sleep", "60"]);
  makeFifo(join(folder, "Fifo1"));
  await lines.shown(/Fifo1 is open/);
  const put = (bytes: Uint8Array): void => writeFileSync(join(folder, "Fifo1"), bytes, { flag: "a" });
  put(request(1, 2));
  await lines.shown(/1 is no client's pid/);
  put(request(2 ** 22 + 1, 2));
  await lines.shown(/there is no process 4194305/);
  put(request(process.pid, 2));
  await lines.shown(/this process itself/);
  put(request(bystander.pid, 2));
  await lines.shown(/nobody read Fifo2/);
  expect(bystander.child.exitCode).toBeNull();
  expect(bystander.child.signalCode).toBeNull();
  bystander.stop();
  expect(server.served).toBe(0);
  const call = await lightcone([
    "call",
    "random-numbers",
    "draw",
    "3",
    "--classic",
    "--to",
    `fifo://${folder}`,
  ]);
  expect(call).toMatchObject({ status: 0, stdout: expect.stringMatching(/^(?:\d+\n){3}$/) });
});

test.runIf(process.platform === "linux")(
  "pipes: a reader whom SIGUSR1 would end gets its numbers and lives (skipped where there is no /proc)",
  async () => {
    const folder = freshFolder();
    const lines = new Lines();
    await using server = await randomNumbers.serve({ at: `fifo://${folder}`, log: lines.log });
    const reader = startProgram(["cat", join(folder, "Fifo2")]);
    makeFifo(join(folder, "Fifo1"));
    await lines.shown(/Fifo1 is open/);
    writeFileSync(join(folder, "Fifo1"), request(reader.pid, 2), { flag: "a" });
    expect(await reader.ended).toHaveLength(16);
    await lines.shown(/not woken: it does not expect SIGUSR1, which would end it/);
    expect(server.address).toBe(`fifo://${folder}`);
  },
);

test.each([
  ["part of a request", Buffer.from("garbage"), /7 bytes refused: a request has 12/],
  ["garbage", Buffer.alloc(50_000, 0xff), /bytes refused: -1 numbers/],
  ["a pid that means everybody", request(-1, 2), /12 bytes refused: -1 is no client's pid/],
])("pipes: %s is refused in one line, and the next client is served", async (_what, bytes, line) => {
  const folder = freshFolder();
  const lines = new Lines();
  await using server = await randomNumbers.serve({ at: `fifo://${folder}`, log: lines.log });
  makeFifo(join(folder, "Fifo1"));
  await lines.shown(/Fifo1 is open/);
  writeFileSync(join(folder, "Fifo1"), bytes, { flag: "a" });
  await lines.shown(line);
  const call = await lightcone(["call", "random-numbers", "draw", "3", "--classic", "--to", server.address]);
  expect(call).toMatchObject({ status: 0, stdout: expect.stringMatching(/^(?:\d+\n){3}$/) });
  expect(lines.all.filter((one) => one.includes("refused"))).toHaveLength(1);
});

test("pipes: ten megabytes of garbage are one line of the log, and the next client is served", async () => {
  const folder = freshFolder();
  const lines = new Lines();
  await using server = await randomNumbers.serve({ at: `fifo://${folder}`, log: lines.log });
  makeFifo(join(folder, "Fifo1"));
  await lines.shown(/Fifo1 is open/);
  await runProgram(["sh", "-c", "head -c 10485760 /dev/zero > Fifo1"], folder);
  await lines.shown(/bytes refused/);
  const call = await lightcone(["call", "random-numbers", "draw", "3", "--classic", "--to", server.address]);
  expect(call).toMatchObject({ status: 0, stdout: expect.stringMatching(/^(?:\d+\n){3}$/) });
  expect(lines.all.filter((line) => line.includes("refused"))).toHaveLength(1);
});

test("pipes: one server for each folder; a file in the way, or a folder of all, is refused by name", async () => {
  const folder = freshFolder();
  const at = `fifo://${folder}`;
  const serve = (where: string) => randomNumbers.serve({ at: where, log: () => {} });
  await using _server = await serve(at);
  await expect(serve(at)).rejects.toMatchObject({ code: "address-in-use" });
  const taken = freshFolder();
  writeFileSync(join(taken, "Fifo2"), "precious");
  await expect(serve(`fifo://${taken}`)).rejects.toMatchObject({ code: "not-permitted" });
  expect(readdirSync(taken)).toEqual(["Fifo2"]);
  await expect(serve(`fifo://${join(place, "absent/pipes")}`)).rejects.toMatchObject({
    code: "address-unavailable",
  });
  const open = freshFolder();
  chmodSync(open, 0o777);
  await expect(serve(`fifo://${open}`)).rejects.toMatchObject({ code: "not-permitted" });
});

test("pipes: a server makes its folder, and takes it away when it is empty", async () => {
  const folder = join(place, "made");
  for (const left of [[], ["note"]]) {
    const server = await randomNumbers.serve({ at: `fifo://${folder}`, log: () => {} });
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    for (const name of left) writeFileSync(join(folder, name), "");
    await server.close();
    expect(readdirSync(place).includes("made")).toBe(left.length > 0);
  }
});

test("pipes: nobody there is said in the time given, and the pipes made for it are gone", async () => {
  const folder = freshFolder();
  const call = callOver(randomNumbers, `fifo://${folder}`, "draw 3", { msMax: 200 });
  await expect(call).rejects.toMatchObject({ code: "refused" });
  expect(readdirSync(folder)).toEqual([]);
});
