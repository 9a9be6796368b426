import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { describe, expect, onTestFinished, test } from "vitest";
import { Random, UsageError } from "../core/index.js";
import type { Connection, Listener } from "./transport.js";
import type { TransportError } from "./transport-error.js";
import { createUdpTransport, type UdpTransport } from "./udp.js";
import { UdpConnection } from "./udp-connection.js";
import { CookieJar } from "./udp-cookie.js";
import {
  type Datagram,
  datagram,
  goodbyeDatagram,
  ID_BYTES,
  NO_ID,
  PAYLOAD_AT,
  payloadPart,
  readDatagram,
  reasonOf,
  REQUEST_BYTES,
  SHORT_ANSWER_BYTES,
} from "./udp-datagram.js";
import { noneDropped, UDP_FRAME_BYTES_MAX, type UdpOptions } from "./udp-options.js";
import { FramePacker } from "./udp-packer.js";

const QUICK: UdpOptions = { heartbeatMs: 20, silenceMsMax: 150, closeMsMax: 200 };

test("an address is a host and a port, IPv6 in brackets", async () => {
  const udp = createUdpTransport();
  for (const wrong of [
    "udp://127.0.0.1",
    "udp://127.0.0.1:65536",
    "udp://::1:7",
    "tcp://127.0.0.1:1",
    "udp://h:08x",
  ]) {
    await expect(udp.dial(wrong), wrong).rejects.toBeInstanceOf(UsageError);
  }
  await expect(udp.dial("udp://127.0.0.1:0")).rejects.toThrow(/port 0/);
});

test("C17: IPv6 works where the machine has it", async ({ skip }) => {
  const udp = createUdpTransport();
  const listener = await udp
    .listen("udp://[::1]:0", (connection) => void connection.close())
    .catch(() => undefined);
  if (listener === undefined) return skip("no IPv6 here");
  expect(listener.address).toMatch(/^udp:\/\/\[::1\]:\d+$/);
  const connection = await udp.dial(listener.address);
  expect((await connection.closed).code).toBe("closed");
  await listener.close();
});

describe("N07: sizes", () => {
  test("the longest frame that any datagram has room for passes, a longer one is refused by name", async () => {
    const udp = createUdpTransport({ frameBytesMax: UDP_FRAME_BYTES_MAX });
    await using server = await Server.start(udp);
    const connection = await udp.dial(server.address);
    connection.send(new Uint8Array(UDP_FRAME_BYTES_MAX).fill(9));
    await until(() => server.frames.length === 1);
    expect(server.frames[0]).toHaveLength(65_488);
    expect(() => connection.send(new Uint8Array(UDP_FRAME_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: "frame-too-long" }),
    );
    expect(() => createUdpTransport({ frameBytesMax: UDP_FRAME_BYTES_MAX + 1 })).toThrow(UsageError);
    connection.abort();
  });

  test("EMSGSIZE is counted, not thrown, and the connection goes on", async () => {
    const counters = noneDropped();
    const sent: Buffer[] = [];
    const connection = new UdpConnection(
      "udp://peer:1",
      NO_ID,
      {
        send: (bytes, done) => {
          sent.push(bytes);
          done(bytes.length > 1_000 ? Object.assign(new Error("too long"), { code: "EMSGSIZE" }) : null);
        },
        release: () => Promise.resolve(),
      },
      {
        frameBytesMax: 60_000,
        datagramBytes: 100,
        highWaterBytes: 1_000_000,
        bufferBytesMax: 1_000_000,
        heartbeatMs: 1_000,
        silenceMsMax: 3_500,
        closeMsMax: 10,
        counters,
      },
    );
    connection.send(new Uint8Array(2_000));
    connection.send(new Uint8Array(2));
    await until(() => sent.length === 2);
    expect(counters.tooLong).toBe(1);
    expect(connection.bufferedBytes).toBe(0);
    await connection.close();
    expect((await connection.closed).code).toBe("closed");
  });
});

test("small frames of one tick share a datagram, up to its size; every datagram has bytes of its own", async () => {
  const packer = new FramePacker(NO_ID, 1_200, 60_000);
  const frame = new Uint8Array(64);
  for (let i = 0; i < 40; i++) {
    frame.fill(i);
    packer.add(frame, 0, 64);
  }
  const datagrams = packer.take();
  expect(datagrams.map((bytes) => bytes.length)).toEqual([16 + 18 * 65, 16 + 18 * 65, 16 + 4 * 65]);
  expect(packer.queuedBytes).toBe(0);
  expect(datagrams.map((bytes) => bytes[PAYLOAD_AT + 1])).toEqual([0, 18, 36]);
  packer.add(new Uint8Array(5_000), 0, 5_000);
  expect(packer.take().map((bytes) => bytes.length)).toEqual([5_018]);
});

