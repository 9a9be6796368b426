import { request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { UsageError } from "../core/index.js";
import { BatchEncoder, goodbye, preamble } from "../wire/index.js";
import { createTcpTransport } from "./tcp.js";
import type { Connection, Listener, ListenOptions } from "./transport.js";
import type { TransportError } from "./transport-error.js";
import { createWebSocketTransport, parseWebSocketAddress, type WebSocketOptions } from "./websocket.js";
import { ownHosts, PARTICIPANT_HEADER } from "./websocket-admission.js";
import { MESSAGE_BYTES_MAX } from "./websocket-stream.js";

const PAGE = "http://127.0.0.1:8080";

let open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  open = [];
});

interface Stand {
  readonly listener: Listener;
  readonly port: number;
  readonly problems: TransportError[];
  readonly accepted: Connection[];
  readonly frames: string[];
}

/** A listener that lets {@link PAGE} in, and says what it sees. */
async function listening(options: WebSocketOptions = {}, listenOptions: ListenOptions = {}): Promise<Stand> {
  const problems: TransportError[] = [];
  const accepted: Connection[] = [];
  const frames: string[] = [];
  const listener = await createWebSocketTransport({ origins: [PAGE], ...options }).listen(
    "ws://127.0.0.1:0/",
    (connection) => {
      accepted.push(connection);
      connection.receive((bytes, start, end) =>
        frames.push(Buffer.from(bytes.subarray(start, end)).toString()),
      );
    },
    { onProblem: (problem) => problems.push(problem), ...listenOptions },
  );
  open.push(listener);
  return { listener, port: Number(/:([0-9]+)\/$/.exec(listener.address)?.[1]), problems, accepted, frames };
}

/** The listener works: a good peer comes in. */
async function alive(address: string): Promise<void> {
  const connection = await createWebSocketTransport().dial(address);
  await connection.close();
}

async function serving(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  open.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const bound = server.address();
  return bound === null || typeof bound === "string" ? 0 : bound.port;
}

/** What came until the other side hung up. */
function everything(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => socket.once("close", () => resolve(Buffer.concat(chunks))));
}

/** Status and body of the answer to an upgrade with those headers; 101 when it was let in. */
function upgrade(
  port: number,
  headers: Readonly<Record<string, string | string[]>>,
  path = "/",
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path,
      setHost: false,
      headers: {
        Host: `127.0.0.1:${port}`,
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, body: "" });
    });
    asked.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    asked.on("error", reject).end();
  });
}

/** A browser on {@link PAGE}: opens, introduces itself, and gathers what comes. */
async function page(
  stand: Stand,
): Promise<{ socket: WebSocket; received: () => Buffer; closed: Promise<number> }> {
  const socket = new WebSocket(stand.listener.address, { origin: PAGE });
  const chunks: Buffer[] = [];
  socket.on("message", (data) => chunks.push(data as Buffer));
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve) => socket.once("open", resolve));
  socket.send(preamble());
  return { socket, received: () => Buffer.concat(chunks), closed };
}

function batch(...frames: readonly string[]): Buffer {
  const encoder = new BatchEncoder();
  for (const frame of frames) encoder.add(Buffer.from(frame), 0, Buffer.byteLength(frame));
  const chunks: Uint8Array[] = [];
  encoder.take((bytes, length) => chunks.push(bytes.slice(0, length)));
  return Buffer.concat(chunks);
}

describe("an address", () => {
  test("is a host and a port, with or without the slash", () => {
    expect(parseWebSocketAddress("ws://127.0.0.1:7001/")).toEqual({ host: "127.0.0.1", port: 7001 });
    expect(parseWebSocketAddress("ws://[::1]:0")).toEqual({ host: "::1", port: 0 });
  });

  test.each([
    "ws://h",
    "ws://h:1//",
    "ws://h:1/x",
    "ws://h:1/?x",
    "wss://h:1/",
    "ws://u@h:1/",
    "ws://[fe80::1%eth0]:1/",
  ])("%s is refused", (address) => expect(() => parseWebSocketAddress(address)).toThrow(UsageError));

  test("IPv6 connects", async () => {
    const listener = await createWebSocketTransport().listen("ws://[::1]:0/", () => {});
    open.push(listener);
    expect(listener.address).toMatch(/^ws:\/\/\[::1\]:[1-9][0-9]*\/$/);
    await alive(listener.address);
  });
});

