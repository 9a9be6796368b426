import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BatchEncoder, crc32, goodbye, preamble } from "../wire/index.js";
import { createTcpTransport } from "./tcp.js";
import type { CloseReason, Connection, Listener, Transport } from "./transport.js";
import type { TransportError } from "./transport-error.js";
import { createUdsTransport, parseUdsAddress, udsAddress } from "./uds.js";

// Peers that do not keep the rules: bare sockets against a listener, and a dial against bare servers.

const OPTIONS = { frameBytesMax: 1024 * 1024, frameMsMax: 80, closeMsMax: 200 };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lightcone-raw-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe.each([
  ["tcp", createTcpTransport(OPTIONS), () => "tcp://127.0.0.1:0"],
  ["uds", createUdsTransport(OPTIONS), () => udsAddress(join(folder, "s.sock"))],
])("%s against a bare socket", (_scheme, transport, address) => {
  test("F01: a frame cut at every byte is one frame", async () => {
    await using server = await Server.start(transport, address());
    const frame = new Uint8Array(40).fill(7);
    const bytes = batch(frame);
    for (let cut = 1; cut < bytes.length; cut++) {
      const peer = await server.peer();
      await peer.write(bytes.subarray(0, cut));
      await peer.write(bytes.subarray(cut));
      await peer.write(goodbye("closed"));
      expect(await server.next()).toMatchObject({ frames: [frame], reason: { code: "closed" } });
      peer.socket.destroy();
    }
  });

  test("F02: a thousand frames in one write are a thousand frames", async () => {
    await using server = await Server.start(transport, address());
    const frames = Array.from({ length: 1_000 }, (_, i) => Uint8Array.of(i, i >> 8));
    const peer = await server.peer();
    await peer.write(batch(...frames));
    await peer.write(goodbye("closed"));
    expect((await server.next()).frames).toEqual(frames);
  });

  test("F03: 10 KiB a byte at a time are one frame", async () => {
    await using server = await Server.start(transport, address());
    const frame = new Uint8Array(10_240).fill(3);
    const peer = await server.peer();
    for (const byte of batch(frame)) peer.socket.write(Uint8Array.of(byte));
    await peer.write(goodbye("closed"));
    expect((await server.next()).frames).toEqual([frame]);
  });

  test("F04, F05: a length beyond the limit ends the connection, and the peer is told why", async () => {
    await using server = await Server.start(transport, address());
    for (const length of [OPTIONS.frameBytesMax + 5, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const peer = await server.peer();
      await peer.write(headerFor(length));
      expect(await server.next()).toMatchObject({ frames: [], reason: { code: "frame-too-long" } });
      expect(await peer.everything()).toContain("frame-too-long");
    }
  });

  test("F07: a batch that is not finished in time ends the connection, though bytes keep coming", async () => {
    await using server = await Server.start(transport, address());
    const peer = await server.peer();
    const bytes = batch(new Uint8Array(1_000_000));
    await peer.write(bytes.subarray(0, 20));
    const drip = setInterval(() => peer.socket.write(bytes.subarray(20, 21)), 10);
    const { frames, reason } = await server.next();
    clearInterval(drip);
    expect(frames).toEqual([]);
    expect(reason.code).toBe("frame-timeout");
    expect(await peer.everything()).toContain("frame-timeout");
  });

  test("F07: a slow peer whose batches are finished in time stays", async () => {
    await using server = await Server.start(transport, address());
    const peer = await server.peer();
    const bytes = batch(Uint8Array.of(1));
    for (let i = 0; i < 8; i++) {
      await peer.write(bytes.subarray(0, 10));
      await passed(25);
      await peer.write(bytes.subarray(10));
    }
    await peer.write(goodbye("closed"));
    expect(await server.next()).toMatchObject({ frames: { length: 8 }, reason: { code: "closed" } });
  });

  test("F10: other programs are cut off after their first bytes, and the listener lives", async () => {
    await using server = await Server.start(transport, address());
    for (const first of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "\0".repeat(65_536)]) {
      const socket = server.bare();
      socket.write(first, "latin1");
      await over(socket);
      expect((await server.problem()).code).toBe("bad-magic");
    }
    await (await server.peer()).write(goodbye("closed"));
    expect((await server.next()).reason.code).toBe("closed");
  });

  test("F10: a program that speaks text is told in words, however much it sends", async () => {
    await using server = await Server.start(transport, address());
    const socket = server.bare();
    let answer = "";
    socket.setEncoding("latin1").on("data", (words: string) => (answer += words));
    socket.write("5 10\n" + "9".repeat(200_000));
    await over(socket);
    expect(answer).toMatch(
      /^[^a-z]+\nLightcone: binary frames are spoken here, and what came is text[^\n]+\n$/,
    );
    expect((await server.problem()).code).toBe("bad-magic");
  });

  test("F11: a flipped bit anywhere is found, the payload is not delivered, the peer is told", async () => {
    await using server = await Server.start(transport, address());
    const bytes = batch(new Uint8Array(30).fill(9));
    for (let bit = 0; bit < bytes.length * 8; bit += 7) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const peer = await server.peer();
      await peer.write(damaged);
      const { frames, reason } = await server.next();
      expect(frames, `bit ${bit}`).toEqual([]);
      expect(["bad-checksum", "bad-magic", "version"], `bit ${bit}`).toContain(reason.code);
      peer.socket.destroy();
    }
  });

  test("F13: a peer of another version is refused with both versions", async () => {
    await using server = await Server.start(transport, address());
    const newer = preamble();
    newer[4] = 9;
    const socket = server.bare();
    socket.write(newer);
    expect((await server.problem()).message).toMatch(/version 9 .* version 1/);
    await over(socket);
  });

  test("C02: a client that says nothing is cut off in time", async () => {
    await using server = await Server.start(transport, address(), { handshakeMsMax: 60 });
    const socket = server.bare();
    expect((await server.problem()).code).toBe("handshake-timeout");
    await over(socket);
  });

  test("C02: a server that says nothing, or hangs up, or is something else, is the dialler's error", async () => {
    const answers: readonly [string, (socket: Socket) => void][] = [
      ["handshake-timeout", () => {}],
      ["refused", (socket) => socket.destroy()],
      ["bad-magic", (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n")],
      ["limit", (socket) => socket.write(preamble("full"))],
    ];
    for (const [code, answer] of answers) {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        socket.on("error", () => {});
        sockets.push(socket);
        answer(socket);
      });
      const at = address();
      await new Promise<void>((resolve) => {
        if (at.startsWith("uds")) server.listen(parseUdsAddress(at), resolve);
        else server.listen(0, "127.0.0.1", resolve);
      });
      const bound = server.address();
      const target = bound === null || typeof bound === "string" ? at : `tcp://127.0.0.1:${bound.port}`;
      await expect(transport.dial(target, { handshakeMsMax: 60 })).rejects.toMatchObject({ code });
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("a peer that dies is not taken for one that closed in order", async () => {
    await using server = await Server.start(transport, address());
    const peer = await server.peer();
    await peer.write(batch(Uint8Array.of(1)));
    peer.socket.end();
    expect(await server.next()).toMatchObject({ frames: [Uint8Array.of(1)], reason: { code: "reset" } });
    const half = await server.peer();
    await half.write(batch(Uint8Array.of(1)).subarray(0, 10));
    half.socket.end();
    const { reason } = await server.next();
    expect(reason).toMatchObject({ code: "reset", detail: expect.stringContaining("inside a batch") });
  });

  test("close gives up on a peer that takes nothing", async () => {
    await using server = await Server.start(transport, address());
    const peer = await server.peer();
    peer.socket.pause();
    const connection = await server.connection();
    for (let i = 0; i < 16; i++) connection.send(new Uint8Array(OPTIONS.frameBytesMax));
    await connection.close();
    expect((await connection.closed).code).toBe("closed");
    peer.socket.destroy();
  });

  test("a sender who never waits gets an error before memory runs out", async () => {
    const small = address().startsWith("tcp")
      ? createTcpTransport({ ...OPTIONS, highWaterBytes: 1_000, bufferBytesMax: 10_000 })
      : createUdsTransport({ ...OPTIONS, highWaterBytes: 1_000, bufferBytesMax: 10_000 });
    await using server = await Server.start(small, address());
    const peer = await server.peer();
    const connection = await server.connection();
    expect(connection.send(new Uint8Array(2_000))).toBe(false);
    expect(() => {
      for (;;) connection.send(new Uint8Array(2_000));
    }).toThrow(expect.objectContaining({ code: "buffer-full" }));
    peer.socket.destroy();
  });

  test("two who dial read frames of all sizes, at once and after a pause, as they were sent", async () => {
    // Beyond what one read takes, and cut by it anywhere.
    const sizes = [0, 1, 65_535, 65_536, 100_000, 262_130, 262_144, 300_000, 700_000, 5];
    await using listener = await transport.listen(address(), (connection) => {
      connection.receive((bytes, start) => {
        const fill = bytes[start] ?? 0;
        for (const [i, size] of sizes.entries()) connection.send(new Uint8Array(size).fill(fill + i));
      });
    });
    const pair = [await transport.dial(listener.address), await transport.dial(listener.address)];
    for (const [i, connection] of pair.entries()) connection.send(Uint8Array.of(100 * i));
    const received = await Promise.all(
      pair.map(async (connection, i) => {
        // What has arrived by now waits for the receiver.
        if (i === 0) await connection.drained();
        else await new Promise((resolve) => setImmediate(resolve));
        const frames: string[] = [];
        await new Promise<void>((resolve) => {
          connection.receive((bytes, start, end) => {
            const values = new Set(bytes.subarray(start, end));
            frames.push(`${end - start} of ${[...values].join()}`);
            if (frames.length === sizes.length) resolve();
          });
        });
        return frames;
      }),
    );
    const expected = (first: number): string[] =>
      sizes.map((size, i) => `${size} of ${size === 0 ? "" : first + i}`);
    expect(received).toEqual([expected(0), expected(100)]);
    await Promise.all(pair.map((connection) => connection.close()));
  });

  test("what a receiver throws ends its connection and reaches the program", async () => {
    await using server = await Server.start(transport, address());
    const peer = await server.peer();
    const connection = await server.connection();
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    const others = process.listeners("uncaughtException").slice(0, -1);
    for (const other of others) process.off("uncaughtException", other);
    connection.receive(() => {
      throw new Error("the receiver's own");
    });
    await peer.write(batch(Uint8Array.of(1)));
    expect(await thrown).toMatchObject({ message: "the receiver's own" });
    for (const other of others) process.on("uncaughtException", other);
    expect((await connection.closed).code).toBe("aborted");
  });
});

interface Life {
  readonly frames: Uint8Array[];
  readonly reason: CloseReason;
}

/** A listener that gathers what happens to it, and bare sockets that connect to it. */
class Server implements AsyncDisposable {
  readonly #lives: Queue<Life> = new Queue();
  readonly #problems: Queue<TransportError> = new Queue();
  readonly #connections: Queue<Connection> = new Queue();
  readonly #sockets: Socket[] = [];
  #listener!: Listener;

  static async start(transport: Transport, address: string, options = {}): Promise<Server> {
    const server = new Server();
    server.#listener = await transport.listen(address, (connection) => server.#onConnection(connection), {
      onProblem: (problem) => server.#problems.push(problem),
      ...options,
    });
    return server;
  }

  /** A connected socket that has sent nothing. */
  bare(): Socket {
    const { address } = this.#listener;
    const socket = address.startsWith("tcp")
      ? connect(Number(address.slice(address.lastIndexOf(":") + 1)), "127.0.0.1")
      : connect(parseUdsAddress(address));
    socket.setNoDelay(true);
    // Being cut off is what these sockets are for.
    socket.on("error", () => {});
    this.#sockets.push(socket);
    return socket;
  }

  /** A socket that has introduced itself. */
  async peer(): Promise<Peer> {
    const peer = new Peer(this.bare());
    await peer.write(preamble());
    return peer;
  }

  /** The next connection that ended. */
  next(): Promise<Life> {
    return this.#lives.next();
  }

  problem(): Promise<TransportError> {
    return this.#problems.next();
  }

  connection(): Promise<Connection> {
    return this.#connections.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#listener.close();
  }

  #onConnection(connection: Connection): void {
    const frames: Uint8Array[] = [];
    connection.receive((bytes, start, end) => frames.push(Uint8Array.from(bytes.subarray(start, end))));
    this.#connections.push(connection);
    void connection.closed.then((reason) => this.#lives.push({ frames, reason }));
  }
}

class Peer {
  readonly socket: Socket;
  #received = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#received += chunk.toString("latin1")));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
  }

  /** What came until the end. */
  async everything(): Promise<string> {
    await over(this.socket);
    return this.#received;
  }
}

class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

function over(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function batch(...frames: readonly Uint8Array[]): Uint8Array {
  const encoder = new BatchEncoder();
  for (const frame of frames) encoder.add(frame, 0, frame.length);
  const chunks: Uint8Array[] = [];
  encoder.take((bytes, length) => chunks.push(bytes.slice(0, length)));
  return Uint8Array.from(Buffer.concat(chunks));
}

/** A header whose check is right and whose length is a lie. */
function headerFor(length: number): Uint8Array {
  const bytes = Buffer.from(batch(Uint8Array.of(1)).subarray(0, 16));
  bytes.writeUInt32LE(length, 4);
  bytes.writeUInt32LE(crc32(bytes, 0, 12), 12);
  return bytes;
}
