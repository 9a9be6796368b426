import { spawn } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../core/index.js";
import { BatchEncoder, goodbye, preamble } from "../wire/index.js";
import { createFifoTransport, fifoAddress, parseFifoAddress } from "./fifo.js";
import { identifyFifo, makeFifos, openFifo } from "./fifo-file.js";
import { freshId, pairPaths } from "./fifo-folder.js";
import { encodeKnock, KNOCK_BYTES, KnockReader } from "./fifo-knock.js";
import type { Connection, Listener } from "./transport.js";
import type { TransportError } from "./transport-error.js";

const fifo = createFifoTransport({ frameBytesMax: 1024 * 1024, closeMsMax: 200 });

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "lightcone-fifo-"));
  folder = join(parent, "p1");
});

afterEach(async () => {
  await rm(parent, { recursive: true });
});

test("an address is a folder with what a URL must escape", () => {
  const path = "/run/user/1000/a b%ü";
  expect(parseFifoAddress(fifoAddress(path))).toBe(path);
  for (const wrong of [
    "fifo://x",
    "fifo://",
    "fifo:///",
    "fifo:///a/",
    "fifo:///%",
    "fifo:///a%00b",
    "uds:///a",
  ]) {
    expect(() => parseFifoAddress(wrong), wrong).toThrow(UsageError);
  }
  expect(() => parseFifoAddress(`fifo:///${"x".repeat(4_000)}`)).toThrow(/at most 4000 bytes/);
});

describe("what is in the way of a listener", () => {
  test("O03: a file, a link, and a door that is none of ours stay, and the address is in use", async () => {
    await writeFile(join(parent, "file"), "keep me");
    await mkdir(join(parent, "real"), { mode: 0o700 });
    await symlink(join(parent, "real"), join(parent, "link"));
    await symlink(join(parent, "nowhere"), join(parent, "dangling"));
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, "door"), "keep me");
    for (const name of ["file", "link", "dangling", "p1"]) {
      const before = await lstat(join(parent, name));
      await expect(
        fifo.listen(fifoAddress(join(parent, name)), () => {}),
        name,
      ).rejects.toMatchObject({
        code: "address-in-use",
      });
      expect((await lstat(join(parent, name))).ino).toBe(before.ino);
    }
    expect(await readFile(join(folder, "door"), "utf8")).toBe("keep me");
    expect(readdirSync(folder)).toEqual(["door"]);
  });

  test("O03: a door behind which nobody listens any more is replaced, with what lies around it; other files stay", async () => {
    await mkdir(folder, { mode: 0o700 });
    const left = pairPaths(folder, freshId());
    await makeFifos([join(folder, "door"), left.up, left.down]);
    await writeFile(join(folder, "notes"), "keep me");
    const listener = await fifo.listen(fifoAddress(folder), (connection) => void connection.close());
    expect(readdirSync(folder).toSorted()).toEqual(["door", "notes"]);
    const connection = await fifo.dial(listener.address);
    expect((await connection.closed).code).toBe("closed");
    await listener.close();
    expect(readdirSync(folder)).toEqual(["notes"]);
  });

  test("of two that start at once one listens", async () => {
    await mkdir(folder, { mode: 0o700 });
    await makeFifos([join(folder, "door")]);
    const started = await Promise.allSettled([1, 2, 3].map(() => fifo.listen(fifoAddress(folder), () => {})));
    const listeners = started.filter((one) => one.status === "fulfilled");
    expect(listeners).toHaveLength(1);
    for (const one of started) {
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "address-in-use" });
    }
    expect(readdirSync(folder)).toEqual(["door"]);
    await listeners[0]?.value.close();
  });

  test("O02, O04: the folder is 0700 whatever the umask; one that others may enter or replace is refused", async () => {
    const before = process.umask(0);
    try {
      await using listener = await fifo.listen(fifoAddress(folder), () => {});
      expect(listener.address).toBe(fifoAddress(folder));
      expect((await lstat(folder)).mode & 0o777).toBe(0o700);
      expect((await lstat(join(folder, "door"))).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
    expect(existsSync(folder)).toBe(false);
    await mkdir(folder, { mode: 0o755 });
    const refused = { code: "not-permitted", message: expect.stringContaining("chmod 700") };
    await expect(fifo.listen(fifoAddress(folder), () => {})).rejects.toMatchObject(refused);
    await expect(fifo.dial(fifoAddress(folder))).rejects.toMatchObject(refused);
    await chmod(parent, 0o777);
    await expect(fifo.listen(fifoAddress(join(parent, "p2")), () => {})).rejects.toMatchObject(refused);
    await expect(fifo.listen(fifoAddress(join(parent, "none", "p")), () => {})).rejects.toMatchObject({
      code: "address-unavailable",
    });
  });
});

