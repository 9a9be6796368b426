import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "../core/index.js";
import { messageOf, safeText } from "./errors.js";
import { isAlive, startTimeOf } from "./run-folder.js";

/**
 * A file that names the one process which may use something, by its pid and start time. That of a process which died,
 * by kill -9 or with its machine, is taken over; of two that try at once, one gets it.
 */
export class ProcessLock implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws `UsageError` when a living process has it (`what` says what that uses), or it cannot be written. */
  static take(path: string, what: string): ProcessLock {
    const own = `${path}.${process.pid}`;
    try {
      // It appears whole or not at all: nobody reads it half written, and takes it for a dead one's.
      writeFileSync(own, `${process.pid} ${startTimeOf(process.pid) ?? "0"}\n`, { mode: 0o600 });
      for (;;) {
        const holder = tryTake(path, own);
        if (holder === undefined) return new ProcessLock(path);
        if (holder !== "gone")
          throw new UsageError(`process ${holder} uses ${what} already; give another, or end it`);
      }
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`${what} cannot be used: ${safeText(messageOf(error), 300)}`);
    } finally {
      rmSync(own, { force: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}

/** `undefined`: taken. `"gone"`: what was in the way is not there any more. Otherwise the pid of the holder. */
function tryTake(path: string, own: string): string | undefined {
  try {
    linkSync(own, path);
    return undefined;
  } catch (error) {
    if (!is(error, "EEXIST")) throw error;
  }
  const holder = holderOf(path);
  if (holder === undefined) return "gone";
  if (holder.pid !== undefined) return holder.pid;
  // Moved aside rather than removed: what lies there by now may be the lock of somebody who was faster.
  const aside = `${own}.dead`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (is(error, "ENOENT")) return "gone";
    throw error;
  }
  const moved = readFileSync(aside, "latin1");
  if (moved !== holder.text) linkSync(aside, path);
  rmSync(aside, { force: true });
  return "gone";
}

/** `pid` only of one that is alive. */
function holderOf(path: string): { readonly text: string; readonly pid: string | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (is(error, "ENOENT")) return undefined;
    throw error;
  }
  const [, pid, start = "0"] = /^([0-9]{1,10}) ([0-9]{1,20})\n$/.exec(text) ?? [];
  return { text, pid: pid !== undefined && isAlive(Number(pid), start) ? pid : undefined };
}

function is(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
