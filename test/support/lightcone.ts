import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const mainFile = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A state folder of this test process's own, so that "the last run" is one of its own runs. */
export const stateHome = mkdtempSync(join(tmpdir(), "lightcone-test-"));
// A worker of the test runner may be ended without its exit handlers.
afterAll(() => rmSync(stateHome, { recursive: true, force: true }));

export interface Ended {
  /** 128 + n when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves when standard output has matched; rejects when the command ends first. */
  shown(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Types a line, where `typed` was asked for. */
  type(line: string): void;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Beyond this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input is a pipe to `type` into; otherwise it is empty. */
  readonly typed?: boolean;
  /** What a shell says before it becomes the command, such as `ulimit -f 8`. */
  readonly limited?: string;
}

/** Starts `lightcone …` as a user would, with the output in a pipe. */
export function start(args: readonly string[], options: StartOptions = {}): Started {
  const { limited } = options;
  const command = [process.execPath, mainFile, ...args];
  const [program = "", ...rest] =
    limited === undefined ? command : ["sh", "-c", `${limited}; exec "$@"`, "sh", ...command];
  const child = spawn(program, rest, {
    cwd: options.cwd,
    stdio: [options.typed === true ? "pipe" : "ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_STATE_HOME: stateHome, NO_COLOR: "1", ...options.env },
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) =>
      resolve({ status: status ?? (signal === "SIGKILL" ? 137 : 128), stdout, stderr }),
    );
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the command could not be started");
  return {
    pid,
    ended,
    shown: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = pattern.exec(stdout);
          if (found === null) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void ended.then(({ status }) =>
          reject(new Error(`ended with ${status} before it showed ${String(pattern)}:\n${stdout}${stderr}`)),
        );
      }),
    signal: (signal) => void child.kill(signal),
    type: (line) => void child.stdin?.write(`${line}\n`),
  };
}

export function lightcone(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(args, options).ended;
}
