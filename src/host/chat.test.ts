import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import {
  createMemoryTransport,
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
import { connectChat, type ChatClient, type ChatClientOptions, type ChatEvent } from "./chat-client.js";
import { sendChatFrame } from "./chat-frames.js";
import { ChatHistory, HistoryError } from "./chat-history.js";
import { serveChat, type ChatServer, type ChatServerOptions } from "./chat-server.js";
import { connect } from "./connect.js";
import { hello } from "../protocols/index.js";

const folder = mkdtempSync(join(tmpdir(), "lc-chat-"));
afterAll(() => rmSync(folder, { recursive: true }));

const transports = { tcp, uds, udp, fifo, ws, memory: createMemoryTransport() };
let fresh = 0;
const freshSocket = (): string => udsAddress(join(folder, `s${++fresh}`));
const freshFolder = (): string => join(folder, `data${++fresh}`);

/** A member, and all it has been told. */
class Person implements AsyncDisposable {
  readonly events: ChatEvent[] = [];
  client: ChatClient | undefined;
  readonly #watchers = new Set<() => void>();

  static async join(address: string, name: string, more: Partial<ChatClientOptions> = {}): Promise<Person> {
    const person = new Person();
    person.client = await connectChat(address, {
      name,
      transports,
      onEvent: (event) => person.#take(event),
      ...more,
    });
    return person;
  }

  get texts(): string[] {
    return this.events.flatMap((event) => (event.kind === "message" ? [event.entry.text] : []));
  }

  get indices(): number[] {
    return this.events.flatMap((event) => (event.kind === "message" ? [event.index] : []));
  }

  kinds(...kinds: ChatEvent["kind"][]): ChatEvent[] {
    return this.events.filter(({ kind }) => kinds.includes(kind));
  }

  post(text: string): void {
    this.client?.post(text);
  }

  /** Resolves once it is so; the test's own limit ends the wait. */
  until(what: (person: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!what(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  sees(count: number): Promise<void> {
    return this.until(({ texts }) => texts.length >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client?.close();
  }

  #take(event: ChatEvent): void {
    this.events.push(event);
    for (const look of this.#watchers) look();
  }
}

const serve = (at: string, more: Partial<ChatServerOptions> = {}): Promise<ChatServer> =>
  serveChat({ at, transports, ...more });

const places: [string, () => string][] = [
  ["tcp", () => "tcp://127.0.0.1:0"],
  ["uds", freshSocket],
  ["udp", () => "udp://127.0.0.1:0"],
  ["fifo", () => fifoAddress(join(folder, `f${++fresh}`))],
  ["ws", () => "ws://127.0.0.1:0"],
  ["memory", () => `memory://chat${++fresh}`],
];

describe.each(places)("over %s", (_scheme, place) => {
  test("everybody sees one order, and whoever comes late all of it", async () => {
    await using server = await serve(place());
    await using ana = await Person.join(server.address, "Ana");
    await using bea = await Person.join(server.address, "Bea");
    for (let i = 1; i <= 20; i++) (i % 2 === 0 ? ana : bea).post(`m${i}`);
    await Promise.all([ana.sees(20), bea.sees(20)]);
    await using cem = await Person.join(server.address, "Cem");
    await cem.sees(20);
    expect(bea.texts).toEqual(ana.texts);
    expect(cem.texts).toEqual(ana.texts);
    expect(cem.indices).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await ana.until(({ client }) => client?.pending === 0);
    expect(ana.kinds("posted", "failed", "unknown")).toHaveLength(10);
  });
});

describe("a room", () => {
  test("is apart from the others, has one person of a name, and tells who is there", async () => {
    await using server = await serve(freshSocket());
    await using ana = await Person.join(server.address, "Ana", { room: "one" });
    await using _bea = await Person.join(server.address, "Bea", { room: "one" });
    await using other = await Person.join(server.address, "Ana", { room: "two" });
    await using second = await Person.join(server.address, " ANA ", { room: "one" });
    ana.post("for one");
    other.post("for two");
    await second.until(({ events }) => events.length > 0);
    await Promise.all([ana.sees(1), other.sees(1)]);
    expect([ana.texts, other.texts]).toEqual([["for one"], ["for two"]]);
    expect(second.events[0]).toMatchObject({ kind: "turned-away", again: false });
    ana.client?.who();
    await ana.until((person) => person.kinds("people").length > 0);
    expect(ana.kinds("people")).toEqual([{ kind: "people", names: ["Ana", "Bea"] }]);
    expect(server.rooms()).toMatchObject([
      { room: "one", messages: 1 },
      { room: "two", messages: 1 },
    ]);
  });

  test("lets a name go when its owner has left", async () => {
    await using server = await serve(freshSocket());
    const first = await Person.join(server.address, "Ana");
    await first.until((person) => person.kinds("joined").length > 0);
    await first.client?.close();
    await using again = await Person.join(server.address, "Ana");
    await again.until(({ events }) => events.length > 0);
    expect(again.events[0]).toMatchObject({ kind: "joined" });
  });

  test("of which there are too many is refused, until those that nobody used are gone", async () => {
    await using server = await serve(freshSocket(), { limits: { roomsMax: 3, heartbeat: 10_000 } });
    await using ana = await Person.join(server.address, "Ana", { room: "used" });
    ana.post("hello");
    await ana.sees(1);
    const others = await Promise.all(
      ["one", "two"].map((room) => Person.join(server.address, "Bea", { room })),
    );
    for (const other of others) await other.until(({ events }) => events.length > 0);
    await using refused = await Person.join(server.address, "Cem", { room: "three" });
    await refused.until(({ events }) => events.length > 0);
    expect(refused.events[0]).toMatchObject({
      kind: "turned-away",
      reason: "the server has 3 rooms, its limit",
    });
    for (const other of others) await other.client?.close();
    await expect.poll(() => server.rooms().map(({ room }) => room)).toEqual(["used"]);
  });

  test("takes any shown text, and refuses the rest with the reason", async () => {
    await using server = await serve(freshSocket());
    await using ana = await Person.join(server.address, "__proto__");
    const odd = ["\u001b[2J\u001b]0;x\u0007", "a\0b", "__proto__", '{"kind":"post"}', "日本 🎉"];
    for (const text of odd) ana.post(text);
    for (const text of ["", "x".repeat(4_001), "half \ud83d"]) ana.post(text);
    await ana.sees(odd.length);
    expect(ana.texts).toEqual(odd);
    expect(ana.kinds("failed")).toHaveLength(3);
  });

  test.each(["", "x".repeat(10_000), "A\u001b[2J", "A\0", "\u202eanA"])(
    "turns the name %j away",
    async (name) => {
      await using server = await serve(freshSocket());
      await using person = await Person.join(server.address, name);
      await person.until(({ events }) => events.length > 0);
      expect(person.events[0]).toMatchObject({ kind: "turned-away", again: false });
    },
  );
});

describe("a server that is started again", () => {
  test("goes on from its folder: nobody misses or repeats anything, and what waited is posted", async () => {
    const [at, data] = [freshSocket(), freshFolder()];
    let server = await serve(at, { data });
    await using ana = await Person.join(at, "Ana");
    await using bea = await Person.join(at, "Bea");
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 25; i++) ana.post(`${round}.${i}`);
      if (round % 2 === 0) await bea.sees(25 * round + 10);
      await server.close();
      server = await serve(at, { data });
    }
    await Promise.all([ana.sees(100), bea.sees(100)]);
    expect(bea.indices).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(new Set(bea.texts).size).toBe(100);
    expect(ana.texts).toEqual(bea.texts);
    await ana.until(({ client }) => client?.pending === 0);
    expect(ana.kinds("failed", "unknown")).toEqual([]);
    await server.close();
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, "lobby.room")).mode & 0o777).toBe(0o600);
    expect(existsSync(join(data, "lock"))).toBe(false);
  });

  test("without a folder has another history, and says so to whoever knows the old one", async () => {
    const at = freshSocket();
    const server = await serve(at);
    await using ana = await Person.join(at, "Ana");
    ana.post("gone with the server");
    await ana.sees(1);
    await server.close();
    await using _successor = await serve(at);
    await ana.until((person) => person.kinds("turned-away").length > 0);
    expect(ana.kinds("turned-away")[0]).toMatchObject({
      reason: expect.stringContaining("another history") as string,
    });
  });

  test("serves from a folder that nobody else serves from", async () => {
    const data = freshFolder();
    await using _server = await serve(freshSocket(), { data });
    await expect(serve(freshSocket(), { data })).rejects.toThrow(/uses .* already/);
    writeFileSync(join(folder, "file"), "mine");
    await expect(serve(freshSocket(), { data: join(folder, "file") })).rejects.toThrow(UsageError);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("mine");
  });
});