test.each<[WebSocketOptions]>([
  [{ origins: ["http://127.0.0.1:8080/"] }],
  [{ origins: ["*"] }],
  [{ origins: ["null"] }],
  [{ origins: ["HTTP://h"] }],
  [{ origins: ["http://h:80"] }],
  [{ origins: ["file://"] }],
  [{ hosts: ["*"] }],
  [{ hosts: ["Lab.example"] }],
  [{ hosts: ["lab.example/"] }],
])("%j is the caller's mistake: it would never match, or match too much", (options) => {
  expect(() => createWebSocketTransport(options)).toThrow(UsageError);
});

describe("W01: a page may connect only when its origin is on the list, to the letter", () => {
  test("the one on the list does", async () => {
    const { port } = await listening();
    expect(await upgrade(port, { Origin: PAGE })).toMatchObject({ status: 101 });
  });

  test.each([
    "null",
    "",
    "http://evil.example",
    "http://127.0.0.1:8081",
    "http://127.0.0.1",
    "https://127.0.0.1:8080",
    "http://127.0.0.1:8080.evil.example",
    "http://127.0.0.1.evil.example:8080",
    "http://[::ffff:127.0.0.1]:8080",
    "http://localhost:8080",
    "HTTP://127.0.0.1:8080",
    "http://127.0.0.1.:8080",
    "http://0177.0.0.1:8080",
    "http://2130706433:8080",
    "http://0x7f.1:8080",
    "http://127.0.0.1:8080/",
    "http://evil.example, http://127.0.0.1:8080",
    "http://127.0.0.1:8080 http://evil.example",
  ])("%j does not, not even with the header of a participant", async (origin) => {
    const { port, problems, accepted, listener } = await listening();
    for (const extra of [{}, { [PARTICIPANT_HEADER]: "1" }]) {
      expect(await upgrade(port, { Origin: origin, ...extra })).toEqual({ status: 403, body: "Forbidden" });
    }
    expect(problems.map(({ code }) => code)).toEqual(["not-permitted", "not-permitted"]);
    expect(accepted).toEqual([]);
    await alive(listener.address);
  });

  test("without an origin only who presents itself as a participant, as no page can", async () => {
    const { port } = await listening();
    expect(await upgrade(port, {})).toMatchObject({ status: 403 });
    expect(await upgrade(port, { [PARTICIPANT_HEADER]: "0" })).toMatchObject({ status: 403 });
    expect(await upgrade(port, { [PARTICIPANT_HEADER]: ["1", "1"] })).toMatchObject({ status: 403 });
    expect(await upgrade(port, { [PARTICIPANT_HEADER]: "1" })).toMatchObject({ status: 101 });
  });

  test("no page at all unless one was named", async () => {
    const { port } = await listening({ origins: [] });
    expect(await upgrade(port, { Origin: PAGE })).toMatchObject({ status: 403 });
    expect(await upgrade(port, { Origin: `http://127.0.0.1:${port}` })).toMatchObject({ status: 403 });
  });
});

