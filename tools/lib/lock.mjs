import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A set-up on a slow network takes minutes; nobody waits longer than this for another's. */
const waitMinutesMax = 15;

/**
 * Does `work` while no other process holds the lock `file`; waits for the other's end first.
 *
 * The file holds its owner's pid and start time, so the lock of a process that died is recognised and taken over,
 * also when its pid has a new owner.
 *
 * @template T
 * @param {string} file
 * @param {(say: string) => void} say gets one line when there is something to wait for
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, say, work) {
  await acquire(file, say);
  // A signal that ends us must not leave the lock for others to find out about.
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** @param {string} file @param {(say: string) => void} say */
async function acquire(file, say) {
  const deadline = Date.now() + waitMinutesMax * 60_000;
  // Written beside and linked into place: nobody ever sees a lock without its owner.
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, ownerOf(process.pid));
  try {
    for (let waiting = false; ;) {
      if (links(mine, file)) return;
      const owner = read(file);
      if (owner === undefined) continue;
      if (!isAlive(owner)) {
        takeAway(file, owner);
        continue;
      }
      const pid = owner.split(" ", 1)[0];
      if (Date.now() > deadline) {
        throw new Error(
          `another set-up (pid ${pid}) has held ${file} for ${waitMinutesMax} minutes; end it, or remove that file, and try again`,
        );
      }
      if (!waiting) say(`waiting for another set-up (pid ${pid}) to finish`);
      waiting = true;
      await delay(100);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Removes the lock of the dead `owner`, unless somebody else has replaced it meanwhile. @param {string} file @param {string} owner */
function takeAway(file, owner) {
  const taken = `${file}.${process.pid}.stale`;
  if (!moves(file, taken)) return;
  // Between reading and renaming, another process may have taken the stale lock over: then it gets its lock back.
  if (read(taken) !== owner) links(taken, file);
  rmSync(taken, { force: true });
}

/** A process as a line of text: its pid and, where /proc tells, when it started. @param {number} pid */
function ownerOf(pid) {
  return `${pid} ${startOf(pid) ?? "?"}\n`;
}

/** @param {string} owner */
function isAlive(owner) {
  const [pid, start] = owner.trim().split(" ");
  if (!/^\d+$/.test(pid ?? "")) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return hasCode(error, "EPERM");
  }
  return start === "?" || startOf(Number(pid)) === start;
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot. @param {number} pid @returns {string | undefined} */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The second field, the program's name, may hold spaces; the fields after its closing parenthesis count.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** @param {string} file @returns {string | undefined} */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ESRCH")) return undefined;
    throw error;
  }
}

/** @param {string} existing @param {string} path */
function links(existing, path) {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** @param {string} from @param {string} to */
function moves(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** @param {unknown} error @param {string} code */
function hasCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
