import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("request-reply/end.js", import.meta.url));
const ROUNDS = 3;
const MS = 700;

const benchmark: Benchmark = {
  name: "request-reply",
  claim:
    "calls that are numbered, deduplicated, timed and answered once reach half of what a bare coalescing socket does",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightcone-bench-"));
    try {
      return [...(await small(folder)), ...(await objects(folder)), ...(await alone(folder))];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

async function small(folder: string): Promise<Figure[]> {
  const kinds = ["raw", "ours", "ours-start", "ours-start-unkept"] as const;
  const rounds = await alternate(kinds, folder, { payload: "64", inFlight: 256 });
  const rate = ratesOf(rounds);
  const half = medianRatio(rate("ours-start"), rate("raw"));
  const kept = medianRatio(rate("ours-start"), rate("ours-start-unkept"));
  const name = "64 bytes, 256 under way";
  return [
    { name: `${name}: bare socket`, value: median(rate("raw")), unit: "calls/s" },
    { name: `${name}: calls`, value: median(rate("ours-start")), unit: "calls/s" },
    { name: `${name}: calls, a promise each`, value: median(rate("ours")), unit: "calls/s" },
    { name: `${name}: of the bare socket`, value: half, unit: "×", target: "≥ 0.5", met: half >= 0.5 },
    {
      name: `${name}: with kept replies, of at-least-once without`,
      value: kept,
      unit: "×",
      target: "≥ 0.75",
      met: kept >= 0.75,
    },
  ];
}

async function objects(folder: string): Promise<Figure[]> {
  const rounds = await alternate(["raw", "ours"], folder, { payload: "object", inFlight: 256 });
  const rate = ratesOf(rounds);
  const value = median(rate("ours"));
  const ratio = medianRatio(rate("ours"), rate("raw"));
  const met = value >= 400_000 || ratio >= 0.75;
  const name = "an object in and out, 256 under way";
  return [
    { name: `${name}: bare socket, same codec`, value: median(rate("raw")), unit: "calls/s" },
    { name: `${name}: calls`, value, unit: "calls/s", target: "≥ 400,000, or the next", met },
    { name: `${name}: of the bare socket`, value: ratio, unit: "×", target: "≥ 0.75", met },
  ];
}

/** Both ends on one processor: the stable way to compare round trips. */
async function alone(folder: string): Promise<Figure[]> {
  const workload = { payload: "64", inFlight: 1, oneProcessor: true };
  const rounds = await alternate(["raw", "ours"], folder, workload);
  const times = (kind: string): number[] => rounds.map((round) => round[kind]?.p50 ?? NaN);
  const ratio = medianRatio(times("ours"), times("raw"));
  return [
    { name: "one call at a time, one processor: bare socket, p50", value: median(times("raw")), unit: "µs" },
    { name: "one call at a time, one processor: calls, p50", value: median(times("ours")), unit: "µs" },
    {
      name: "one call at a time, one processor: of the bare socket",
      value: ratio,
      unit: "×",
      target: "≤ 1.2",
      met: ratio <= 1.2,
    },
  ];
}

interface Workload {
  /** Bytes, or `object`. */
  readonly payload: string;
  readonly inFlight: number;
  readonly oneProcessor?: boolean;
}

interface Measured {
  readonly callsPerSecond: number;
  /** Microseconds; of calls made one at a time. */
  readonly p50: number;
}

/** All kinds in turn, in one order and then in the other, so that whatever else the machine does hits them alike. */
async function alternate(
  kinds: readonly string[],
  folder: string,
  workload: Workload,
): Promise<readonly Readonly<Record<string, Measured>>[]> {
  const rounds: Record<string, Measured>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const measured: Record<string, Measured> = {};
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const path = join(folder, `${workload.payload}-${workload.inFlight}-${round}-${kind}`);
      measured[kind] = await measure(kind, path, workload);
    }
    rounds.push(measured);
  }
  return rounds;
}

async function measure(kind: string, address: string, workload: Workload): Promise<Measured> {
  const { payload, inFlight, oneProcessor = false } = workload;
  const rest = [payload, String(inFlight), String(MS)];
  const server = start(["server", kind, address, ...rest], oneProcessor);
  let client: ChildProcess | undefined;
  try {
    await report(server, "address");
    client = start(["client", kind, address, ...rest], oneProcessor);
    const measured = await report(client, "callsPerSecond");
    return {
      callsPerSecond: Number(Reflect.get(measured, "callsPerSecond")),
      p50: Number(Reflect.get(measured, "p50")),
    };
  } finally {
    server.kill();
    client?.kill();
  }
}

function start(args: readonly string[], oneProcessor: boolean): ChildProcess {
  const node = [process.execPath, END, ...args] as const;
  const [command, ...rest] = oneProcessor ? (["taskset", "-c", "0", ...node] as const) : node;
  return spawn(command, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** The first message that has that field. */
function report(child: ChildProcess, field: string): Promise<object> {
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      if (typeof message === "object" && message !== null && field in message) resolve(message);
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`an end stopped before it had measured anything: ${code ?? signal ?? "unknown"}`));
    });
  });
}

function ratesOf(rounds: readonly Readonly<Record<string, Measured>>[]): (kind: string) => number[] {
  return (kind) => rounds.map((round) => round[kind]?.callsPerSecond ?? NaN);
}

/** Of neighbours in time. */
function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, i) => value / (b[i] ?? NaN)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
