import { createInterface, type Interface } from "node:readline";
import { escapeText } from "../../core/index.js";
import type { Terminal, Tone as TerminalTone } from "../terminal.js";
import type { Tone } from "../../page/index.js";
import { TEXT_BYTES_MAX } from "./participant.js";

const TONES: Readonly<Record<Tone, TerminalTone>> = {
  plain: "faint",
  good: "good",
  warn: "warm",
  bad: "bad",
};

/**
 * What is typed, line by line, and log lines above it. On a terminal there is a prompt, and Ctrl-D ends the process;
 * in a pipe the end of input ends nothing, so that a process can run without anybody at it.
 */
export class Console implements Disposable {
  readonly #terminal: Terminal;
  #prompt: Interface | undefined;
  readonly #over = new AbortController();

  constructor(terminal: Terminal, prompt: string, onLine: (line: string) => void, onEnd: () => void) {
    this.#terminal = terminal;
    const { stdin, stdout } = process;
    if (stdin.isTTY && stdout.isTTY) {
      this.#prompt = createInterface({ input: stdin, output: stdout, prompt });
      this.#prompt.on("line", (line) => {
        if (line !== "") onLine(line);
        this.#prompt?.prompt();
      });
      const end = (): void => {
        this.#leavePrompt();
        onEnd();
      };
      this.#prompt.on("close", end);
      // In raw mode Ctrl-C is a key.
      this.#prompt.on("SIGINT", end);
      this.#prompt.prompt();
      return;
    }
    readLines(stdin, onLine, this.#over.signal).catch((error: unknown) =>
      terminal.complain(`lightcone: cannot read what is typed: ${escapeText(String(error))}`),
    );
  }

  /** One line of the log. */
  show(text: string, tone: Tone): void {
    const time = new Date().toISOString().slice(11, 23);
    const line = `${this.#terminal.style(time, "faint")}  ${this.#terminal.style(escapeText(text), TONES[tone])}`;
    if (this.#prompt === undefined) {
      this.#terminal.print(line);
      return;
    }
    this.#terminal.print(`\r\x1b[K${line}`);
    this.#prompt.prompt(true);
  }

  /** What is said from here on stands on lines of its own. */
  #leavePrompt(): void {
    const prompt = this.#prompt;
    this.#prompt = undefined;
    if (prompt === undefined) return;
    prompt.removeAllListeners("close");
    prompt.close();
    this.#terminal.print();
  }

  [Symbol.dispose](): void {
    this.#leavePrompt();
    this.#over.abort();
    // An open pipe would keep the process alive.
    process.stdin.destroy();
  }
}

/** Lines of at most {@link TEXT_BYTES_MAX} bytes or so: of a longer one only the beginning is kept, to be refused. */
async function readLines(
  input: NodeJS.ReadStream,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of input) {
      const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
      rest = (parts.pop() ?? "").slice(0, TEXT_BYTES_MAX + 1);
      for (const part of parts) {
        const line = part.endsWith("\r") ? part.slice(0, -1) : part;
        if (line !== "") onLine(line);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (rest !== "" && !signal.aborted) onLine(rest);
}