test("O05: opening FIFOs that nobody else has open holds up nothing", async () => {
  const paths = Array.from({ length: 8 }, (_, i) => join(parent, String(i)));
  await makeFifos(paths);
  const open = paths.flatMap((path) => [openFifo(path, "read"), openFifo(path, "write")]);
  const dials = paths.map((path) =>
    fifo.dial(fifoAddress(`${path}-none`)).catch((error: TransportError) => error.code),
  );
  const mine = new URL(import.meta.url).pathname;
  // Four blocked opens would make this wait for ever.
  expect((await readFile(mine, "utf8")).length).toBeGreaterThan(0);
  expect(await Promise.all(dials)).toEqual(paths.map(() => "refused"));
  for (const fd of open) closeSync(fd);
});

describe("O06: nobody there", () => {
  test("a FIFO without a reader cannot be opened for writing, and is not waited for", async () => {
    const path = join(parent, "f");
    await makeFifos([path]);
    expect(() => openFifo(path, "write")).toThrow(expect.objectContaining({ code: "refused" }));
  });

  test("a listener that goes without answering a knock is noticed while the dial waits", async () => {
    await mkdir(folder, { mode: 0o700 });
    const door = join(folder, "door");
    await makeFifos([door]);
    const fd = openFifo(door, "both");
    const dial = fifo.dial(fifoAddress(folder), { handshakeMsMax: 60_000, connectMsMax: 60_000 });
    const outcome = dial.catch((error: TransportError) => error.code);
    const bytes = new Uint8Array(KNOCK_BYTES);
    await until(() => reads(fd, bytes) === KNOCK_BYTES);
    closeSync(fd);
    expect(await outcome).toBe("refused");
    expect(readdirSync(folder)).toEqual(["door"]);
  });

  test.each([
    ["between frames", new Uint8Array(0)],
    ["inside a batch", batch(new Uint8Array(1_000)).subarray(0, 500)],
  ])("a peer that dies %s is reset at once", async (_when, last) => {
    await using server = await Server.start();
    const peer = await Peer.dial(folder);
    peer.write(batch(Uint8Array.of(1)));
    peer.write(last);
    const connection = await server.next();
    await until(() => server.frames.length === 1);
    peer.die();
    expect(await connection.closed).toMatchObject({ code: "reset" });
  });

  test("a peer that stops reading for good is reset, after what it had said", async () => {
    await using server = await Server.start();
    const peer = await Peer.dial(folder);
    const connection = await server.next();
    peer.stopReading();
    connection.send(new Uint8Array(100_000));
    expect(await connection.closed).toMatchObject({
      code: "reset",
      detail: expect.stringContaining("EPIPE"),
    });
    peer.die();

    const polite = await Peer.dial(folder);
    const second = await server.next();
    polite.stopReading();
    second.send(new Uint8Array(100_000));
    polite.write(goodbye("closed"));
    expect(await second.closed).toMatchObject({ code: "closed" });
    polite.die();
  });
});

describe("O07: one writer for each pipe", () => {
  test("frames of 4,096, 4,097 and 65,536 bytes of two senders at once are never torn", async () => {
    const patient = createFifoTransport();
    const received: Uint8Array[] = [];
    await using listener = await patient.listen(fifoAddress(folder), (connection) => {
      connection.receive((bytes, start, end) => received.push(Uint8Array.from(bytes.subarray(start, end))));
    });
    const senders = [await patient.dial(listener.address), await patient.dial(listener.address)];
    const sizes = [4_096, 4_097, 65_536];
    await Promise.all(
      senders.map(async (sender, which) => {
        for (let i = 0; i < 300; i++) {
          const frame = new Uint8Array(sizes[i % 3] ?? 0).fill(2 * (i % 100) + which);
          if (!sender.send(frame) || i % 7 === 0) await sender.drained();
        }
        await sender.close();
      }),
    );
    await until(() => received.length === 600);
    expect(received.filter((frame) => frame.some((byte) => byte !== frame[0]))).toEqual([]);
  });

  test("no second writer finds the pipe, and a knock is answered once", async () => {
    await using server = await Server.start();
    const peer = await Peer.dial(folder);
    await server.next();
    expect(readdirSync(folder)).toEqual(["door"]);
    peer.knockAgain();
    await until(() => server.problems.length === 1);
    expect(server.problems).toEqual(["refused"]);
    peer.write(batch(Uint8Array.of(7)));
    await until(() => server.frames.length === 1);
    peer.die();
  });
});

