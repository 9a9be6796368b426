import { execFile } from "node:child_process";
import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync, type BigIntStats } from "node:fs";
import { systemCode, TransportError } from "./transport-error.js";

// Opening a FIFO the usual way waits for the other end, in one of the four threads that serve all of Node's files and
// name look-ups: four absent peers, and nothing else opens any more. Everything here opens with O_NONBLOCK.

/** Which FIFO it is, whatever its name says by now. */
export interface FifoIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** `both` keeps a FIFO open for reading though no writer is there. */
export type FifoAccess = "read" | "write" | "both";

/** What a FIFO may let other users do: nothing for ours; the published programs make theirs readable. */
export type FifoOthers = "nothing" | "read";

const FORBIDDEN: Readonly<Record<FifoOthers, bigint>> = { nothing: 0o077n, read: 0o022n };

const FLAGS: Readonly<Record<FifoAccess, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  both: constants.O_RDWR,
};

/**
 * Makes FIFOs that only this user can open (or others read, too), with the system's `mkfifo`: Node has no such call.
 *
 * Rejects with `TransportError`: `mkfifo-missing`, `refused` (their folder is gone), or `address-unavailable`.
 * None of them is left when it rejects.
 */
export function makeFifos(
  paths: readonly string[],
  command = "mkfifo",
  others: FifoOthers = "nothing",
): Promise<void> {
  return new Promise((resolve, reject) => {
    // The mode counts whatever the umask; paths are absolute and never seen by a shell.
    execFile(
      command,
      ["-m", others === "read" ? "644" : "600", ...paths],
      { timeout: 10_000 },
      (error, _out, words) => {
        if (error === null) return resolve();
        for (const path of paths) removeFifo(path);
        reject(whyNotMade(error, command, words));
      },
    );
  });
}

/**
 * What is at `path`, when it is a FIFO of this user's with which nobody else can do more than `others`; otherwise
 * throws, see {@link openFifo}.
 */
export function identifyFifo(path: string, others: FifoOthers = "nothing"): FifoIdentity {
  return checked(
    path,
    attempt(path, () => lstatSync(path, { bigint: true })),
    others,
  );
}

/**
 * Opens the FIFO at `path` without ever waiting, and makes sure that what was opened is `expected` (default: what is
 * there a moment before), a FIFO, this user's and closed to others. Gives its descriptor; nothing is read or written
 * before the check, links are not followed.
 *
 * Throws `TransportError`: `refused` (nothing there, or to `write`: nobody reads), `not-permitted` (not a private
 * FIFO of ours, or another than expected), `accept-failed` (no descriptor left).
 */
export function openFifo(
  path: string,
  access: FifoAccess,
  expected = identifyFifo(path),
  others: FifoOthers = "nothing",
): number {
  const fd = attempt(path, () =>
    openSync(path, FLAGS[access] | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY),
  );
  try {
    const opened = checked(path, fstatSync(fd, { bigint: true }), others);
    if (opened.device !== expected.device || opened.inode !== expected.inode) {
      throw new TransportError("not-permitted", `${path} was replaced by another FIFO`, { path });
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Removes the name; whoever has the FIFO open keeps it. Nothing when there is no such name. */
export function removeFifo(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}

function checked(path: string, found: BigIntStats, others: FifoOthers): FifoIdentity {
  const user = process.getuid?.();
  if (!found.isFIFO()) throw notOurs(path, "it is no FIFO");
  if (user !== undefined && found.uid !== BigInt(user)) throw notOurs(path, "it belongs to another user");
  if ((found.mode & FORBIDDEN[others]) !== 0n) throw notOurs(path, "others may open it");
  return { device: found.dev, inode: found.ino };
}

function notOurs(path: string, why: string): TransportError {
  return new TransportError("not-permitted", `${path} is not used: ${why}`, { path });
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw whyNotOpened(cause, path);
  }
}

function whyNotOpened(cause: unknown, path: string): TransportError {
  const system = systemCode(cause);
  const facts = { path, system };
  switch (system) {
    case "ENOENT":
    case "ENOTDIR":
      return new TransportError("refused", `${path} is not there`, facts, { cause });
    case "ENXIO":
      return new TransportError("refused", `nobody reads ${path}`, facts, { cause });
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return new TransportError("accept-failed", `cannot open ${path}: ${system}`, facts, { cause });
    default:
      return new TransportError("not-permitted", `cannot open ${path}: ${system}`, facts, { cause });
  }
}

function whyNotMade(cause: unknown, command: string, words: string): TransportError {
  const system = systemCode(cause);
  if (system === "ENOENT" || system === "EACCES") {
    return new TransportError(
      "mkfifo-missing",
      `the command ${command} is not there; named pipes need it (coreutils), or take another transport`,
      { command },
      { cause },
    );
  }
  if (/No such file|Not a directory/.test(words)) {
    return new TransportError("refused", "the folder for the named pipes is gone", {}, { cause });
  }
  return new TransportError(
    "address-unavailable",
    `${command} could not make a named pipe: ${JSON.stringify(words.trim().slice(0, 200))}`,
    {},
    { cause },
  );
}
