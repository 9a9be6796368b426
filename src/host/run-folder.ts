import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { udsAddress } from "../transports/index.js";
import { HostError } from "./errors.js";

const PREFIX = "lc-";

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

  /** Throws `HostError("run-folder")` when no private folder can be made. Clears away what dead runs left first. */
  static create(parent = runtimeParent()): RunFolder {
    removeLeftovers(parent);
    let path: string;
    try {
      mkdirSync(parent, { recursive: true, mode: 0o700 });
      path = mkdtempSync(join(parent, `${PREFIX}${process.pid}.${startTimeOf(process.pid) ?? 0}-`));
    } catch (cause) {
      throw new HostError(
        "run-folder",
        `cannot make a folder for the run in ${parent}`,
        { parent },
        { cause },
      );
    }
    const { mode, uid } = lstatSync(path);
    if ((mode & 0o077) !== 0 || (process.getuid !== undefined && uid !== process.getuid())) {
      rmSync(path, { recursive: true, force: true });
      throw new HostError("run-folder", `${path} is not private to this user`, { path, mode });
    }
    return new RunFolder(path);
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
    writeFileSync(join(this.path, `${index}.pid`), `${pid} ${startTimeOf(pid) ?? 0}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function runtimeParent(): string {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  // "/lc-4194304.18446744073709551615-XXXXXX/c" and a mesh's "/12.1.sock" must fit into a socket's 103 bytes.
  if (runtime !== undefined && runtime.startsWith("/") && runtime.length <= 48 && isWritableFolder(runtime))
    return runtime;
  const temporary = tmpdir();
  return temporary.length <= 48 ? temporary : "/tmp";
}

function isWritableFolder(path: string): boolean {
  try {
    const { uid, mode } = statSync(path);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o700) === 0o700);
  } catch {
    return false;
  }
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
    rmSync(path, { recursive: true, force: true });
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
function isAlive(pid: number, start: string): boolean {
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
function startTimeOf(pid: number): string | undefined {
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