describe("simulated errors", () => {
  test("send, at the server: nobody gets it, it is not archived, its author learns that it failed", async () => {
    const data = freshFolder();
    const told: string[] = [];
    await using server = await serve(freshSocket(), { data, explain: (rule) => told.push(rule) });
    await using ana = await Person.join(server.address, "Ana");
    await using bea = await Person.join(server.address, "Bea");
    server.setError("send", true);
    ana.post("not sent");
    await ana.until((person) => person.kinds("failed").length > 0);
    expect(ana.kinds("failed")).toMatchObject([{ reason: expect.stringContaining("send error") as string }]);
    expect(told).toContain("chat.refuse");
    server.setError("send", false);
    ana.post("sent");
    await bea.sees(1);
    expect(bea.texts).toEqual(["sent"]);
    expect(server.messages("lobby")).toBe(1);
  });

  test("reception, by a member for itself: lost on the way, seen to be missing, there once it is over", async () => {
    const lost: unknown[] = [];
    await using server = await serve(freshSocket(), {
      limits: { heartbeat: 20_000 },
      explain: (rule, { name }) => rule === "chat.lost" && lost.push(name),
    });
    await using ana = await Person.join(server.address, "Ana");
    await using bea = await Person.join(server.address, "Bea", { errors: ["reception"] });
    await bea.until((person) => person.kinds("joined").length > 0);
    ana.post("m1");
    await ana.sees(1);
    await bea.until((person) => person.kinds("missing").length > 0);
    expect([bea.texts, lost]).toEqual([[], ["Bea"]]);
    bea.client?.setError("reception", false);
    await bea.sees(1);
    expect(bea.texts).toEqual(["m1"]);
  });

  test("connection, at the server: everybody is put out and told, and comes back once it is over", async () => {
    await using server = await serve(freshSocket());
    await using ana = await Person.join(server.address, "Ana");
    await ana.until((person) => person.kinds("joined").length > 0);
    server.setError("connection", true);
    await ana.until((person) => person.kinds("turned-away").length > 0);
    ana.post("nobody gets this");
    expect(ana.kinds("failed")).toMatchObject([
      { reason: expect.stringContaining("connection error") as string },
    ]);
    await using bea = await Person.join(server.address, "Bea");
    await bea.until((person) => person.kinds("turned-away").length > 0);
    server.setError("connection", false);
    await ana.until((person) => person.kinds("joined").length > 1);
    ana.post("back");
    await bea.sees(1);
  });

  test("connection, at the client, from the start: both report it, and nothing can be sent", async () => {
    const heard: unknown[] = [];
    await using server = await serve(freshSocket(), {
      explain: (rule, { reason }) => rule === "chat.failed" && heard.push(reason),
    });
    await using ana = await Person.join(server.address, "Ana", { errors: ["connection"] });
    expect(ana.events).toMatchObject([{ kind: "disconnected" }]);
    ana.post("x");
    expect(ana.kinds("failed")).toHaveLength(1);
    ana.client?.setError("connection", false);
    ana.client?.who();
    await ana.until((person) => person.kinds("joined").length > 0);
    expect(heard).toEqual(["connection error (simulated by the client)"]);
    ana.post("y");
    await ana.sees(1);
  });
});