test("one array sent two thousand times arrives as two thousand different frames, or is lost", async () => {
  const udp = createUdpTransport({ datagramBytes: 30 });
  await using server = await Server.start(udp);
  const connection = await udp.dial(server.address);
  const frame = Buffer.alloc(4);
  for (let i = 0; i < 2_000; i++) {
    frame.writeUInt32LE(i);
    connection.send(frame);
    if (i % 20 === 0) await until(() => server.frames.length > i - 40, 50).catch(() => {});
  }
  await until(() => server.frames.length > 1_900);
  const numbers = server.frames.map((bytes) => Buffer.from(bytes).readUInt32LE());
  expect(new Set(numbers).size).toBe(numbers.length);
  await connection.close();
});

describe("what is not a datagram of ours", () => {
  test("F11, N06: of a datagram with any one bit flipped nothing is delivered, and each is counted", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const sound = peer.frames(new Uint8Array(200).fill(5));
    for (let bit = 0; bit < 8 * sound.length; bit++) {
      const damaged = Buffer.from(sound);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      peer.send(damaged);
      if (bit % 16 === 0) await until(() => dropped(udp) >= bit);
    }
    peer.send(sound);
    await until(() => server.frames.length > 0);
    expect(server.frames).toHaveLength(1);
    expect(udp.counters).toMatchObject({ foreign: 16, otherVersion: 8, damaged: 8 * sound.length - 24 });
  });

  test("F10, F13: other protocols, other versions and unknown kinds are dropped; only a hello of another version is answered", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp);
    const peer = await Peer.open(server);
    peer.send(Buffer.from("HELLO:1:127.0.0.1:0, 0, 0"));
    peer.send(Buffer.alloc(0));
    const unknown = datagram("ping", NO_ID);
    unknown[3] = 99;
    peer.send(sealed(unknown));
    const newer = datagram("hello", NO_ID, [peer.id], REQUEST_BYTES);
    newer[2] = 2;
    peer.send(newer);
    const answer = await peer.next();
    expect(answer).toMatchObject({ kind: "version" });
    expect(answer.bytes.length).toBeLessThan(REQUEST_BYTES);
    await until(() => dropped(udp) === 4);
    expect(udp.counters).toMatchObject({ foreign: 2, malformed: 1, otherVersion: 1 });
  });

  test("F05: a frame that claims to be longer than its datagram ends the connection, and the peer is told", async () => {
    const udp = createUdpTransport(QUICK);
    await using server = await Server.start(udp);
    for (const payload of [[0xff, 0xff, 0xff], [0xff], [5, 1], [0x80, 0x80, 0x80, 0]]) {
      const peer = await Peer.dial(server);
      const connection = await server.next();
      peer.send(datagram("frames", peer.remoteId, [Uint8Array.from(payload)]));
      const told = await peer.next("goodbye");
      expect(reasonOf(told)).toBe("protocol-error");
      peer.send(datagram("gone", peer.remoteId));
      expect((await connection.closed).code).toBe("protocol-error");
    }
    expect(server.frames).toEqual([]);
  });

  test("F12: random and mutated datagrams do no harm", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const random = Random.stream(7, "datagrams");
    for (let i = 0; i < 2_000; i++) {
      const bytes = i % 2 === 0 ? peer.frames(new Uint8Array(20)) : Buffer.alloc(random.below(100));
      for (let flips = 0; flips < 4 && bytes.length > 0; flips++)
        bytes[random.below(bytes.length)] = random.below(256);
      // Half of those are given a right checksum.
      peer.send(i % 4 === 0 && bytes.length >= 16 ? sealed(bytes) : bytes);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const other = await udp.dial(server.address);
    other.send(Uint8Array.of(42));
    await until(() => server.frames.some((frame) => frame.length === 1 && frame[0] === 42));
    other.abort();
  });
});