describe("W02: a request must ask for the listener by one of its names (DNS rebinding)", () => {
  const wrong = (port: number): string[] => [
    "",
    "null",
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1",
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.evil.example:${port}`,
    `127.0.0.1.:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `LOCALHOST:${port}`,
    `localhost.:${port}`,
    `0177.0.0.1:${port}`,
    `2130706433:${port}`,
    `0x7f.1:${port}`,
    `user@127.0.0.1:${port}`,
    `127.0.0.1:${port} evil.example`,
  ];

  test("its address and localhost are its names", async () => {
    const { port } = await listening();
    for (const Host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await upgrade(port, { Host, Origin: PAGE })).toMatchObject({ status: 101 });
    }
  });

  test("every other one is sent away, whoever asks", async () => {
    const { port, problems, accepted, listener } = await listening();
    for (const Host of wrong(port)) {
      for (const who of [{ Origin: PAGE }, { [PARTICIPANT_HEADER]: "1" }]) {
        expect(await upgrade(port, { Host, ...who }), Host).toEqual({
          status: 421,
          body: "Misdirected Request",
        });
      }
    }
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(["not-permitted"]));
    expect(accepted).toEqual([]);
    await alive(listener.address);
  });

  test("a further name has to be given", async () => {
    const { port } = await listening({ hosts: ["lab.example:7001"] });
    expect(await upgrade(port, { Host: "lab.example:7001", Origin: PAGE })).toMatchObject({ status: 101 });
    expect(await upgrade(port, { Host: "lab.example", Origin: PAGE })).toMatchObject({ status: 421 });
  });

  test("on every interface, its names are the address that was reached, and not localhost from outside", () => {
    const hosts = (address: string, port = 7001): string[] => [
      ...ownHosts(address, port, "0.0.0.0", new Set()),
    ];
    expect(hosts("::ffff:10.0.0.7")).toEqual(["10.0.0.7:7001", "0.0.0.0:7001"]);
    expect(hosts("::1")).toEqual(["[::1]:7001", "0.0.0.0:7001", "localhost:7001"]);
    expect(hosts("127.0.0.1", 80)).toEqual(["127.0.0.1", "0.0.0.0", "localhost"]);
  });

  test("nothing of a request comes back", async () => {
    const { port, problems } = await listening();
    const hostile = "<script>\x1b[2J".replace("\x1b", "\x9b");
    expect(await upgrade(port, { Host: hostile })).toEqual({ status: 421, body: "Misdirected Request" });
    expect(await upgrade(port, { Origin: hostile })).toEqual({ status: 403, body: "Forbidden" });
    expect(await upgrade(port, { Origin: PAGE }, "/<script>")).toEqual({ status: 404, body: "Not Found" });
    // oxlint-disable-next-line no-control-regex
    for (const { message } of problems) expect(message).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
  });
});

describe("a page", () => {
  test("speaks the stream of the wire format in binary messages, one for a tick", async () => {
    const stand = await listening();
    const { socket, received, closed } = await page(stand);
    socket.send(batch("hello", "world"));
    await vi.waitFor(() => expect(stand.frames).toEqual(["hello", "world"]));
    const messages: Buffer[] = [];
    socket.on("message", (data) => messages.push(data as Buffer));
    for (const word of ["one", "two", "three"]) stand.accepted[0]?.send(Buffer.from(word));
    await vi.waitFor(() => expect(messages).toEqual([batch("one", "two", "three")]));
    expect(received().subarray(0, 8)).toEqual(Buffer.from(preamble()));
    await stand.accepted[0]?.close();
    expect(await closed).toBe(1000);
    expect(received().includes("closed")).toBe(true);
  });

  test("that goes away is not taken for one that closed in order; one that says goodbye is", async () => {
    const stand = await listening();
    const first = await page(stand);
    await vi.waitFor(() => expect(stand.accepted).toHaveLength(1));
    first.socket.close(1001);
    expect(await stand.accepted[0]?.closed).toMatchObject({ code: "reset" });
    const second = await page(stand);
    second.socket.send(goodbye("closed"));
    second.socket.close();
    await vi.waitFor(() => expect(stand.accepted).toHaveLength(2));
    expect(await stand.accepted[1]?.closed).toMatchObject({ code: "closed" });
  });

  test("may cut a batch into messages anywhere", async () => {
    const stand = await listening();
    const { socket } = await page(stand);
    const bytes = batch("a".repeat(200_000));
    for (let at = 0; at < bytes.length; at += 60_001) socket.send(bytes.subarray(at, at + 60_001));
    await vi.waitFor(() => expect(stand.frames).toEqual(["a".repeat(200_000)]));
  });
});

