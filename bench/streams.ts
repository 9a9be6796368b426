import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, Figure } from "./benchmark.js";

const END = fileURLToPath(new URL("streams/end.js", import.meta.url));
const ROUNDS = 3;
const MS = 700;
const KINDS = ["raw", "bytes", "text"] as const;

type Kind = (typeof KINDS)[number];

const benchmark: Benchmark = {
  name: "streams",
  claim: "a stream of replies, fetched part by part, keeps up with a bare socket that is only written to",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightcone-bench-"));
    try {
      const small = await measureAll(64, folder);
      const large = await measureAll(65_536, folder);
      const rate = median(small.map(({ bytes }) => bytes));
      const ratio = median(large.map(({ bytes, raw }) => bytes / raw));
      return [
        figure("64 bytes: bare socket", small, "raw"),
        { ...figure("64 bytes: stream of bytes", small, "bytes"), target: "≥ 4,000,000", met: rate >= 4e6 },
        figure("64 bytes: stream of text, decoded", small, "text"),
        figure("64 KiB: bare socket", large, "raw"),
        figure("64 KiB: stream of bytes", large, "bytes"),
        { name: "64 KiB: of the bare socket", value: ratio, unit: "×", target: "≥ 0.8", met: ratio >= 0.8 },
      ];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

/** All kinds in turn, in one order and then in the other, so that whatever else the machine does hits them alike. */
async function measureAll(itemBytes: number, folder: string): Promise<Record<Kind, number>[]> {
  const rounds: Record<Kind, number>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const measured: Record<Kind, number> = { raw: 0, bytes: 0, text: 0 };
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
      measured[kind] = await itemsPerSecond(kind, join(folder, `${itemBytes}-${round}-${kind}`), itemBytes);
    }
    rounds.push(measured);
  }
  return rounds;
}

async function itemsPerSecond(kind: Kind, address: string, itemBytes: number): Promise<number> {
  const rest = [kind, address, String(itemBytes), String(MS)];
  const server = fork(END, ["server", ...rest]);
  let client: ChildProcess | undefined;
  try {
    await report(server, "address");
    client = fork(END, ["client", ...rest]);
    return Number(await report(client, "itemsPerSecond"));
  } finally {
    server.kill();
    client?.kill();
  }
}

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

function figure(name: string, rounds: readonly Record<Kind, number>[], kind: Kind): Figure {
  return { name, value: median(rounds.map((each) => each[kind])), unit: "items/s" };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
