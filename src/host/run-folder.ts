import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { udsAddress } from "../transports/index.js";
import { HostError, messageOf, safeText } from "./errors.js";

const PREFIX = "lc-";

// "/lc-4194304.18446744073709551615-XXXXXX/c" and a mesh's "/12.1.sock" must fit into a socket's 103 bytes.
const PARENT_LENGTH_MAX = 48;

/** A run must be able to write at least that much there. Bytes. */
const ROOM_BYTES = 256 * 2 ** 10;

/**
 * A run's own folder: sockets, per-process traces and saved states; mode 0700, removed with the run.
 *
 * It lies in `$XDG_RUNTIME_DIR`, or in the temporary folder when there is none, and carries its owner's pid and start
 * time, so that a later run can tell a folder whose owner is dead from one in use, even after the pid was given to
 * somebody else.
 */
export class RunFolder implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes one in `parent`, or without it in the first place that will do, and says in `onNotice` when that is not
   * `$XDG_RUNTIME_DIR`. Clears away what dead runs left first. Throws `HostError("run-folder")` when none will do.
   */
  static create(parent?: string, onNotice: (line: string) => void = () => {}): RunFolder {
    if (parent !== undefined) return new RunFolder(makeFolder(parent));
    const { XDG_RUNTIME_DIR: runtime } = process.env;
    const temporary = tmpdir().length <= PARENT_LENGTH_MAX ? tmpdir() : "/tmp";
    if (runtime === undefined || runtime === "") return new RunFolder(makeFolder(temporary));
    try {
      checkRuntimeFolder(runtime);
      return new RunFolder(makeFolder(runtime));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const folder = new RunFolder(makeFolder(temporary));
      onNotice(`$XDG_RUNTIME_DIR will not do (${error.message}); the run's own files are in ${temporary}`);
      return folder;
    }
  }

  /** The file that holds the events of one process; named by place, because a name may be too long for a socket. */
  traceFile(index: number): string {
    return join(this.path, `${index}.ndjson`);
  }

  /** The file that keeps what one process saved. */
  savedFile(index: number): string {
    return join(this.path, `${index}.saved`);
  }

  controlAddress(): string {
    return udsAddress(join(this.path, "c"));
  }

  /** Remembers a child, so that a later run can end it should this one die while the child is stopped. */
  noteChild(index: number, pid: number): void {
    const note = `${pid} ${startTimeOf(pid) ?? 0}\n`;
    inRunFolder(this.path, () => writeFileSync(join(this.path, `${index}.pid`), note));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs what writes to the folder of a run; what the system refuses becomes `HostError("run-folder")`. */
export function inRunFolder<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const reason = safeText(messageOf(cause), 500);
    throw new HostError("run-folder", `cannot write to the run's folder: ${reason}`, { path }, { cause });
  }
}

function makeFolder(parent: string): string {
  removeLeftovers(parent);
  let path: string | undefined;
  try {
    path = mkdtempSync(join(parent, `${PREFIX}${process.pid}.${startTimeOf(process.pid) ?? 0}-`));
    // On a full disk a folder can often still be made.
    const probe = join(path, "probe");
    writeFileSync(probe, Buffer.alloc(ROOM_BYTES));
    rmSync(probe);
    const { mode, uid } = lstatSync(path);
    if ((mode & 0o077) !== 0 || (process.getuid !== undefined && uid !== process.getuid())) {
      throw new HostError("run-folder", `${safeText(path)} is not private to this user`, { path, mode });
    }
    return path;
  } catch (cause) {
    if (path !== undefined) rmSync(path, { recursive: true, force: true });
    if (cause instanceof HostError) throw cause;
    const reason = safeText(messageOf(cause), 500);
    throw new HostError(
      "run-folder",
      `cannot make a folder for the run in ${safeText(parent)}: ${reason}`,
      { parent },
      { cause },
    );
  }
}

/** Throws `HostError("run-folder")` unless the folder is what `$XDG_RUNTIME_DIR` should be. */
function checkRuntimeFolder(path: string): void {
  const refuse = (why: string): never => {
    throw new HostError("run-folder", `${safeText(path)} ${why}`, { path });
  };
  if (!path.startsWith("/")) refuse("is not an absolute path");
  if (path.length > PARENT_LENGTH_MAX) refuse("is too long for the path of a socket");
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    return refuse(`cannot be looked at: ${safeText(messageOf(error), 500)}`);
  }
  if (!stats.isDirectory()) refuse("is not a folder");
  if (process.getuid !== undefined && stats.uid !== process.getuid()) refuse("belongs to somebody else");
}

/** Removes the folders of runs whose owner is dead, and ends children of theirs that are still there. */
export function removeLeftovers(parent: string): void {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    const [, pid, start] = /^lc-([0-9]{1,10})\.([0-9]{1,20})-[A-Za-z0-9]{6}$/.exec(name) ?? [];
    if (pid === undefined || start === undefined) continue;
    const path = join(parent, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory()) continue;
    if (process.getuid !== undefined && stats.uid !== process.getuid()) continue;
    if (isAlive(Number(pid), start)) continue;
    endChildrenNotedIn(path);
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // A child that nobody had noted yet still writes there: a run after its end clears it away.
    }
  }
}

function endChildrenNotedIn(path: string): void {
  for (const name of readdirSync(path)) {
    if (!/^[0-9]+\.pid$/.test(name)) continue;
    const [, pid, start] =
      /^([0-9]{1,10}) ([0-9]{1,20})\n$/.exec(readFileSync(join(path, name), "latin1")) ?? [];
    // Without a start time to compare (no /proc) the pid could be anybody's by now: leave it.
    if (pid !== undefined && start !== undefined && start !== "0" && isAlive(Number(pid), start)) {
      process.kill(Number(pid), "SIGKILL");
    }
  }
}

/** Whether the process with that pid lives and is the one that started then; "0" leaves the start time open. */
export function isAlive(pid: number, start: string): boolean {
  const current = startTimeOf(pid);
  if (current !== undefined && start !== "0") return current === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Clock ticks from boot to the start of a process, where the system tells (Linux). */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command's name may hold spaces and parentheses; fields are counted after its last one. 22nd of all.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie is dead: it only waits for its parent to notice.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
