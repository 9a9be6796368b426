import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const sources = fileURLToPath(new URL("programs/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lightcone-programs-"));
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Whether there is a Python 3 to run clients and servers in; tests that need one say so and are skipped. */
export const python = spawnSync("python3", ["--version"]).status === 0;

/** Whether there is a C compiler. */
export const compiler = spawnSync("gcc", ["--version"]).status === 0;

/** The command line of a Python program of `test/interop/programs`. */
export function pythonProgram(name: string, ...args: string[]): string[] {
  return ["python3", join(sources, `${name}.py`), ...args];
}

/** Compiles a C program of `test/interop/programs`, warnings being errors, and gives its command line. */
export function cProgram(name: string, ...args: string[]): string[] {
  const program = join(folder, name);
  const { status, stderr } = spawnSync(
    "gcc",
    ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, join(sources, `${name}.c`)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${name} does not compile:\n${stderr}`);
  return [program, ...args];
}

export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Standard output, once the program has ended; rejects for any status but 0. */
  readonly ended: Promise<string>;
  /** The first match in standard output, as soon as it is there. */
  shown(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): void;
}

/** Starts a program; it is killed at the latest when the tests of the file are over. */
export function startProgram([command = "", ...args]: readonly string[], cwd?: string): Program {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let out = "";
  let problems = "";
  const watchers = new Set<() => void>();
  const tell = (): void => {
    for (const watch of watchers) watch();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    tell();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (problems += text));
  let over = false;
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      running.delete(child);
      over = true;
      tell();
      if (status === 0) resolve(out);
      else reject(new Error(`${command} ended with ${status ?? signal}:\n${out}${problems}`));
    });
  });
  // Whoever is interested awaits it; a server that is stopped is nobody's concern.
  ended.catch(() => {});
  return {
    child,
    pid: child.pid ?? 0,
    ended,
    shown: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = pattern.exec(out);
          if (found === null && !over) return;
          watchers.delete(watch);
          if (found === null)
            reject(new Error(`it ended before it showed ${String(pattern)}:\n${out}${problems}`));
          else resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
    stop: () => void child.kill("SIGKILL"),
  };
}

/** Runs a program to its end; gives its standard output. */
export function runProgram(words: readonly string[], cwd?: string): Promise<string> {
  return startProgram(words, cwd).ended;
}
