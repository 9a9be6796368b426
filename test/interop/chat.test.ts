import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  connectChat,
  serveChat,
  type ChatClient,
  type ChatEvent,
  type ChatServer,
} from "../../src/host/index.js";
import { connectClassicChat, serveClassicChat } from "../../src/interop/index.js";
import { createMemoryTransport, tcp } from "../../src/transports/index.js";
import { python, pythonProgram, startProgram } from "./programs.js";
import { allOf, Lines, plug, portOf, say } from "./wire.js";

const folder = mkdtempSync(join(tmpdir(), "lightcone-classic-chat-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A room with a classic entrance and, over memory, one with frames. */
class House implements AsyncDisposable {
  readonly lines = new Lines();
  readonly transports = { tcp, memory: createMemoryTransport() };
  chat: ChatServer | undefined;
  address = "";
  readonly #closers: (() => Promise<void>)[] = [];

  static async open(data?: string): Promise<House> {
    const house = new House();
    const { transports } = house;
    const chat = await serveChat({ at: "memory://chat", transports, ...(data !== undefined && { data }) });
    const at = "tcp://127.0.0.1:0";
    const guests = await serveClassicChat({ at, to: chat.address, transports, log: house.lines.log });
    house.chat = chat;
    house.address = guests.address;
    house.#closers.push(
      () => guests.close(),
      () => chat.close(),
    );
    return house;
  }

  async join(name: string): Promise<{ client: ChatClient; events: ChatEvent[] }> {
    const events: ChatEvent[] = [];
    const onEvent = (event: ChatEvent): void => void events.push(event);
    const client = await connectChat("memory://chat", { name, transports: this.transports, onEvent });
    this.#closers.unshift(() => client.close());
    return { client, events };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) await close();
  }
}

const textsOf = (events: readonly ChatEvent[]): string[] =>
  events.flatMap((event) => (event.kind === "message" ? [`${event.entry.name}: ${event.entry.text}`] : []));

describe.skipIf(!python)("with the published programs' format in Python", () => {
  test("clients of it and members with frames share one room, and whoever comes late gets all of it", async () => {
    await using house = await House.open();
    const port = String(portOf(house.address));
    const framed = await house.join("Framed");
    const rui = startProgram(pythonProgram("chat-client", port, "Rui", "3", "olá a todos", "a=b"));
    await rui.shown(/Rui\|a=b/);
    framed.client.post("I have frames");
    expect(await rui.ended).toBe("Rui|olá a todos\nRui|a=b\nFramed|I have frames\n");
    const began = performance.now();
    const eva = startProgram(pythonProgram("chat-client", port, "Eva", "3"));
    expect(await eva.ended).toBe("Rui|olá a todos\nRui|a=b\nFramed|I have frames\n");
    // Two pauses of 0.2 s.
    expect(performance.now() - began).toBeGreaterThan(390);
    expect(textsOf(framed.events)).toEqual(["Rui: olá a todos", "Rui: a=b", "Framed: I have frames"]);
    expect(house.lines.all).toContainEqual(expect.stringMatching(/: registers as "Rui"$/));
    expect(house.lines.all).toContainEqual(expect.stringMatching(/^tcp:.*: gets message 1$/));
  });

  test("our client talks to a server of it", async () => {
    const server = startProgram(pythonProgram("chat-server"));
    const [, port] = await server.shown(/port=(\d+)/);
    const rui = startProgram(pythonProgram("chat-client", String(port), "Rui", "2", "first"));
    await rui.shown(/Rui\|first/);
    const events: ChatEvent[] = [];
    await using ana = await connectClassicChat(`tcp://127.0.0.1:${port}`, {
      name: "Ana",
      onEvent: (event) => void events.push(event),
    });
    ana.post("second");
    expect(await rui.ended).toBe("Rui|first\nAna|second\n");
    await expect.poll(() => events.filter(({ kind }) => kind === "posted").length).toBe(1);
    expect(textsOf(events)).toEqual(["Rui: first", "Ana: second"]);
    ana.setError("send", true);
    ana.post("not this");
    expect(events.at(-1)).toMatchObject({ kind: "failed", reason: "send error (simulated by the author)" });
    server.stop();
    await expect.poll(() => events.at(-1)?.kind).toBe("turned-away");
  });
});

test("the bytes are the format's: msg=NAME=TEXT, to the author as well; whoever ends its side gets all first", async () => {
  await using house = await House.open();
  const socket = await plug(house.address);
  const reply = allOf(socket);
  socket.write("nome=Rui");
  await expect.poll(() => house.lines.all.join()).toMatch(/registers/);
  socket.end("msg=x");
  expect(await reply).toBe("msg=Rui=x");
  const late = await plug(house.address);
  const all = allOf(late);
  late.end("nome=Rui\nmsg=y\nmsg=a=b\n");
  expect(await all).toBe("msg=Rui=xmsg=Rui=ymsg=Rui=a=b");
  const glued = await plug(house.address);
  const got = allOf(glued);
  glued.end("nome=Anamsg=glued");
  expect(await got).toMatch(/msg=Ana=glued$/);
});

