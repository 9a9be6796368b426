import { generateKeyPairSync } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { UsageError } from "../core/index.js";
import { preamble } from "../wire/index.js";
import { createAuthority, type Certified } from "./certificates.js";
import { createTcpTransport } from "./tcp.js";
import { createTlsTransport, type TlsOptions } from "./tls.js";
import type { Connection, Listener, ListenOptions } from "./transport.js";
import type { TransportError } from "./transport-error.js";

const authority = createAuthority();
const HOSTS = ["localhost", "127.0.0.1", "::1"];
const good = authority.issue({ name: "good", hosts: HOSTS });
const trusted = { ...good, ca: authority.cert };
const DAY = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY);

const stranger = createAuthority();
/** Says that it is of our authority, whose name it bears; but another key signed it. */
const impostor = createAuthority({ name: "Lightcone development authority" });
const ownKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const selfSigned = createAuthority({ name: "me", keys: ownKeys }).issue({
  name: "me",
  hosts: HOSTS,
  keys: ownKeys,
});

/** What a certificate may lack, and what must be said about it. */
const FAULTS: readonly (readonly [what: string, certified: Certified, reason: RegExp])[] = [
  [
    "is of another authority",
    stranger.issue({ name: "x", hosts: HOSTS }),
    /authority that is not trusted here/,
  ],
  [
    "only names our authority",
    impostor.issue({ name: "x", hosts: HOSTS }),
    /not trusted here|was not signed by/,
  ],
  [
    "has expired",
    authority.issue({ name: "x", hosts: HOSTS, notBefore: ago(9), notAfter: ago(1) }),
    /has expired/,
  ],
  [
    "is not valid yet",
    authority.issue({ name: "x", hosts: HOSTS, notBefore: ago(-1), notAfter: ago(-9) }),
    /is not valid yet/,
  ],
  ["is self-signed", selfSigned, /is self-signed/],
  ["is an authority's own", { cert: stranger.cert, key: stranger.key }, /is not meant for this end/],
];

let open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  open = [];
});

/** A TLS listener that says what it sees. */
async function listening(
  options: TlsOptions = trusted,
  listenOptions: ListenOptions = {},
): Promise<{ listener: Listener; port: number; problems: TransportError[]; accepted: Connection[] }> {
  const problems: TransportError[] = [];
  const accepted: Connection[] = [];
  const listener = await createTlsTransport(options).listen(
    "tls://127.0.0.1:0",
    (connection) => accepted.push(connection),
    { onProblem: (problem) => problems.push(problem), ...listenOptions },
  );
  open.push(listener);
  return {
    listener,
    port: Number(listener.address.slice(listener.address.lastIndexOf(":") + 1)),
    problems,
    accepted,
  };
}

