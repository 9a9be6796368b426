import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lightcone, mainFile } from "../support/lightcone.js";

// What comes to a port of frames and is no client, or asks for a place that is taken.

const folder = mkdtempSync(join(tmpdir(), "lightcone-bad-company-"));
const servers: ChildProcess[] = [];
afterAll(() => {
  for (const server of servers) server.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

interface Served {
  readonly process: ChildProcess;
  readonly address: string;
  /** What it has logged so far, a line each. */
  readonly log: string[];
}

async function serve(listen: string): Promise<Served> {
  const server = spawn(process.execPath, [mainFile, "serve", "calculator", "--listen", listen], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  servers.push(server);
  const log: string[] = [];
  let unfinished = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (unfinished + text).split("\n");
    unfinished = lines.pop() ?? "";
    log.push(...lines);
  });
  const [shown]: unknown[] = await once(server.stdout.setEncoding("utf8"), "data");
  return { process: server, address: / at (\S+), /.exec(String(shown))?.[1] ?? "", log };
}

/** The most memory that the process has had, in bytes. */
function peakOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1024;
}

const PREAMBLE = Uint8Array.of(0xc3, 0x4c, 0x43, 0x4e, 1, 0, 0, 0);
const noise = (bytes: number): Uint8Array =>
  // Never the magic's first byte, nor text.
  Uint8Array.from({ length: bytes }, (_, i) => 0x80 | (((i * 2_654_435_761) >>> 24) % 0x40));

/** What each does once it is connected, and what the log says of it. */
const COMPANY: Readonly<Record<string, readonly [(socket: Socket) => void, RegExp]>> = {
  "a classic client": [(socket) => socket.write("5 10\n"), /first bytes are not ours/],
  "a web browser": [
    (socket) => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    /first bytes are not ours/,
  ],
  "binary garbage": [(socket) => socket.write(noise(4_096)), /first bytes are not ours/],
  NULs: [(socket) => socket.write(new Uint8Array(4_096)), /first bytes are not ours/],
  "a TLS client": [(socket) => socket.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1)), /speaks TLS/],
  "100 MB without a newline": [
    (socket) => {
      const chunk = new Uint8Array(1_048_576).fill(0x39);
      let left = 100;
      const more = (): void => {
        if (left-- > 0 && !socket.destroyed) socket.write(chunk, more);
      };
      more();
    },
    /first bytes are not ours/,
  ],
  "garbage after a good preamble": [
    (socket) => {
      socket.write(PREAMBLE);
      socket.write(noise(4_096));
    },
    /magic|begin|not ours|protocol/,
  ],
  "half a preamble": [(socket) => socket.write(PREAMBLE.subarray(0, 3)), /did not introduce itself/],
  "nothing at all": [() => {}, /did not introduce itself/],
  "a preamble and no greeting": [(socket) => socket.write(PREAMBLE), /no greeting came/],
  "another version": [
    (socket) => socket.write(Uint8Array.from(PREAMBLE, (byte, i) => (i === 4 ? 9 : byte))),
    /version 9/,
  ],
  "a client that leaves inside its preamble": [
    (socket) => socket.end(PREAMBLE.subarray(0, 5)),
    /ended without a goodbye/,
  ],
};

test("whoever is no client is cut off with one line in the log, and clients notice nothing", async () => {
  const { process: server, address, log } = await serve("tcp://127.0.0.1:0");
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const remotes = new Map<string, string>();
  const answers = new Map<string, string>();
  const over = Object.entries(COMPANY).map(async ([name, [misbehave]]) => {
    const socket = connect(port, "127.0.0.1");
    // Being cut off is what it is here for.
    socket.on("error", () => {});
    socket.setEncoding("latin1").on("data", (text: string) => {
      answers.set(name, (answers.get(name) ?? "") + text);
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await once(socket, "connect");
    remotes.set(name, `tcp://127.0.0.1:${socket.localPort}:`);
    misbehave(socket);
    await closed;
  });
  for (let i = 0; i < 3; i++) {
    expect(await lightcone(["call", "calculator", "add", String(i), "1", "--to", address])).toMatchObject({
      status: 0,
      stdout: `${i + 1}\n`,
    });
  }
  await Promise.all(over);
  server.kill("SIGINT");
  await once(server, "close");
  for (const [name, [, said]] of Object.entries(COMPANY)) {
    const lines = log.filter((line) => line.includes(remotes.get(name) ?? "?"));
    expect(lines, name).toEqual([expect.stringMatching(said)]);
  }
  for (const name of ["a classic client", "a web browser"]) {
    expect(answers.get(name)).toContain("Lightcone: binary frames are spoken here, and what came is text.");
  }
});

test("100 MB without a newline cost no memory", async ({ skip }) => {
  if (!existsSync("/proc/self/status"))
    skip("the peak of a process's memory is read from /proc, which is not here");
  const { process: server, address } = await serve("tcp://127.0.0.1:0");
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const before = peakOf(server.pid);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  COMPANY["100 MB without a newline"]?.[0](socket);
  await closed;
  expect(peakOf(server.pid) - before).toBeLessThan(32 * 2 ** 20);
});

test("a place that is taken, or cannot be, is refused by name, and nothing is touched", async () => {
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("file"), "keep me");
  symlinkSync(path("file"), path("link"));
  symlinkSync(path("nowhere"), path("dangling"));
  mkdirSync(path("folder"));
  const { address: live } = await serve(`uds://${path("live")}`);
  const { address: livePort } = await serve("tcp://127.0.0.1:0");
  const before = new Map(
    ["file", "link", "dangling", "folder", "live"].map((name) => [name, lstatSync(path(name)).ino]),
  );
  const refused: [string, RegExp][] = [
    [`uds://${path("x".repeat(104))}`, /a socket's path has at most 103 bytes/],
    [`uds://${path("file")}`, /file exists and is not a socket/],
    [`uds://${path("link")}`, /link exists and is not a socket/],
    [`uds://${path("dangling")}`, /dangling exists and is not a socket/],
    [`uds://${path("folder")}`, /folder exists and is not a socket/],
    [`uds://${path("none/s")}`, /none is no folder; create it first/],
    [live, /in use by another process/],
    [livePort, /in use by another process/],
    [`fifo://${path("file")}`, /file/],
    [`fifo://${path("link")}`, /link/],
  ];
  for (const [listen, why] of refused) {
    const { status, stdout, stderr } = await lightcone(["serve", "calculator", "--listen", listen]);
    expect(stderr).toMatch(why);
    expect(stderr.trimEnd().split("\n"), listen).toHaveLength(1);
    expect([status, stdout]).toEqual([4, ""]);
  }
  for (const [name, inode] of before) expect(lstatSync(path(name)).ino, name).toBe(inode);
  expect(readFileSync(path("file"), "utf8")).toBe("keep me");
  expect(existsSync(path("nowhere"))).toBe(false);
  for (const to of [live, livePort]) {
    expect(await lightcone(["call", "calculator", "add", "1", "1", "--to", to])).toMatchObject({
      stdout: "2\n",
    });
  }
});