describe("N09: strangers", () => {
  test("a thousand hellos leave nothing behind, and no answer is longer than its question", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp, { connectionsMax: 1 });
    const peer = await Peer.open(server);
    for (let i = 0; i < 1_000; i++) {
      peer.send(datagram("hello", NO_ID, [Buffer.alloc(ID_BYTES, i)], REQUEST_BYTES));
      expect((await peer.next("cookie")).bytes.length).toBeLessThanOrEqual(REQUEST_BYTES);
    }
    peer.send(datagram("hello", NO_ID, [peer.id]));
    await until(() => udp.counters.malformed === 1);
    // The one place is still free.
    const connection = await udp.dial(server.address);
    expect(server.accepted).toBe(1);
    connection.abort();
  });

  test("only who received the cookie is let in: not with a guess, nor from elsewhere, nor too late", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp);
    const peer = await Peer.open(server);
    peer.send(datagram("hello", NO_ID, [peer.id], REQUEST_BYTES));
    const cookie = Buffer.from(payloadPart(await peer.next("cookie"), 0, 24));
    const elsewhere = await Peer.open(server);
    elsewhere.send(datagram("open", NO_ID, [peer.id, cookie], REQUEST_BYTES));
    peer.send(datagram("open", NO_ID, [peer.id, Buffer.alloc(24)], REQUEST_BYTES));
    peer.send(datagram("open", NO_ID, [elsewhere.id, cookie], REQUEST_BYTES));
    peer.send(datagram("open", NO_ID, [peer.id, cookie]));
    await until(() => udp.counters.badCookie === 4);
    expect(server.accepted).toBe(0);
    peer.send(datagram("open", NO_ID, [peer.id, cookie], REQUEST_BYTES));
    await peer.next("accept");
    expect(server.accepted).toBe(1);

    let seconds = 100;
    const jar = new CookieJar(15, () => seconds);
    const old = jar.bake(peer.id, "127.0.0.1", 9);
    seconds = 115;
    expect(jar.isGood(old, peer.id, "127.0.0.1", 9)).toBe(true);
    seconds = 116;
    expect(jar.isGood(old, peer.id, "127.0.0.1", 9)).toBe(false);
  });

  test("frames from elsewhere, even with the right id, and for other connections are dropped and counted", async () => {
    const udp = createUdpTransport();
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const spoofer = await Peer.open(server);
    spoofer.send(peer.frames(Uint8Array.of(66)));
    spoofer.send(goodbyeDatagram(peer.remoteId, "closed"));
    await until(() => udp.counters.wrongSource === 2);
    peer.send(datagram("frames", Buffer.alloc(8, 1), [Uint8Array.of(1, 66)]));
    await until(() => udp.counters.unknownConnection === 1);
    peer.send(peer.frames(Uint8Array.of(1)));
    await until(() => server.frames.length === 1);
    expect(server.frames).toEqual([Uint8Array.of(1)]);
  });

  test("N08: a repeated open is answered again; after the end it opens nothing", async () => {
    const udp = createUdpTransport(QUICK);
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const first = peer.remoteId;
    for (let i = 0; i < 10; i++) peer.send(peer.opening);
    expect(Buffer.from(payloadPart(await peer.next("accept"), 0, 8))).toEqual(first);
    const connection = await server.next();
    peer.send(goodbyeDatagram(peer.remoteId, "closed"));
    await connection.closed;
    for (let i = 0; i < 10; i++) peer.send(peer.opening);
    peer.send(datagram("ping", peer.remoteId, [], SHORT_ANSWER_BYTES));
    // Answered after all the others have been read.
    await peer.next("unknown");
    expect(server.accepted).toBe(1);
  });
});

