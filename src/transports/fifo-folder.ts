import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeFifo } from "./fifo-file.js";
import { PAIR_ID_BYTES } from "./fifo-knock.js";
import { listenError, systemCode, TransportError } from "./transport-error.js";

/** Where a listener is reached: one FIFO that everybody who dials writes into. */
export function doorPath(folder: string): string {
  return join(folder, "door");
}

/** The FIFOs of one connection. */
export interface PairPaths {
  readonly up: string;
  readonly down: string;
}

export function pairPaths(folder: string, id: string): PairPaths {
  return { up: join(folder, `${id}.up`), down: join(folder, `${id}.down`) };
}

/** 32 hexadecimal digits that nobody has used before. */
export function freshId(): string {
  return randomBytes(PAIR_ID_BYTES).toString("hex");
}

const PASSING_NAME = /^[0-9a-f]{32}\.(?:up|down|door)$/;

/**
 * Makes the folder, 0700, or sees that the one that is there is ours alone. Says whether it made it.
 *
 * Throws `TransportError`: `address-in-use` (something else is there), `address-unavailable` (its parent is missing),
 * `not-permitted` (others could enter it, or replace it).
 */
export function claimFolder(folder: string, address: string): { readonly made: boolean } {
  checkParent(dirname(folder), address);
  try {
    mkdirSync(folder, { mode: 0o700 });
    return { made: true };
  } catch (cause) {
    if (systemCode(cause) !== "EEXIST") throw listenError(cause, address);
  }
  const problem = folderProblem(folder);
  if (problem === undefined) return { made: false };
  const code = problem === "no-folder" ? "address-in-use" : "not-permitted";
  const words = problem === "no-folder" ? "exists and is no folder" : NOT_PRIVATE;
  throw new TransportError(code, `${folder} ${words}`, { address });
}

/** Throws `refused` or `not-permitted` unless the folder is there and ours alone: others could listen in our name. */
export function checkFolderToDial(folder: string, address: string): void {
  let problem: FolderProblem | undefined;
  try {
    problem = folderProblem(folder);
  } catch (cause) {
    if (systemCode(cause) === "EACCES") {
      throw new TransportError("not-permitted", `not permitted to enter ${folder}`, { address }, { cause });
    }
    throw new TransportError("refused", `nobody listens at ${address}`, { address }, { cause });
  }
  if (problem === "no-folder")
    throw new TransportError("refused", `nobody listens at ${address}: it is no folder`, { address });
  if (problem !== undefined)
    throw new TransportError("not-permitted", `${folder} ${NOT_PRIVATE}`, { address });
}

/** Removes what connections that came to nothing left behind; other files stay. Nothing when there is no folder. */
export function sweepFolder(folder: string): void {
  for (const name of names(folder)) if (PASSING_NAME.test(name)) removeFifo(join(folder, name));
}

/** Removes the folder when nothing is in it. */
export function leaveFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Gone already, or somebody keeps something in it: not ours to remove.
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

type FolderProblem = "no-folder" | "not-private";

const NOT_PRIVATE = "is open to others, or another's; use a folder of your own (chmod 700)";

function folderProblem(folder: string): FolderProblem | undefined {
  const found = lstatSync(folder);
  // A link, too: whoever may change it could send us elsewhere.
  if (!found.isDirectory()) return "no-folder";
  const user = process.getuid?.();
  const ours = user === undefined || found.uid === user;
  return ours && (found.mode & 0o077) === 0 ? undefined : "not-private";
}

/** Whoever may write in the parent could put his folder in our place, unless the parent is sticky. */
function checkParent(parent: string, address: string): void {
  let found;
  try {
    found = statSync(parent);
  } catch (cause) {
    throw new TransportError(
      "address-unavailable",
      `${parent} is no folder; create it first`,
      { address },
      { cause },
    );
  }
  const user = process.getuid?.();
  const ownedByOthers = user !== undefined && found.uid !== user && found.uid !== 0;
  const writableByOthers = (found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0;
  if (ownedByOthers || writableByOthers) {
    throw new TransportError(
      "not-permitted",
      `others can replace files in ${parent}; use a folder of your own (chmod 700)`,
      { address, folder: parent },
    );
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
