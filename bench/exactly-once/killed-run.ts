import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, ServiceLog } from "../../dist/host/index.js";
import type { CallOutcome } from "../../dist/protocols/index.js";
import { uds, udsAddress } from "../../dist/transports/index.js";
import { effects, idOf } from "./effects.js";

const SERVER = fileURLToPath(new URL("end.js", import.meta.url));

export interface KilledRun {
  readonly folder: string;
  readonly mode: "exactly-once" | "maybe";
  readonly requests: number;
  readonly perSecond: number;
  readonly kills: number;
  /** Of each call. */
  readonly deadline: string;
}

/** What came of it, judged from the outcomes and from what the servers wrote down, not from what they say. */
export interface Judged {
  readonly requests: number;
  readonly kills: number;
  readonly ok: number;
  readonly failed: number;
  readonly unknown: number;
  readonly unanswered: number;
  readonly executedTwice: number;
  /** `ok` without an effect. */
  readonly falselyOk: number;
  /** `failed` with an effect. */
  readonly falselyFailed: number;
  /** From a server that listens again to the first answer it gives. Milliseconds, one for each kill. */
  readonly recoveryMs: readonly number[];
}

/** Calls at an even rate while the server is killed with SIGKILL at random moments and started again. */
export async function killedRun(run: KilledRun): Promise<Judged> {
  mkdirSync(run.folder);
  const server = new KilledServer(run);
  await server.start();
  const at = udsAddress(join(run.folder, "s"));
  const client = await connect(effects, at, { transports: { uds } });
  const outcomes = new Map<number, CallOutcome>();
  const calls: Promise<void>[] = [];
  const call = async (id: number): Promise<void> => {
    const outcome = await client.call("do", { id }, { deadline: run.deadline });
    outcomes.set(id, outcome);
    if (outcome.kind === "ok") server.answered();
  };

  const seconds = run.requests / run.perSecond;
  // One in each part of the time, so that there are as many as were promised.
  const moments = Array.from(
    { length: run.kills },
    (_, i) => ((i + 0.1 + 0.6 * Math.random()) / run.kills) * seconds * 1000,
  );
  const begun = performance.now();
  for (let id = 0; id < run.requests;) {
    const now = performance.now() - begun;
    const next = moments[0];
    if (next !== undefined && now >= next) {
      moments.shift();
      server.killAndStart();
    }
    for (; id < run.requests && id < (now * run.perSecond) / 1000; id++) calls.push(call(id));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(calls);
  await server.end();
  await client.close();
  return judge(run, outcomes, server);
}

/** A server process; what was started last is what is killed next. */
class KilledServer {
  kills = 0;
  readonly recoveryMs: number[] = [];
  readonly #run: KilledRun;
  #child: ChildProcess | undefined;
  #restarting: Promise<void> = Promise.resolve();
  /** When the successor of a killed one began to listen; 0: it has answered since. */
  #listeningSince = 0;

  constructor(run: KilledRun) {
    this.#run = run;
  }

  async start(): Promise<void> {
    const child = fork(SERVER, [this.#run.folder, this.#run.mode]);
    this.#child = child;
    await once(child, "message");
  }

  killAndStart(): void {
    this.kills++;
    this.#restarting = this.#restarting.then(async () => {
      await this.#kill();
      await this.start();
      this.#listeningSince = performance.now();
    });
  }

  answered(): void {
    if (this.#listeningSince === 0) return;
    this.recoveryMs.push(performance.now() - this.#listeningSince);
    this.#listeningSince = 0;
  }

  async end(): Promise<void> {
    await this.#restarting;
    await this.#kill();
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}

function judge(run: KilledRun, outcomes: ReadonlyMap<number, CallOutcome>, server: KilledServer): Judged {
  const times = new Map<number, number>();
  for (const id of effectsOf(run)) times.set(id, (times.get(id) ?? 0) + 1);
  const count = (is: (outcome: CallOutcome, runs: number) => boolean): number =>
    [...outcomes].filter(([id, outcome]) => is(outcome, times.get(id) ?? 0)).length;
  const ok = count(({ kind }) => kind === "ok");
  return {
    requests: run.requests,
    kills: server.kills,
    ok,
    failed: count(({ kind }) => kind === "failed"),
    unknown: count(({ kind }) => kind === "unknown"),
    unanswered: run.requests - ok,
    executedTwice: [...times.values()].filter((runs) => runs > 1).length,
    falselyOk: count(({ kind }, runs) => kind === "ok" && runs === 0),
    falselyFailed: count(({ kind }, runs) => kind === "failed" && runs > 0),
    recoveryMs: server.recoveryMs,
  };
}

/** Every effect there was, in the order of the effects. */
function effectsOf({ folder, mode }: KilledRun): number[] {
  if (mode === "exactly-once") {
    const { entries } = new ServiceLog(join(folder, "log")).load("effects");
    return entries.flatMap((entry) => {
      const args = Array.isArray(entry) ? (entry as readonly unknown[])[4] : undefined;
      const id = idOf((args ?? null) as never);
      return id === undefined ? [] : [id];
    });
  }
  const path = join(folder, "effects");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").trim().split("\n").map(Number);
}