describe("the end", () => {
  test("C15: a peer that falls silent is reset within the stated time", async () => {
    const udp = createUdpTransport(QUICK);
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const connection = await server.next();
    const began = performance.now();
    expect(await connection.closed).toMatchObject({
      code: "reset",
      detail: expect.stringContaining("silent"),
    });
    expect(performance.now() - began).toBeGreaterThan(100);
    expect(reasonOf(await peer.next("goodbye"))).toBe("silence");
  });

  test("an idle connection stays: both say that they are there", async () => {
    const udp = createUdpTransport(QUICK);
    await using server = await Server.start(udp);
    const connection = await udp.dial(server.address);
    let over = false;
    void connection.closed.then(() => (over = true));
    const pings = await Peer.dial(server);
    for (let i = 0; i < 15; i++) {
      await pings.next("ping");
      pings.send(datagram("ping", pings.remoteId, [], SHORT_ANSWER_BYTES));
    }
    expect(over).toBe(false);
    connection.send(Uint8Array.of(1));
    await until(() => server.frames.length === 1);
    connection.abort();
  });

  test("whoever dialled notices at once that the listener's port is closed", async () => {
    const udp = createUdpTransport({ heartbeatMs: 20 });
    const listener = await Peer.listen();
    const dialling = udp.dial(listener.address);
    await listener.letIn();
    const connection = await dialling;
    await listener.close();
    expect(await connection.closed).toMatchObject({
      code: "reset",
      detail: expect.stringContaining("port is closed"),
    });
  });

  test("whoever dialled notices that the listener was restarted at its port", async () => {
    const udp = createUdpTransport({ heartbeatMs: 20 });
    const listener = await Peer.listen();
    const dialling = udp.dial(listener.address);
    await listener.letIn();
    const connection = await dialling;
    const ping = await listener.next("ping");
    listener.send(datagram("unknown", NO_ID, [Buffer.alloc(8, 9)]));
    listener.send(datagram("unknown", NO_ID, [Buffer.from(ping.bytes.subarray(4, 12))]));
    expect(await connection.closed).toMatchObject({
      code: "reset",
      detail: expect.stringContaining("restarted"),
    });
    expect(udp.counters.unknownConnection).toBe(0);
  });

  test("a goodbye that nobody confirms is said again, and given up in time", async () => {
    const udp = createUdpTransport(QUICK);
    await using server = await Server.start(udp);
    const peer = await Peer.dial(server);
    const connection = await server.next();
    const closing = connection.close();
    for (let i = 0; i < 3; i++) expect(reasonOf(await peer.next("goodbye"))).toBe("closed");
    await closing;
    expect((await connection.closed).code).toBe("closed");
  });

  test("a dial that nobody answers is given up by name", async () => {
    const udp = createUdpTransport();
    const silent = await Peer.listen();
    await expect(udp.dial(silent.address, { connectMsMax: 60 })).rejects.toMatchObject({ code: "timed-out" });
    const half = await Peer.listen();
    const dialling = udp
      .dial(half.address, { handshakeMsMax: 60 })
      .catch((error: TransportError) => error.code);
    const hello = await half.next("hello");
    half.send(datagram("cookie", payloadPart(hello, 0, 8), [Buffer.alloc(24)]));
    expect(await dialling).toBe("handshake-timeout");
  });

  test("a dial that something else answers says so", async () => {
    const udp = createUdpTransport();
    const other = await Peer.listen();
    const foreign = udp
      .dial(other.address, { connectMsMax: 80 })
      .catch((error: TransportError) => error.code);
    await other.next("hello");
    other.send(Buffer.from("what?"));
    expect(await foreign).toBe("bad-magic");
    const later = await Peer.listen();
    const newer = udp.dial(later.address).catch((error: TransportError) => error.message);
    const hello = await later.next("hello");
    const version = datagram("version", payloadPart(hello, 0, 8));
    version[2] = 3;
    later.send(version);
    expect(await newer).toMatch(/speaks version 3 of the format, this side version 1/);
  });
});

