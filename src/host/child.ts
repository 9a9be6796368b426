import { spawn, type ChildProcess } from "node:child_process";
import { safeText } from "./errors.js";

/** How a program was started as one participant. */
export interface ChildOptions {
  /** A JavaScript file for this Node, and what precedes the participant's own arguments: `["main.js", "process"]`. */
  readonly entry: readonly string[];
  readonly control: string;
  readonly process: string;
  /** Goes by environment, not by argument: every user of a machine can read arguments. */
  readonly token: string;
}

/** Names the variable that carries the control token to a participant. */
export const TOKEN_VARIABLE = "LIGHTCONE_TOKEN";

/** How an operating-system process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it could not even be started. */
  readonly error?: Error;
}

// The last words matter; a participant that prints in a loop must not fill the supervisor.
const OUTPUT_LENGTH_MAX = 8 * 2 ** 10;

/** One operating-system process of ours, from spawn to its end. */
export class Child {
  /** Resolves once it is gone; never rejects. */
  readonly exited: Promise<Exit>;
  readonly pid: number | undefined;
  readonly #process: ChildProcess;
  #output = "";
  #gone = false;

  constructor(options: ChildOptions) {
    this.#process = spawn(
      process.execPath,
      [...options.entry, "--control", options.control, "--id", options.process],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, [TOKEN_VARIABLE]: options.token } },
    );
    this.pid = this.#process.pid;
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_LENGTH_MAX);
      });
    }
    this.exited = new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#gone = true;
        resolve({ code: null, signal: null, error });
      });
      // "exit" and not "close": a grandchild may hold the pipes open for as long as it likes.
      this.#process.once("exit", (code, signal) => {
        this.#gone = true;
        resolve({ code, signal });
      });
    });
  }

  /** The last that it printed, safe to show; at most three lines. */
  get lastWords(): string {
    const lines = this.#output.split("\n").filter((line) => line.trim() !== "");
    return lines
      .slice(-3)
      .map((line) => safeText(line, 300))
      .join(" | ");
  }

  /** Signals it unless it is gone; tells whether it was there. */
  signal(signal: NodeJS.Signals): boolean {
    return !this.#gone && this.#process.kill(signal);
  }

  /** Sets free what would keep this program running. */
  release(): void {
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }
}

/** `ended with code 1`, `was ended by SIGKILL`, `could not be started: …`. */
export function describeExit(exit: Exit): string {
  if (exit.error !== undefined) return `could not be started: ${safeText(exit.error.message, 300)}`;
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}
