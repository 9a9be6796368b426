import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("transport/end.js", import.meta.url));
const ROUNDS = 3;
const MS = 500;
const RATIO_MIN = 0.6;

type Kind = "ours" | "raw";

interface Workload {
  readonly name: string;
  readonly frameBytes: number;
  /** Requests in flight; 0: one way. */
  readonly inFlight: number;
  readonly claimed?: boolean;
}

const WORKLOADS: readonly Workload[] = [
  { name: "one way, 64 bytes", frameBytes: 64, inFlight: 0, claimed: true },
  { name: "256 requests in flight, 64 bytes", frameBytes: 64, inFlight: 256 },
  { name: "one request in flight, 64 bytes", frameBytes: 64, inFlight: 1 },
  { name: "one way, 64 KiB", frameBytes: 65_536, inFlight: 0 },
];

const benchmark: Benchmark = {
  name: "transport",
  claim:
    "checked, limited frames between two processes reach at least 0.6 of what a bare coalescing socket does",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightcone-bench-"));
    try {
      const figures: Figure[] = [];
      for (const scheme of ["tcp", "uds"] as const) {
        for (const workload of WORKLOADS) figures.push(...(await compare(scheme, workload, folder)));
      }
      return figures;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

/** Both in turn, so that whatever else the machine does hits them alike; the median of the ratios of neighbours. */
async function compare(scheme: "tcp" | "uds", workload: Workload, folder: string): Promise<Figure[]> {
  const rates: Record<Kind, number[]> = { ours: [], raw: [] };
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order: readonly Kind[] = round % 2 === 0 ? ["ours", "raw"] : ["raw", "ours"];
    const measured: Record<Kind, number> = { ours: 0, raw: 0 };
    for (const kind of order) {
      const address =
        scheme === "uds" ? join(folder, `${workload.frameBytes}-${workload.inFlight}-${round}-${kind}`) : "0";
      measured[kind] = await framesPerSecond(kind, address, workload);
      rates[kind].push(measured[kind]);
    }
    ratios.push(measured.ours / measured.raw);
  }
  const name = `${scheme}, ${workload.name}`;
  const ratio = median(ratios);
  const target = { target: `≥ ${RATIO_MIN} × bare socket`, met: ratio >= RATIO_MIN };
  return [
    { name, value: median(rates.ours), unit: "frames/s" },
    { name: `${name}: bare socket`, value: median(rates.raw), unit: "frames/s" },
    // Elsewhere the ratio informs: two passes of CRC-32 over every byte, 0.27 ns each, are what checking costs.
    { name: `${name}: ratio`, value: ratio, unit: "×", ...(workload.claimed ? target : {}) },
  ];
}

async function framesPerSecond(kind: Kind, address: string, workload: Workload): Promise<number> {
  const { frameBytes, inFlight } = workload;
  const common = [String(frameBytes), String(inFlight), String(MS)];
  const server = fork(END, ["server", kind, address, ...common]);
  let client: ChildProcess | undefined;
  try {
    const listening = await report(server, "address");
    client = fork(END, ["client", kind, String(listening), ...common]);
    return Number(await report(inFlight > 0 ? client : server, "framesPerSecond"));
  } finally {
    await Promise.all([server, client].map(end));
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** The value of one field of the first message that has it. */
function report(child: ChildProcess, field: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      if (typeof message === "object" && message !== null && field in message) {
        resolve(Reflect.get(message, field));
      }
    });
    child.once("exit", (code, signal) => {
      reject(new Error(`an end stopped before it had measured anything: ${code ?? signal ?? "unknown"}`));
    });
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