test.each([1, 2, 3])(
  "N05, N06: through a network that loses, doubles and damages a third (seed %i)",
  async (seed) => {
    const udp = createUdpTransport({ closeMsMax: 5_000 });
    await using server = await Server.start(udp);
    const network = await Network.before(server, seed);
    const connection = await udp.dial(network.address);
    for (let i = 0; i < 300; i++) {
      connection.send(new Uint8Array(1_000).fill(i));
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await connection.close();
    await (
      await server.next()
    ).closed;
    expect(server.frames.length).toBeGreaterThan(50);
    for (const frame of server.frames) expect(frame.every((byte) => byte === frame[0])).toBe(true);
    await until(() => udp.counters.damaged === network.damaged);
    expect(network.damaged).toBeGreaterThan(10);
  },
);

/** A listener that keeps what comes. */
class Server implements AsyncDisposable {
  readonly frames: Uint8Array[] = [];
  readonly #connections: Connection[] = [];
  #taken = 0;
  #listener: Listener | undefined;

  static async start(udp: UdpTransport, options = {}): Promise<Server> {
    const server = new Server();
    const accept = (connection: Connection): void => {
      server.#connections.push(connection);
      connection.receive((bytes, start, end) =>
        server.frames.push(Uint8Array.from(bytes.subarray(start, end))),
      );
    };
    server.#listener = await udp.listen("udp://127.0.0.1:0", accept, options);
    return server;
  }

  get address(): string {
    return this.#listener?.address ?? "";
  }

  get accepted(): number {
    return this.#connections.length;
  }

  async next(): Promise<Connection> {
    await until(() => this.#connections.length > this.#taken);
    const connection = this.#connections[this.#taken++];
    if (connection === undefined) throw new Error("waited for it");
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.abort();
    await this.#listener?.close();
  }
}

/** A bare socket that speaks by hand, as who dials or as who listens. */
class Peer {
  readonly id = Buffer.from(Array.from({ length: 8 }, () => Math.floor(Math.random() * 256)));
  remoteId: Buffer = Buffer.alloc(8);
  opening: Buffer = Buffer.alloc(0);
  readonly #socket: Socket = createSocket("udp4");
  readonly #arrived: Datagram[] = [];
  #to: { readonly port: number; readonly address: string } | undefined;
  #closed = false;

  static async listen(): Promise<Peer> {
    const peer = new Peer();
    peer.#socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
      peer.#to = from;
      const read = readDatagram(bytes);
      if (typeof read === "object") peer.#arrived.push(read);
    });
    await new Promise<void>((resolve) => peer.#socket.bind(0, "127.0.0.1", resolve));
    onTestFinished(() => peer.close());
    return peer;
  }

  static async open(server: Server): Promise<Peer> {
    const peer = await Peer.listen();
    peer.#to = { port: portOf(server.address), address: "127.0.0.1" };
    return peer;
  }

  /** Let in. */
  static async dial(server: Server): Promise<Peer> {
    const peer = await Peer.open(server);
    peer.send(datagram("hello", NO_ID, [peer.id], REQUEST_BYTES));
    const cookie = Buffer.from(payloadPart(await peer.next("cookie"), 0, 24));
    peer.opening = datagram("open", NO_ID, [peer.id, cookie], REQUEST_BYTES);
    peer.send(peer.opening);
    peer.remoteId = Buffer.from(payloadPart(await peer.next("accept"), 0, 8));
    return peer;
  }

  get address(): string {
    return `udp://127.0.0.1:${this.#socket.address().port}`;
  }

  /** As a listener: lets in who dials. */
  async letIn(): Promise<void> {
    const hello = await this.next("hello");
    const id = Buffer.from(payloadPart(hello, 0, 8));
    this.send(datagram("cookie", id, [Buffer.alloc(24)]));
    await this.next("open");
    this.send(datagram("accept", id, [this.id]));
  }

  send(bytes: Buffer): void {
    if (this.#to === undefined) throw new Error("nobody to send to");
    this.#socket.send(bytes, this.#to.port, this.#to.address);
  }

  frames(frame: Uint8Array): Buffer {
    const packer = new FramePacker(this.remoteId, 1_200, 60_000);
    packer.add(frame, 0, frame.length);
    return packer.take()[0] ?? Buffer.alloc(0);
  }

  /** The next datagram, of this kind if one is asked for: others are passed over. */
  async next(kind?: Datagram["kind"]): Promise<Datagram> {
    for (;;) {
      await until(() => this.#arrived.length > 0);
      const arrived = this.#arrived.shift();
      if (arrived !== undefined && (kind === undefined || arrived.kind === kind)) return arrived;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Stands between whoever dials and a server: each datagram may be lost, doubled or damaged, by a seed. */
class Network {
  damaged = 0;
  readonly #front = createSocket("udp4");

  static async before(server: Server, seed: number): Promise<Network> {
    const network = new Network();
    const random = Random.stream(seed, "network");
    const back = createSocket("udp4");
    let client: RemoteInfo | undefined;
    const pass = (bytes: Buffer, onward: (bytes: Buffer) => void): void => {
      const fate = random.below(9);
      if (fate === 0) return;
      if (fate === 1) {
        const damaged = Buffer.from(bytes);
        // Not the magic or the version, so that it is the checksum that must find it.
        const at = 3 + random.below(damaged.length - 3);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
        network.damaged++;
        return onward(damaged);
      }
      onward(bytes);
      if (fate === 2) onward(bytes);
    };
    network.#front.on("message", (bytes: Buffer, from: RemoteInfo) => {
      client = from;
      pass(bytes, (out) => back.send(out, portOf(server.address), "127.0.0.1"));
    });
    back.on("message", (bytes: Buffer) => {
      pass(bytes, (out) => {
        if (client !== undefined) network.#front.send(out, client.port, client.address);
      });
    });
    await new Promise<void>((resolve) => network.#front.bind(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => back.bind(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      network.#front.close();
      back.close();
    });
    return network;
  }

  get address(): string {
    return `udp://127.0.0.1:${this.#front.address().port}`;
  }
}

/** The same with a right checksum. */
function sealed(bytes: Buffer): Buffer {
  const id = bytes.subarray(4, 12);
  const whole = datagram("ping", id, [bytes.subarray(12, -4)]);
  if (bytes[3] === whole[3]) return whole;
  // `datagram` writes only kinds that there are: search the CRC of this one by hand.
  whole[3] = bytes[3] ?? 0;
  whole.writeUInt32LE(crc32(whole.subarray(0, -4)), whole.length - 4);
  return whole;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function dropped({ counters }: UdpTransport): number {
  return Object.values(counters).reduce((sum, count) => sum + count, 0);
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

async function until(isTrue: () => boolean, msMax = 10_000): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`still not: ${isTrue.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