describe("W10: what breaks the rules of WebSockets ends the connection, with the status for it", () => {
  const masked = (first: number, payload: Buffer): Buffer => {
    const length = payload.length < 126 ? Buffer.of(0x80 | payload.length) : Buffer.alloc(9);
    if (payload.length >= 126) {
      length[0] = 0x80 | 127;
      length.writeBigUInt64BE(BigInt(payload.length), 1);
    }
    // The mask of four zeros changes nothing.
    return Buffer.concat([Buffer.of(first), length, Buffer.alloc(4), payload]);
  };
  const over = MESSAGE_BYTES_MAX + 1;
  const pieces = Buffer.concat([
    masked(0x02, Buffer.alloc(0)),
    ...Array.from({ length: 100 }, () => masked(0x00, Buffer.alloc(1))),
  ]);

  test.each<[string, Buffer, number, string]>([
    ["text", masked(0x81, Buffer.from("hello")), 1003, "protocol-error"],
    ["an unmasked frame", Buffer.of(0x82, 1, 0), 1002, "protocol-error"],
    ["a reserved opcode", masked(0x83, Buffer.alloc(1)), 1002, "protocol-error"],
    ["a reserved bit", masked(0xc2, Buffer.alloc(1)), 1002, "protocol-error"],
    ["a fragmented ping", masked(0x09, Buffer.alloc(1)), 1002, "protocol-error"],
    ["a ping of 126 bytes", masked(0x89, Buffer.alloc(126)), 1002, "protocol-error"],
    ["close status 999", masked(0x88, Buffer.of(3, 231)), 1002, "protocol-error"],
    ["close status 1005", masked(0x88, Buffer.of(3, 237)), 1002, "protocol-error"],
    ["a message too long", masked(0x82, Buffer.alloc(over)), 1009, "frame-too-long"],
    [
      "a message that says 2^62 bytes",
      Buffer.from("82ff400000000000000000000000", "hex"),
      1009,
      "frame-too-long",
    ],
    ["a message in a hundred pieces", pieces, 1008, "frame-too-long"],
    ["other bytes than a preamble", masked(0x82, Buffer.from("hello")), 1002, "bad-magic"],
  ])("%s", async (_what, bytes, status, code) => {
    const stand = await listening();
    const socket = connect(stand.port, "127.0.0.1");
    const received = everything(socket);
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${stand.port}\r\nOrigin: ${PAGE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    if (code !== "bad-magic") socket.write(masked(0x82, Buffer.from(preamble())));
    socket.write(bytes);
    if (code === "bad-magic") await vi.waitFor(() => expect(stand.problems).toMatchObject([{ code }]));
    else {
      await vi.waitFor(() => expect(stand.accepted).toHaveLength(1));
      expect((await stand.accepted[0]?.closed)?.code).toBe(code);
    }
    expect(stand.frames).toEqual([]);
    const answer = await received;
    expect(
      answer.includes(Buffer.of(0x88, 2, status >> 8, status & 0xff)),
      answer.toString("hex").slice(-60),
    ).toBe(true);
    await alive(stand.listener.address);
  });
});

describe("whoever speaks no WebSocket is told so, and the listener lives", () => {
  test.each<[string, string, RegExp]>([
    ["a plain request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 426 /],
    ["a request for a file", "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 426 /],
    ["a POST", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", /^HTTP\/1\.1 426 /],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      /^HTTP\/1\.1 4/,
    ],
    ["binary", "\0".repeat(70_000), /^HTTP\/1\.1 400 /],
    ["huge headers", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ["TLS", "\x16\x03\x01\x02\x00\x01", /^HTTP\/1\.1 400 /],
  ])("W14: %s", async (_what, first, answer) => {
    const { port, listener, problems } = await listening();
    const socket = connect(port, "127.0.0.1");
    const received = everything(socket);
    socket.write(first, "latin1");
    expect((await received).toString("latin1")).toMatch(answer);
    expect(problems).toMatchObject([{ code: "bad-magic" }]);
    await alive(listener.address);
  });

  test("our own plain transport", async () => {
    const { port, listener } = await listening();
    await expect(createTcpTransport().dial(`tcp://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "bad-magic",
    });
    await alive(listener.address);
  });

  test("W14: headers a byte at a time are given the time of a handshake", async () => {
    const { port, problems, listener } = await listening({}, { handshakeMsMax: 100 });
    const socket = connect(port, "127.0.0.1");
    const ended = everything(socket);
    const drip = setInterval(() => socket.write("G"), 15);
    socket.write("GET / HTTP/1.1\r\nA: ");
    await ended;
    clearInterval(drip);
    expect(problems).toMatchObject([{ code: "handshake-timeout" }]);
    await alive(listener.address);
  });

  test("a page that opens and says nothing", async () => {
    const { listener, problems } = await listening({}, { handshakeMsMax: 60 });
    const socket = new WebSocket(listener.address, { origin: PAGE });
    await new Promise((resolve) => socket.once("close", resolve));
    expect(problems).toMatchObject([{ code: "handshake-timeout" }]);
  });

  test("closing a listener does not wait for those who are still shaking hands", async () => {
    const { port, listener } = await listening();
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const ended = everything(socket);
    await listener.close();
    await ended;
  });
});

describe("a dial to what is no WebSocket of ours", () => {
  test.each<[string, (socket: Socket) => void, string]>([
    ["says nothing", () => {}, "handshake-timeout"],
    ["hangs up", (socket) => socket.destroy(), "refused"],
    ["is our plain transport", (socket) => socket.write(preamble()), "bad-magic"],
    ["is another program", (socket) => socket.write("SSH-2.0-x\r\n"), "bad-magic"],
    [
      "is a web server",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
      "bad-magic",
    ],
    [
      "redirects",
      (socket) => socket.write("HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
      "bad-magic",
    ],
    ["does not let us in", (socket) => socket.write("HTTP/1.1 403 x\r\n\r\n"), "not-permitted"],
    [
      "upgrades without having understood",
      (socket) => socket.write("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
      "bad-magic",
    ],
  ])("one that %s", async (_what, answer, code) => {
    const port = await serving(createServer((socket) => void socket.once("data", () => answer(socket))));
    await expect(
      createWebSocketTransport().dial(`ws://127.0.0.1:${port}/`, { handshakeMsMax: 100 }),
    ).rejects.toMatchObject({ code });
  });

  test("one that compresses, or sends text", async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
    open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
    const extensions = new Promise((resolve) => {
      server.once("connection", (socket, { headers }) => {
        resolve(headers["sec-websocket-extensions"]);
        socket.send("text");
      });
    });
    await new Promise((resolve) => server.once("listening", resolve));
    const bound = server.address();
    const port = bound === null || typeof bound === "string" ? 0 : bound.port;
    await expect(createWebSocketTransport().dial(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: "protocol-error",
      message: expect.stringContaining("text"),
    });
    expect(await extensions).toBeUndefined();
  });
});

test("a frame of 16 MiB goes in messages of 65 KiB at most", async () => {
  const stand = await listening();
  const { socket } = await page(stand);
  let longest = 0;
  let bytes = 0;
  socket.on("message", (data) => {
    longest = Math.max(longest, (data as Buffer).length);
    bytes += (data as Buffer).length;
  });
  await vi.waitFor(() => expect(stand.accepted).toHaveLength(1));
  stand.accepted[0]?.send(new Uint8Array(16 * 1024 * 1024));
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(16 * 1024 * 1024), { timeout: 5_000 });
  expect(longest).toBe(MESSAGE_BYTES_MAX);
});