describe("strangers", () => {
  test("whoever sends nonsense is cut off with one line, and nobody else", async () => {
    const lines: string[] = [];
    await using server = await serve(freshSocket(), { log: (line) => lines.push(line) });
    await using ana = await Person.join(server.address, "Ana");
    const codec = createPlainCodec(nodeText);
    const greeting = { kind: "hello", service: "chat", client: "12345678-1234" };
    const frames: unknown[][] = [
      [null],
      [{ kind: "hello", service: "chat", client: "../../etc" }],
      [greeting, { kind: "join" }],
      [greeting, { kind: "post", seq: -1, text: 4 }],
      [greeting, "x".repeat(1_000)],
    ];
    for (const sequence of frames) {
      const stranger = await uds.dial(server.address);
      stranger.receive(() => {});
      for (const frame of sequence) {
        const writer = new ByteWriter();
        codec.encode(writer, frame);
        stranger.send(writer.bytes, 0, writer.end);
      }
      expect((await stranger.closed).code).not.toBe("closed");
    }
    const bytes = await uds.dial(server.address);
    bytes.receive(() => {});
    bytes.send(new Uint8Array([0x01, 0xff, 0xff, 0xff]));
    expect((await bytes.closed).code).not.toBe("closed");
    ana.post("still here");
    await ana.sees(1);
    expect(
      lines.filter((line) => /no (member|client) sends|should be|without fields/.test(line)).length,
    ).toBeGreaterThan(3);
  });

  test("a classic client, or anything else without frames, is turned away", async () => {
    await using server = await serve("tcp://127.0.0.1:0");
    await using ana = await Person.join(server.address, "Ana");
    const port = Number(new URL(server.address).port);
    await new Promise<void>((resolve) => {
      const socket = connectSocket(port, "127.0.0.1", () => socket.write("nome=Rui"));
      socket
        .on("error", () => {})
        .on("data", () => {})
        .on("close", () => resolve());
    });
    ana.post("still here");
    await ana.sees(1);
  });

  test("services are told apart", async () => {
    await using server = await serve(freshSocket());
    await expect(connect(hello, server.address, { transports })).rejects.toThrow(/here is the service chat/);
  });

  test("a member that stops reading costs a window, is cut off, and may come back", async () => {
    await using server = await serve(freshSocket(), {
      limits: { heartbeat: 10_000, attemptsMax: 3, window: 128 },
    });
    await using ana = await Person.join(server.address, "Ana");
    const deaf = await uds.dial(server.address);
    let bytes = 0;
    deaf.receive((_frame, start, end) => (bytes += end - start));
    const codec = createPlainCodec(nodeText);
    const writer = new ByteWriter();
    codec.encode(writer, { kind: "hello", service: "chat", client: "12345678-deaf" });
    deaf.send(writer.bytes, 0, writer.end);
    sendChatFrame(deaf, { kind: "join", room: "lobby", name: "Deaf", next: 0, oldest: 1, incarnation: 0 });
    for (let i = 0; i < 200; i++) ana.post(`${i} ${"x".repeat(1_000)}`);
    await ana.sees(200);
    expect((await deaf.closed).code).toBe("reset");
    expect(bytes).toBeLessThan(128 * 1_200 + 64 * 1024);
  });
});