/** The listener works: the good peer comes in. */
async function alive(address: string): Promise<void> {
  const connection = await createTlsTransport(trusted).dial(address);
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

function over(socket: Socket): Promise<void> {
  socket.on("error", () => {}).resume();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

describe("T01: a certificate that is not right is refused, with the reason", () => {
  test.each(FAULTS)("one that %s, shown by a listener", async (_what, certified, reason) => {
    const { listener, accepted } = await listening({ ...certified, ca: authority.cert });
    const dial = createTlsTransport(trusted).dial(listener.address);
    await expect(dial).rejects.toMatchObject({
      code: "bad-certificate",
      message: expect.stringMatching(reason),
    });
    await expect(dial).rejects.toThrow(listener.address);
    expect(accepted).toEqual([]);
  });

  test.each(FAULTS)("one that %s, shown by a dialler", async (_what, certified, reason) => {
    const { listener, problems, accepted } = await listening();
    await expect(
      createTlsTransport({ ...certified, ca: authority.cert }).dial(listener.address),
    ).rejects.toMatchObject({ code: "refused", message: expect.stringContaining("this side's certificate") });
    await vi.waitFor(() =>
      expect(problems).toMatchObject([{ code: "bad-certificate", message: expect.stringMatching(reason) }]),
    );
    // Its port, to look for it.
    expect(problems[0]?.message).toMatch(/^tls:\/\/127\.0\.0\.1:[0-9]+: its certificate /);
    expect(accepted).toEqual([]);
    await alive(listener.address);
  });

  test("none at all", async () => {
    const { listener, problems, accepted } = await listening();
    await expect(createTlsTransport({ ca: authority.cert }).dial(listener.address)).rejects.toMatchObject({
      code: "bad-certificate",
      message: expect.stringContaining("wants a certificate, and this side has none"),
    });
    await vi.waitFor(() => expect(problems).toMatchObject([{ code: "bad-certificate" }]));
    expect(problems[0]?.message).toContain("has no certificate");
    expect(accepted).toEqual([]);
  });

  test("one for another name, though of the right authority", async () => {
    const elsewhere = authority.issue({ name: "x", hosts: ["example.org", "10.0.0.7"] });
    const { listener } = await listening({ ...elsewhere, ca: authority.cert });
    await expect(createTlsTransport(trusted).dial(listener.address)).rejects.toMatchObject({
      code: "bad-certificate",
      message: expect.stringMatching(/is for another name: .*127\.0\.0\.1.*10\.0\.0\.7/),
    });
  });

  test("one with a weak key", async () => {
    const keys = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    const weak = authority.issue({ name: "x", hosts: HOSTS, keys });
    expect(() => createTlsTransport({ ...weak, ca: authority.cert })).toThrow(/key too small/);
    const server = createTlsServer({ ...weak, minVersion: "TLSv1.3", ciphers: "DEFAULT:@SECLEVEL=0" });
    const port = await serving(server);
    await expect(createTlsTransport(trusted).dial(`tls://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "bad-certificate",
      message: expect.stringContaining("key too weak"),
    });
  });

  test("TLS 1.2 is refused by both ends", async () => {
    const { listener, port, problems } = await listening();
    await over(connectTls({ ...trusted, host: "127.0.0.1", port, maxVersion: "TLSv1.2" }));
    expect(problems).toMatchObject([{ code: "version", message: expect.stringContaining("TLS 1.3") }]);
    await alive(listener.address);
    const old = await serving(createTlsServer({ ...good, maxVersion: "TLSv1.2" }));
    await expect(createTlsTransport(trusted).dial(`tls://127.0.0.1:${old}`)).rejects.toMatchObject({
      code: "version",
    });
  });
});

test("the host that was dialled is what counts, also by name and over IPv6", async () => {
  const byName = await createTlsTransport(trusted).listen("tls://[::1]:0", () => {});
  open.push(byName);
  expect(byName.address).toMatch(/^tls:\/\/\[::1\]:[1-9]/);
  await alive(byName.address);
  const { port } = await listening();
  await alive(`tls://localhost:${port}`);
});

test("the system's authorities count for nothing, and a chain of two is followed", async () => {
  const { listener } = await listening({ ...trusted, ca: [stranger.cert, authority.cert] });
  await alive(listener.address);
});

test("a service open to all is so only when it says so", async () => {
  const { listener } = await listening({ ...trusted, clients: "anyone" });
  const connection = await createTlsTransport({ ca: authority.cert }).dial(listener.address);
  await connection.close();
});

test("T02: NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing, and is warned about", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const warning = new Promise<Error>((resolve) => {
    process.on("warning", function take(found) {
      if (!("code" in found) || found.code !== "LIGHTCONE_TLS_ENVIRONMENT") return;
      process.off("warning", take);
      resolve(found);
    });
  });
  try {
    const foreign = stranger.issue({ name: "x", hosts: HOSTS });
    const untrusted = await listening({ ...foreign, ca: authority.cert });
    await expect(createTlsTransport(trusted).dial(untrusted.listener.address)).rejects.toMatchObject({
      code: "bad-certificate",
    });
    const { listener, problems } = await listening();
    await expect(
      createTlsTransport({ ...foreign, ca: authority.cert }).dial(listener.address),
    ).rejects.toMatchObject({ code: "refused" });
    await vi.waitFor(() => expect(problems).toMatchObject([{ code: "bad-certificate" }]));
    expect((await warning).message).toContain("NODE_TLS_REJECT_UNAUTHORIZED=0 is set");
  } finally {
    vi.unstubAllEnvs();
  }
});

describe("T03: whoever speaks no TLS learns it within a second, and the listener lives", () => {
  test("our own plain transport on a TLS port", async () => {
    const { listener, port, problems } = await listening();
    const began = performance.now();
    await expect(createTcpTransport().dial(`tcp://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "bad-magic",
      message: expect.stringContaining("the peer speaks TLS"),
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(problems).toMatchObject([
      { code: "bad-magic", message: expect.stringContaining("does not speak TLS") },
    ]);
    await alive(listener.address);
  });

  test.each(["GET / HTTP/1.1\r\n\r\n", "\0".repeat(65_536), "SSH-2.0-x\r\n", "\x16\x03\x01\x00\x05nonsense"])(
    "%j on a TLS port",
    async (first) => {
      const { listener, port, problems } = await listening();
      const socket = connect(port, "127.0.0.1");
      socket.write(first, "latin1");
      await over(socket);
      await vi.waitFor(() => expect(problems).toMatchObject([{ code: "bad-magic" }]));
      await alive(listener.address);
    },
  );

  test("TLS on our own plain port", async () => {
    const problems: TransportError[] = [];
    const plain = await createTcpTransport().listen("tcp://127.0.0.1:0", () => {}, {
      onProblem: (problem) => problems.push(problem),
    });
    open.push(plain);
    const began = performance.now();
    await expect(createTlsTransport(trusted).dial(plain.address.replace("tcp", "tls"))).rejects.toMatchObject(
      {
        code: "bad-magic",
        message: expect.stringContaining("is it a plain tcp:// address?"),
      },
    );
    expect(performance.now() - began).toBeLessThan(1_000);
    await vi.waitFor(() => expect(problems).toMatchObject([{ code: "bad-magic" }]));
    const connection = await createTcpTransport().dial(plain.address);
    await connection.close();
  });
});

describe("T04: a handshake that stops is ended in time", () => {
  test("a client's, at each byte of its first message, and before ours", async () => {
    const { port, problems, listener } = await listening(trusted, { handshakeMsMax: 100 });
    const hello = await clientHello();
    const sockets = Array.from({ length: 40 }, (_, i) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(hello.subarray(0, Math.floor((i * (hello.length - 1)) / 39)));
      return over(socket);
    });
    await Promise.all(sockets);
    expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: 40 }, () => "handshake-timeout"));
    // TLS is complete, and then nothing: not even our preamble.
    await over(connectTls({ ...trusted, host: "127.0.0.1", port }));
    expect(problems.at(-1)?.code).toBe("handshake-timeout");
    await alive(listener.address);
  });

  test("whoever leaves in the middle is told of with the address it had", async () => {
    const { port, problems } = await listening();
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const own = `tls://127.0.0.1:${socket.localPort}`;
    socket.end((await clientHello()).subarray(0, 50));
    await over(socket);
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(problems).toMatchObject([{ code: "closed", message: `${own} left during the TLS handshake` }]);
  });

  test("a server's that accepts and says nothing", async () => {
    const port = await serving(createServer(() => {}));
    await expect(
      createTlsTransport(trusted).dial(`tls://127.0.0.1:${port}`, { handshakeMsMax: 80 }),
    ).rejects.toMatchObject({ code: "handshake-timeout" });
  });

  test("a server's that hangs up", async () => {
    const port = await serving(createServer((socket) => socket.destroy()));
    await expect(createTlsTransport(trusted).dial(`tls://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "refused",
    });
  });

  test("closing a listener does not wait for those who are still shaking hands", async () => {
    const { listener, port } = await listening();
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const ended = over(socket);
    await listener.close();
    await ended;
  });
});

test("T11: what a certificate says of its owner cannot reach a terminal", async () => {
  const hostile = authority.issue({ name: "\x1b[2J\x1b]0;x\x07\u202e<b>\0\nP1", hosts: [] });
  const { port } = await listening({ ...hostile, ca: authority.cert });
  const refusal: unknown = await createTlsTransport(trusted)
    .dial(`tls://localhost:${port}`)
    .catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "bad-certificate" });
  const { message } = refusal as Error;
  expect(message).toMatch(/is for another name/);
  // oxlint-disable-next-line no-control-regex
  expect(message).not.toMatch(/[\0-\x1f\x7f\u202e]/);
});

test("nobody in between can read a frame, or change one unnoticed", async () => {
  const { port, accepted } = await listening();
  let seen = Buffer.alloc(0);
  let damage = false;
  const relay = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    client.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      if (damage) chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1;
      server.write(chunk);
    });
    server.on("data", (chunk) => client.write(chunk));
    server.on("error", () => {});
    server.on("close", () => client.destroy());
    client.on("close", () => server.destroy());
  });
  const connection = await createTlsTransport(trusted).dial(`tls://127.0.0.1:${await serving(relay)}`);
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
  const frames: string[] = [];
  accepted[0]?.receive((bytes, start, end) =>
    frames.push(Buffer.from(bytes.subarray(start, end)).toString()),
  );
  connection.send(Buffer.from("a secret between two"));
  await vi.waitFor(() => expect(frames).toEqual(["a secret between two"]));
  expect(seen.includes("secret")).toBe(false);
  expect(seen.includes(Buffer.from(preamble()))).toBe(false);
  damage = true;
  connection.send(Buffer.from("another"));
  expect((await accepted[0]?.closed)?.code).toBe("reset");
  expect(frames).toHaveLength(1);
});

test.each<[string, TlsOptions, RegExp]>([
  ["a key of another certificate", { ...trusted, key: stranger.key }, /cannot be used: key values mismatch/],
  [
    "a certificate without a key",
    { ca: authority.cert, cert: good.cert },
    /give both cert and key, or neither/,
  ],
  ["no authority", { ...trusted, ca: [] }, /names no authority/],
  ["an authority that is none", { ...trusted, ca: "hello" }, /ca takes certificates in PEM/],
  [
    "a path in place of a certificate",
    { ...trusted, cert: "certs/cert.pem" },
    /cert takes certificates in PEM/,
  ],
  ["a key that is none", { ...trusted, key: "hello" }, /cannot be used/],
])("%s is the caller's mistake, before anybody connects", (_what, options, reason) => {
  expect(() => createTlsTransport(options)).toThrow(UsageError);
  expect(() => createTlsTransport(options)).toThrow(reason);
});

test("listening takes a certificate", async () => {
  await expect(
    createTlsTransport({ ca: authority.cert }).listen("tls://127.0.0.1:0", () => {}),
  ).rejects.toThrow(/TLS needs a certificate and its key/);
});

/** The first message of a TLS client, as it goes over the wire. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once("data", (chunk: Buffer) => {
        resolve(chunk);
        socket.destroy();
      });
    });
    void serving(server).then((port) => over(connectTls({ ...trusted, host: "127.0.0.1", port })));
  });
}
