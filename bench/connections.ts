import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("connections/end.js", import.meta.url));
const STALLED = fileURLToPath(new URL("stalled/end.js", import.meta.url));
const KINDS = ["raw", "ours", "service"] as const;
type Kind = (typeof KINDS)[number];

const COUNT = 10_000;
// These come before the count begins: they pay for code and first buffers.
const WARM_UP = 500;
// What a process has open besides.
const OTHER_FILES = 100;
const KB_MAX = 8;
const STALLED_MIB_MAX = 24;

const benchmark: Benchmark = {
  name: "connections",
  claim:
    "ten thousand idle connections cost at most 8 KB of resident memory each, on either side; a peer that stops " +
    "reading costs at most 24 MiB before the sender is told",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightcone-bench-"));
    const count = Math.min(COUNT, filesMax() - OTHER_FILES);
    try {
      const figures: Figure[] = [];
      for (const scheme of ["uds", "tcp"] as const) {
        for (const kind of KINDS) {
          const address = scheme === "uds" ? join(folder, kind) : "0";
          figures.push(...(await measure(scheme, kind, address, count)));
        }
      }
      for (const frameBytes of [100, 65_536]) figures.push(await measureStalled(folder, frameBytes));
      return figures;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

const NAMES: Readonly<Record<Kind, string>> = {
  raw: "bare sockets",
  ours: "connections",
  service: "clients of a service",
};

async function measure(scheme: string, kind: Kind, address: string, count: number): Promise<Figure[]> {
  const server = start(kind);
  const client = start(kind);
  try {
    const dial = await order(server, { listen: address });
    await order(client, { dial, count: WARM_UP });
    const before = await memoryOf(server, client);
    await order(client, { dial, count: count - WARM_UP });
    const after = await memoryOf(server, client);
    return (["accepting", "dialling"] as const).map((side, i) => {
      const value = ((after[i] ?? NaN) - (before[i] ?? NaN)) / (count - WARM_UP) / 1024;
      // A client of a service is more than a connection: it numbers, repeats and times its calls.
      const isClaimed = kind === "ours" || (kind === "service" && side === "accepting");
      const target = isClaimed ? { target: `≤ ${KB_MAX} KB`, met: value <= KB_MAX } : {};
      return { name: `${scheme}, ${count} ${NAMES[kind]}, ${side} side`, value, unit: "KB", ...target };
    });
  } finally {
    server.kill();
    client.kill();
  }
}

function start(kind: Kind): ChildProcess {
  return fork(END, [kind], { execArgv: ["--expose-gc"] });
}

/** What a process grows by until `send` says that it should wait. */
async function measureStalled(folder: string, frameBytes: number): Promise<Figure> {
  const path = join(folder, `stalled-${frameBytes}`);
  const sender = fork(STALLED, [path, String(frameBytes)], { execArgv: ["--expose-gc"] });
  let peer: ChildProcess | undefined;
  try {
    await answerOf(sender);
    peer = fork(STALLED, [path]);
    const value = Number(await answerOf(sender)) / 2 ** 20;
    return {
      name: `uds, a peer that does not read, ${frameBytes} bytes a tick`,
      value,
      unit: "MiB",
      target: `≤ ${STALLED_MIB_MAX} MiB`,
      met: value <= STALLED_MIB_MAX,
    };
  } finally {
    sender.kill();
    peer?.kill();
  }
}

async function memoryOf(...ends: readonly ChildProcess[]): Promise<number[]> {
  const answers: number[] = [];
  for (const end of ends) answers.push(Number(await order(end, { measure: true })));
  return answers;
}

function order(end: ChildProcess, what: object): Promise<unknown> {
  end.send(what);
  return answerOf(end);
}

async function answerOf(end: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const onExit = (): void => ended.abort();
  end.once("exit", onExit);
  try {
    const [message]: unknown[] = await once(end, "message", { signal: ended.signal });
    return typeof message === "object" && message !== null ? Reflect.get(message, "answer") : undefined;
  } catch (cause) {
    throw new Error("an end stopped before it had answered", { cause });
  } finally {
    end.off("exit", onExit);
  }
}

/** Node raises its own limit to the hard one when it starts. */
function filesMax(): number {
  const limit = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return limit === "unlimited" ? Infinity : Number(limit);
}
