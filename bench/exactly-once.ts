import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, Figure } from "./benchmark.js";
import { killedRun, type Judged } from "./exactly-once/killed-run.js";

const REQUESTS = 10_000;
const PER_SECOND = 1_000;
const KILLS = 5;
const RECOVERY_MS_MAX = 100;

const benchmark: Benchmark = {
  name: "exactly-once",
  claim:
    "while its server is killed (-9) and restarted five times, every call is answered and none runs twice; without retries no outcome is false",
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightcone-bench-"));
    try {
      const load = { requests: REQUESTS, perSecond: PER_SECOND, kills: KILLS };
      const kept = await killedRun({
        ...load,
        folder: join(folder, "kept"),
        mode: "exactly-once",
        deadline: "30s",
      });
      const once = await killedRun({
        ...load,
        folder: join(folder, "maybe"),
        mode: "maybe",
        deadline: "50ms",
      });
      return [...keptFigures(kept), ...onceFigures(once)];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

export default benchmark;

function keptFigures({
  requests,
  kills,
  unanswered,
  executedTwice,
  falselyOk,
  recoveryMs,
}: Judged): Figure[] {
  const sorted = recoveryMs.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1] ?? NaN;
  const recovered = { unit: "ms", target: `≤ ${RECOVERY_MS_MAX}`, met: middle <= RECOVERY_MS_MAX };
  return [
    { ...count("requests", requests), key: "requests" },
    { ...count("kills", kills), key: "kills" },
    { ...none("unanswered", unanswered), key: "unanswered" },
    { ...none("executed twice", executedTwice), key: "executedTwice" },
    none("answered without an effect", falselyOk),
    {
      name: "first answer after the server listens again, median",
      key: "recoveryMsMedian",
      value: middle,
      ...recovered,
    },
    { name: "the same, longest", key: "recoveryMsMax", value: sorted.at(-1) ?? NaN, unit: "ms" },
  ];
}

function onceFigures(judged: Judged): Figure[] {
  const { requests, kills, ok, unknown, failed, executedTwice, falselyOk, falselyFailed } = judged;
  return [
    count("without retries: requests", requests),
    count("without retries: kills", kills),
    count("without retries: ok", ok),
    count("without retries: unknown", unknown),
    count("without retries: failed", failed),
    none("without retries: executed twice", executedTwice),
    none("without retries: ok, but without an effect", falselyOk),
    none("without retries: failed, but with an effect", falselyFailed),
  ];
}

function count(name: string, value: number): Figure {
  return { name, value, unit: "" };
}

function none(name: string, value: number): Figure {
  return { ...count(name, value), target: "0", met: value === 0 };
}