describe("a history", () => {
  const entry = (i: number) => ({
    author: `a${i % 7}`,
    seq: Math.floor(i / 7) + 1,
    name: "Ana",
    text: `m${i}`,
    at: i,
  });

  async function filled(path: string, count: number): Promise<void> {
    const history = await ChatHistory.create("lobby", "id", path);
    for (let i = 0; i < count;) {
      const batch = Array.from({ length: Math.min(1 + (i % 13), count - i) }, (_, k) => entry(i + k));
      await history.append(batch);
      i += batch.length;
    }
    await history.close();
  }

  test("is read from any message on, and counts its authors", async () => {
    const path = join(folder, "any.room");
    await filled(path, 5_000);
    const { history } = await ChatHistory.open(path);
    expect([history.head, history.last.get("a0"), history.room]).toEqual([5_000, 715, "lobby"]);
    for (const from of [0, 1, 12, 999, 4_999]) {
      let at = from;
      while (at < 5_000) {
        const { count, items } = await history.read(at);
        expect(count).toBeGreaterThan(0);
        expect(Buffer.from(items).toString("latin1")).toContain(`m${at}`);
        at += count;
      }
      expect(at).toBe(5_000);
    }
    expect((await history.read(10, 15)).count).toBe(5);
    expect((await history.read(5_000)).count).toBe(0);
    await history.close();
  });

  test("whose last commit was cut short, at any byte, has all before it", async () => {
    const path = join(folder, "torn.room");
    await filled(path, 30);
    const whole = readFileSync(path);
    const { history } = await ChatHistory.open(path);
    await history.append([entry(30)]);
    await history.close();
    const longer = statSync(path).size;
    for (let size = whole.length + 1; size < longer; size++) {
      truncateSync(path, size);
      const opened = await ChatHistory.open(path);
      expect(opened.history.head).toBe(30);
      expect(opened.repaired).toMatch(/cut off \d+ bytes of an unfinished commit after message 30$/);
      await opened.history.append([entry(30)]);
      await opened.history.close();
      expect(statSync(path).size).toBe(longer);
    }
    appendFileSync(path, Buffer.alloc(100));
    const padded = await ChatHistory.open(path);
    expect(padded.history.head).toBe(31);
    await padded.history.close();
  });

  test("that was changed anywhere else is refused, and left as it is", async () => {
    const path = join(folder, "damaged.room");
    await filled(path, 200);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length - 400; at += 37) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      writeFileSync(path, changed);
      await expect(ChatHistory.open(path), `byte ${at}`).rejects.toThrow(HistoryError);
      expect(readFileSync(path).equals(changed)).toBe(true);
    }
  });

  test("without a path leaves nothing behind", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("lightcone-chat-"));
    const history = await ChatHistory.create("lobby");
    await history.append([entry(0)]);
    expect((await history.read(0)).count).toBe(1);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("lightcone-chat-"))).toEqual(before);
    await history.close();
  });
});