describe("O08: what is opened is what was looked at", () => {
  test("a FIFO replaced by another, by a file or by a link is refused, and nothing is read or written", async () => {
    const path = join(parent, "f");
    await makeFifos([path, join(parent, "other")]);
    const expected = identifyFifo(path);
    // Kept under another name, so that its inode is not given to the next file.
    renameSync(path, join(parent, "kept"));
    for (const replace of [
      () => makeFifos([path]),
      () => writeFile(path, "keep me", { mode: 0o600 }),
      () => symlink(join(parent, "other"), path),
      () => mkdir(path),
    ]) {
      await replace();
      for (const access of ["read", "both"] as const) {
        expect(() => openFifo(path, access, expected)).toThrow(
          expect.objectContaining({ code: "not-permitted" }),
        );
      }
      await rm(path, { recursive: true });
    }
    expect(() => openFifo(path, "read", expected)).toThrow(expect.objectContaining({ code: "refused" }));
  });

  test("a FIFO that others may open is not used", async () => {
    const path = join(parent, "f");
    await makeFifos([path]);
    await chmod(path, 0o622);
    expect(() => openFifo(path, "read")).toThrow(/others may open it/);
  });

  test("in a race with whoever swaps FIFO and file, no file is ever opened for use", async () => {
    const path = join(parent, "f");
    await makeFifos([path]);
    await writeFile(join(parent, "file"), "", { mode: 0o600 });
    const swap = `const { renameSync: r } = require("node:fs"); const [f, x, y] = process.argv.slice(1);
      process.stdout.write("ready"); for (;;) { r(f, x); r(y, f); r(f, y); r(x, f); }`;
    const swapper = spawn(process.execPath, ["-e", swap, path, join(parent, "x"), join(parent, "file")]);
    onTestFinished(() => void swapper.kill("SIGKILL"));
    await new Promise((resolve) => swapper.stdout.once("data", resolve));
    const outcomes = new Set<string>();
    for (let i = 0; i < 5_000; i++) {
      try {
        const fd = openFifo(path, "both");
        // Only a FIFO gives EAGAIN; a file would be read to its end.
        expect(() => readSync(fd, new Uint8Array(1))).toThrow(/EAGAIN/);
        closeSync(fd);
        outcomes.add("opened");
      } catch (error) {
        if (!(error instanceof Error && "code" in error)) throw error;
        outcomes.add(String(error.code));
      }
    }
    expect([...outcomes].filter((one) => !["opened", "refused", "not-permitted"].includes(one))).toEqual([]);
    expect(outcomes).toContain("opened");
    await new Promise((resolve) => {
      swapper.once("close", resolve);
      swapper.kill("SIGKILL");
    });
  });
});

