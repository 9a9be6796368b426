import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { safeText } from "./errors.js";

/** How a program was started as one participant. */
export interface ChildOptions {
  /** A JavaScript file for this Node, and what precedes the participant's own arguments: `["participant.js"]`. */
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

  /** What it was that ended it, if that was printed, or the last that was; safe to show; at most three lines. */
  get lastWords(): string {
    const lines = this.#output
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.startsWith("Node.js v"));
    // Node shows the place first, then this line, then where it was called from.
    const error = lines.findLast((line) => /^(Uncaught )?[A-Za-z]*Error( \[[A-Z_]+\])?(: |$)/.test(line));
    return (error === undefined ? lines.slice(-3) : [error]).map((line) => safeText(line, 300)).join(" | ");
  }

  /** What the system says it is doing at the moment, where the system tells (Linux). */
  get state(): "stopped" | "busy" | undefined {
    if (this.#gone || this.pid === undefined) return undefined;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
    } catch {
      return undefined;
    }
    // The command's name may hold spaces and parentheses; the state comes after its last one.
    const letter = stat.charAt(stat.lastIndexOf(")") + 2);
    return letter === "T" || letter === "t" ? "stopped" : letter === "R" ? "busy" : undefined;
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
  if (exit.code === PARTICIPANT_EXIT.terminated) return "was ended by SIGTERM";
  if (exit.code === PARTICIPANT_EXIT.alone) return "lost its connection to the supervisor";
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}

/** What a participant's process exits with; see `runParticipant`. */
export const PARTICIPANT_EXIT = {
  done: 0,
  failed: 1,
  /** The connection to its supervisor is gone. */
  alone: 69,
  /** 128 + 15: somebody sent SIGTERM, and it ended in order. */
  terminated: 143,
} as const;

// What a process brings on itself; V8 ends with one of these when a handler has used up the memory.
const OWN_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
]);

/** Whether something outside the program ended it, as far as its end alone can tell. */
export function isEndedFromOutside({ code, signal, error }: Exit): boolean {
  if (error !== undefined) return true;
  if (signal !== null) return !OWN_SIGNALS.has(signal);
  return code === PARTICIPANT_EXIT.alone || code === PARTICIPANT_EXIT.terminated;
}
