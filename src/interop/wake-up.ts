import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { isMainThread } from "node:worker_threads";
import { UsageError } from "../core/index.js";

// SIGUSR1 ends a process that does not expect it, and tells nobody who sent it. So it goes only to a process that is
// alive, this user's, and (where /proc tells) expects it; and it proves nothing but that somebody sent it.

let received = 0;
let listening = false;
const waiting = new Set<() => void>();

/**
 * Counts this process's SIGUSR1 from now on, and for good: without a listener the next late one would end it, and
 * before there is one Node opens its debugger's port at the first.
 */
export function expectWakeUps(): void {
  if (listening) return;
  if (!isMainThread)
    throw new UsageError("signals reach the main thread alone; speak classic named pipes there");
  listening = true;
  process.on("SIGUSR1", () => {
    received++;
    for (const wake of waiting) wake();
  });
}

/** How many wake-ups have come; to be given to {@link wokenSince}. */
export function wakeUps(): number {
  return received;
}

/** Whether a wake-up has come since, or comes within `msMax`. */
export function wokenSince(before: number, msMax: number, signal?: AbortSignal): Promise<boolean> {
  if (received > before) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (woken: boolean): void => {
      clearTimeout(timer);
      waiting.delete(onWake);
      signal?.removeEventListener("abort", onAbort);
      resolve(woken);
    };
    const onWake = (): void => settle(true);
    const onAbort = (): void => settle(false);
    const timer = setTimeout(() => settle(false), msMax);
    waiting.add(onWake);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) settle(false);
  });
}

/** Sends SIGUSR1 when that is safe; gives why not, or `undefined` once it is sent. */
export async function wakeProcess(pid: number): Promise<string | undefined> {
  const problem = (await wakeProblem(pid)) ?? ((await expectsWakeUp(pid)) ? undefined : UNEXPECTED);
  if (problem !== undefined) return problem;
  try {
    process.kill(pid, "SIGUSR1");
    return undefined;
  } catch {
    return "it has ended";
  }
}

/** Why process `pid` is nobody to signal, whether or not it expects that yet; `undefined` when it is somebody. */
export async function wakeProblem(pid: number): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return `${pid} is no process to signal`;
  if (pid === process.pid) return "that is this process itself";
  const user = process.getuid?.();
  const owner = await ownerOf(pid);
  if (owner === undefined) return `there is no process ${pid}`;
  return owner === user ? undefined : `process ${pid} is another user's`;
}

const UNEXPECTED = "it does not expect SIGUSR1, which would end it";

/** Whether it catches, blocks or ignores SIGUSR1; taken for granted where there is no /proc. */
async function expectsWakeUp(pid: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const status = await statusOf(pid);
  const expected = [...(status ?? "").matchAll(/^Sig(?:Blk|Ign|Cgt):\s*([0-9a-f]+)$/gm)]
    .map(([, mask = "0"]) => BigInt(`0x${mask}`))
    .reduce((all, mask) => all | mask, 0n);
  return ((expected >> BigInt(constants.signals.SIGUSR1 - 1)) & 1n) === 1n;
}

async function ownerOf(pid: number): Promise<number | undefined> {
  if (process.platform === "linux") {
    const status = await statusOf(pid);
    const dead = status === undefined || /^State:\s*[ZX]/m.test(status);
    return dead ? undefined : Number(/^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1] ?? NaN);
  }
  return new Promise((resolve) => {
    execFile("ps", ["-o", "uid=", "-p", String(pid)], { timeout: 5_000 }, (error, out) =>
      resolve(error === null && /^\s*\d+\s*$/.test(out) ? Number(out) : undefined),
    );
  });
}

async function statusOf(pid: number): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/status`, "utf8");
  } catch {
    // It has ended, or was never there.
    return undefined;
  }
}
