import { randomUUID } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import {
  identifyFifo,
  listenError,
  makeFifos,
  openFifo,
  parseFifoAddress,
  removeFifo,
  systemCode,
  TransportError,
  type FifoAccess,
  type FifoIdentity,
} from "../transports/index.js";

/** The named pipes in a folder: requests through `Fifo1`, replies through `Fifo2`; readable by others, as published. */
export interface DrawFolder {
  readonly address: string;
  readonly requests: string;
  readonly replies: string;
  readonly path: string;
  /** It was not there before. */
  readonly made: boolean;
}

/**
 * The folder of `fifo:///FOLDER`, made when it is not there and `make` says so. Throws `TransportError`: `address-unavailable` when it is not there, `not-permitted`
 * when others could replace what is in it.
 */
export function drawFolder(address: string, make = false): DrawFolder {
  const path = parseFifoAddress(address);
  const made = make && makeFolder(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory()) {
    throw new TransportError("address-unavailable", `${path} is no folder; create it first`, { address });
  }
  const user = process.getuid?.();
  const ours = user === undefined || found.uid === user;
  if (!ours || (found.mode & 0o022) !== 0) {
    const message = `others can replace files in ${path}; use a folder of your own (chmod 755)`;
    throw new TransportError("not-permitted", message, { address });
  }
  return { address, path, made, requests: join(path, "Fifo1"), replies: join(path, "Fifo2") };
}

/** Removes the folder if it was made for this, and nothing is in it. */
export function leaveDrawFolder({ path, made }: DrawFolder): void {
  if (!made) return;
  try {
    rmdirSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** False when something is there already, or its parent is not. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o755 });
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST" || code === "ENOENT" || code === "ENOTDIR") return false;
    throw listenError(error, path);
  }
}

/** Makes a FIFO there unless one is; says whether it did. Of several who make it, one does. */
export async function ensureFifo({ path: folder }: DrawFolder, path: string): Promise<boolean> {
  if (identityOf(path) !== undefined) return false;
  const passing = join(folder, `.${randomUUID()}.fifo`);
  await makeFifos([passing], "mkfifo", "read");
  try {
    return link(passing, path);
  } finally {
    removeFifo(passing);
  }
}

/** Which FIFO is at `path`; `undefined`: nothing is. Throws for whatever else is, see `openFifo`. */
export function identityOf(path: string): FifoIdentity | undefined {
  try {
    return identifyFifo(path, "read");
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Opens without waiting; `undefined`: nothing is there, or to write: nobody reads. Otherwise as `openFifo`. */
export function openIfThere(path: string, access: FifoAccess): number | undefined {
  try {
    return openFifo(path, access, identifyFifo(path, "read"), "read");
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/**
 * A turn in the folder, which one living process has at a time: a file with its pid. Dispose to give it back.
 * `undefined`: somebody has it.
 */
export function takeTurn({ path: folder }: DrawFolder, who: "server" | "client"): Disposable | undefined {
  const path = join(folder, `.lightcone-${who}`);
  const passing = join(folder, `.${randomUUID()}.turn`);
  // Linked when it is whole, so that nobody reads half a pid.
  try {
    writeFileSync(passing, String(process.pid), { flag: "wx", mode: 0o600 });
  } catch (error) {
    // A full disk takes a name more easily than what it names.
    rmSync(passing, { force: true });
    throw unwritable(folder, error);
  }
  try {
    if (!link(passing, path)) {
      if (isHeld(path)) return undefined;
      // Two who clear away a dead one's turn at once: one of the two links follows, and the other waits.
      removeFifo(path);
      if (!link(passing, path)) return undefined;
    }
  } finally {
    unlinkSync(passing);
  }
  return { [Symbol.dispose]: () => removeFifo(path) };
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw unwritable(dirname(to), error);
  }
}

function unwritable(folder: string, cause: unknown): TransportError {
  const system = systemCode(cause);
  const message = `cannot write to ${folder}: ${system || "the system refused"}`;
  return new TransportError("address-unavailable", message, { folder, system }, { cause });
}

function isHeld(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    if (!Number.isSafeInteger(pid) || pid <= 1) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's, who has it all the same.
    return systemCode(error) === "EPERM";
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof TransportError && error.code === "refused";
}