test("a send error at the server: its author is told, nobody gets it, it is not archived", async () => {
  await using house = await House.open();
  house.chat?.setError("send", true);
  const socket = await plug(house.address);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write("nome=Rui");
  await expect.poll(() => house.lines.all.join()).toMatch(/registers/);
  socket.write("msg=lost");
  await expect.poll(() => text).toBe(`msg=server=not sent: "lost": send error (simulated by the server)`);
  expect(house.chat?.messages("lobby")).toBe(0);
  socket.destroy();
});

test("a long text in pieces is one message, and what moves a cursor is escaped for the others", async () => {
  await using house = await House.open();
  const framed = await house.join("Framed");
  const socket = await plug(house.address);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write("nome=Rui");
  await expect.poll(() => house.lines.all.join()).toMatch(/registers/);
  const long = "é".repeat(3_000);
  const bytes = Buffer.from(`msg=${long}`);
  for (let at = 0; at < bytes.length; at += 1_023) socket.write(bytes.subarray(at, at + 1_023));
  await expect.poll(() => textsOf(framed.events)).toEqual([`Rui: ${long}`]);
  framed.client.post("\u001b[2J");
  await expect.poll(() => text).toContain("msg=Framed=\\x1b[2J");
  socket.destroy();
});

describe("bad input gets a clear error and one line, and nobody else is affected:", () => {
  const bad: [string, string | Uint8Array, RegExp][] = [
    ["no name", "nome=", /the name is empty/],
    ["a name of 10,000 characters", `nome=${"x".repeat(10_000)}`, /the name has 10000 characters/],
    ["a name with escapes", "nome=\u001b[2J", /control characters/],
    ["NUL", "nome=A\0", /control characters/],
    ["invalid UTF-8", Buffer.from([0x6e, 0x6f, 0x6d, 0x65, 0x3d, 0xff, 0xfe]), /not UTF-8/],
    ["a message before the name", "msg=hello", /a message before the name/],
    ["garbage", "GET / HTTP/1.1", /neither nome=NAME nor msg=TEXT/],
    ["a client with frames", Buffer.from([0xc3, 0x4c, 0x43, 0x4e, 1, 0, 0, 0]), /it speaks with frames/],
    ["our own name", "nome=Server", /the name server, which is ours/],
    ["a name that is taken", "nome=framed", /somebody called Framed is in room lobby already/],
  ];

  test.each(bad)("%s", async (_what, bytes, problem) => {
    await using house = await House.open();
    const framed = await house.join("Framed");
    await expect.poll(() => framed.events.some(({ kind }) => kind === "joined")).toBe(true);
    const reply = await say(house.address, bytes);
    expect(reply).toMatch(/^msg=server=error: /);
    expect(reply).toMatch(problem);
    expect(house.lines.all.filter((line) => line.includes("cut off"))).toEqual([
      expect.stringMatching(problem),
    ]);
    framed.client.post("still here");
    await expect.poll(() => textsOf(framed.events)).toEqual(["Framed: still here"]);
  });

  test("__proto__ is a name like any other", async () => {
    await using house = await House.open();
    const framed = await house.join("Framed");
    const socket = await plug(house.address);
    socket.on("data", () => {});
    socket.write("nome=__proto__msg=__proto__");
    await expect.poll(() => textsOf(framed.events)).toEqual(["__proto__: __proto__"]);
    socket.destroy();
  });

  test("a hundred megabytes without an end", async () => {
    await using house = await House.open();
    const framed = await house.join("Framed");
    const flood = await plug(house.address);
    const reply = allOf(flood);
    const chunk = Buffer.alloc(1024 * 1024, 0x78);
    flood.write("nome=Rui");
    flood.write("msg=");
    let sent = 0;
    const pour = (): void => {
      while (sent < 100 && !flood.destroyed && flood.writable) {
        sent++;
        if (!flood.write(chunk)) return;
      }
    };
    flood.on("drain", pour);
    pour();
    expect(await reply).toMatch(/^msg=server=error: a message of more than 16\d{3} bytes/);
    expect(house.lines.all.filter((line) => line.includes("cut off"))).toHaveLength(1);
    framed.client.post("still here");
    await expect.poll(() => textsOf(framed.events)).toEqual(["Framed: still here"]);
    flood.destroy();
  });
});