describe("a knock", () => {
  const knock = Buffer.from(
    encodeKnock("ab".repeat(16), { device: 1n, inode: 2n }, { device: 1n, inode: 3n }),
  );
  const read = { id: "ab".repeat(16), up: 2n, down: 3n };

  test("F01: cut anywhere is one knock; F02: many in one piece are many", () => {
    for (let cut = 1; cut < knock.length; cut++) {
      const reader = new KnockReader();
      expect(reader.push(knock.subarray(0, cut)).knocks).toEqual([]);
      expect(reader.push(knock.subarray(cut))).toEqual({ knocks: [read], strayBytes: 0 });
    }
    expect(new KnockReader().push(Buffer.concat([knock, knock, knock])).knocks).toHaveLength(3);
  });

  test("F11: with any bit flipped is none", () => {
    for (let bit = 0; bit < 8 * knock.length; bit++) {
      const damaged = Buffer.from(knock);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // The eight bytes of version and zeros are checked by the CRC, too.
      expect(new KnockReader().push(damaged).knocks, `bit ${bit}`).toEqual([]);
    }
  });

  test("F10: is found behind rubbish, which is reported", async () => {
    await using server = await Server.start();
    const door = openSync(join(folder, "door"), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(door, "GET / HTTP/1.1\r\n\r\n");
    closeSync(door);
    const connection = await fifo.dial(fifoAddress(folder));
    expect(server.problems).toEqual(["bad-magic"]);
    connection.abort();
  });
});

test("F10, F11: a peer that speaks something else, or damages a batch, is cut off with the reason", async () => {
  await using server = await Server.start();
  const stranger = await Peer.dial(folder, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await until(() => server.problems.length === 1);
  expect(server.problems).toEqual(["bad-magic"]);
  stranger.die();
  const clumsy = await Peer.dial(folder);
  const connection = await server.next();
  const damaged = batch(Uint8Array.of(1, 2, 3));
  damaged[18] = (damaged[18] ?? 0) ^ 4;
  clumsy.write(damaged);
  expect(await connection.closed).toMatchObject({ code: "bad-checksum" });
  expect(clumsy.everything()).toContain("bad-checksum");
  expect(server.frames).toEqual([]);
  clumsy.die();
});

test("without mkfifo the error says so, and when it fails nothing is left", async () => {
  await expect(makeFifos([join(parent, "f")], "mkfifo-that-is-not-there")).rejects.toMatchObject({
    code: "mkfifo-missing",
    message: expect.stringContaining("mkfifo"),
  });
  await expect(makeFifos([join(parent, "f"), join(parent, "none", "g")])).rejects.toMatchObject({
    code: "refused",
  });
  expect(readdirSync(parent)).toEqual([]);
});

test("O09: links live on when the folder is gone, and nobody new comes in", async () => {
  await using server = await Server.start();
  const connection = await fifo.dial(fifoAddress(folder));
  renameSync(folder, `${folder}-gone`);
  connection.send(Uint8Array.of(1));
  await until(() => server.frames.length === 1);
  await expect(fifo.dial(fifoAddress(folder))).rejects.toMatchObject({ code: "refused" });
  renameSync(`${folder}-gone`, folder);
});

/** A listener that keeps what comes. */
class Server implements AsyncDisposable {
  readonly frames: Uint8Array[] = [];
  readonly problems: string[] = [];
  readonly #connections: Connection[] = [];
  #taken = 0;
  #listener: Listener | undefined;

  static async start(): Promise<Server> {
    const server = new Server();
    server.#listener = await fifo.listen(
      fifoAddress(folder),
      (connection) => {
        server.#connections.push(connection);
        connection.receive((bytes, start, end) =>
          server.frames.push(Uint8Array.from(bytes.subarray(start, end))),
        );
      },
      { onProblem: ({ code }) => server.problems.push(code) },
    );
    return server;
  }

  async next(): Promise<Connection> {
    await until(() => this.#connections.length > this.#taken);
    const connection = this.#connections[this.#taken++];
    if (connection === undefined) throw new Error("waited for it");
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close();
  }
}

/** Whoever dials, by hand: to the system the end of a process is the end of its descriptors. */
class Peer {
  #reading = -1;
  #writing = -1;
  #knock: Uint8Array = new Uint8Array(0);
  #folder = "";
  #open = new Set<number>();

  static async dial(to: string, first: Uint8Array = preamble()): Promise<Peer> {
    const peer = new Peer();
    const id = freshId();
    const { up, down } = pairPaths(to, id);
    await makeFifos([up, down]);
    peer.#folder = to;
    peer.#knock = encodeKnock(id, identifyFifo(up), identifyFifo(down));
    peer.#reading = peer.#keep(openFifo(down, "read"));
    const standIn = openFifo(up, "read");
    peer.#writing = peer.#keep(openFifo(up, "write"));
    peer.knockAgain();
    peer.write(first);
    await until(() => !existsSync(up) && !existsSync(down));
    closeSync(standIn);
    return peer;
  }

  knockAgain(): void {
    const door = openFifo(join(this.#folder, "door"), "write");
    writeSync(door, this.#knock);
    closeSync(door);
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0) writeSync(this.#writing, bytes);
  }

  /** What has come so far. */
  everything(): string {
    const bytes = new Uint8Array(65_536);
    return Buffer.from(bytes.subarray(0, readSync(this.#reading, bytes))).toString("latin1");
  }

  stopReading(): void {
    this.#close(this.#reading);
  }

  die(): void {
    for (const fd of this.#open) closeSync(fd);
    this.#open.clear();
  }

  #keep(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  #close(fd: number): void {
    if (this.#open.delete(fd)) closeSync(fd);
  }
}

function batch(...frames: readonly Uint8Array[]): Uint8Array {
  const encoder = new BatchEncoder();
  for (const frame of frames) encoder.add(frame, 0, frame.length);
  const parts: Uint8Array[] = [];
  encoder.take((bytes, length) => parts.push(bytes.slice(0, length)));
  return Buffer.concat(parts);
}

function reads(fd: number, into: Uint8Array): number {
  try {
    return readSync(fd, into);
  } catch {
    // EAGAIN: nothing yet.
    return 0;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`still not: ${isTrue.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
