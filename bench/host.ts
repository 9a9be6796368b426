import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("host/end.js", import.meta.url));
const ROUNDS = 7;
const MS = 1_000;
/** Until a measurement that should take two seconds is given up. */
const MS_MAX = 20_000;
const RATIO_MIN = 0.3;
const RECORDED_RATIO_MIN = 0.5;

const KINDS = ["raw", "host", "recorded"] as const;

type Kind = (typeof KINDS)[number];

/** Two processes over TCP loopback, each with 128 requests under way; every message received is answered by one sent. */
const benchmark: Benchmark = {
  name: "host",
  claim:
    "steps, vector clocks and checked frames leave at least 0.3 of what a bare socket with the same codec does; recording leaves half of that",

  async run(): Promise<readonly Figure[]> {
    const rounds: Record<Kind, number>[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measureAll(round));
    const rate = (kind: Kind): Figure => ({
      name: `${NAMES[kind]}: messages that each end receives, and sends`,
      value: median(rounds.map((each) => each[kind])),
      unit: "messages/s",
    });
    const ratio = median(rounds.map(({ host, raw }) => host / raw));
    const recordedRatio = median(rounds.map(({ recorded, host }) => recorded / host));
    return [
      rate("raw"),
      rate("host"),
      {
        name: "host: of the bare socket",
        value: ratio,
        unit: "×",
        target: `≥ ${RATIO_MIN} × bare socket`,
        met: ratio >= RATIO_MIN,
      },
      rate("recorded"),
      {
        name: "host, every event recorded: of the host",
        value: recordedRatio,
        unit: "×",
        target: `≥ ${RECORDED_RATIO_MIN} × unrecorded`,
        met: recordedRatio >= RECORDED_RATIO_MIN,
      },
    ];
  },
};

export default benchmark;

const NAMES: Readonly<Record<Kind, string>> = {
  raw: "bare socket",
  host: "host",
  recorded: "host, every event recorded",
};

/** All in turn, in one order and then in the other, so that whatever else the machine does hits them alike. */
async function measureAll(round: number): Promise<Record<Kind, number>> {
  const measured: Record<Kind, number> = { raw: 0, host: 0, recorded: 0 };
  for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed())
    measured[kind] = await messagesPerSecond(kind);
  return measured;
}

async function messagesPerSecond(kind: Kind): Promise<number> {
  // A second of recording is some 50 MB, so each measurement clears away its own.
  const folder = await mkdtemp(join(recordings(), "lightcone-bench-"));
  const children: ChildProcess[] = [];
  const start = (role: string, last: string): ChildProcess => {
    const child = fork(END, [role, folder, kind, last]);
    children.push(child);
    return child;
  };
  try {
    const first = start("first", String(MS));
    const failed = new Promise<never>((_resolve, reject) => {
      const second = (address: unknown): void => {
        start("second", String(address)).once("exit", () => reject(new Error("the second process stopped")));
      };
      report(first, "address").then(second, reject);
    });
    return Number(await Promise.race([report(first, "messagesPerSecond"), failed]));
  } finally {
    await Promise.all(children.map(end));
    await rm(folder, { recursive: true });
  }
}

/**
 * Real runs record in the session's runtime folder, which lies in memory; so this does, too. A disk measures itself:
 * the lines of 256 messages, 56 KB, take 25 µs to write to memory and 150 to 600 µs to a virtual disk.
 */
function recordings(): string {
  return process.env["XDG_RUNTIME_DIR"] ?? (existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}

/** The value of one field of the first message that has it. */
function report(child: ChildProcess, field: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`no ${field} within ${MS_MAX} ms`)), MS_MAX);
    child.on("message", (message) => {
      if (typeof message !== "object" || message === null || !(field in message)) return;
      clearTimeout(timeout);
      resolve(Reflect.get(message, field));
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timeout);
      reject(new Error(`a process stopped before it had measured anything: ${code ?? signal ?? "unknown"}`));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
