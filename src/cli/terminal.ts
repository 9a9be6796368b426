import { styleText } from "node:util";
import type { WriteStream } from "node:tty";

/** How a piece of text is meant; what that looks like is the terminal's business. */
export type Tone = "plain" | "strong" | "faint" | "good" | "bad" | "doubtful" | "accent" | "warm";

/**
 * Where a command writes: results to standard output, progress and errors to standard error.
 *
 * Colours only on a terminal and without `NO_COLOR`; progress only on a terminal.
 */
export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #err: NodeJS.WriteStream;
  #progressShown = false;
  /** Print nothing beyond ASCII; a diagram has an ASCII form of its own. */
  ascii = false;

  constructor(out: NodeJS.WriteStream, err: NodeJS.WriteStream) {
    this.#out = out;
    this.#err = err;
    // `lightcone … | head`: the reader left, which is its right. Everything else is worth a stack trace.
    for (const stream of [out, err]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") throw error;
        process.exit(process.exitCode ?? 0);
      });
    }
  }

  /** Columns to fill: the terminal's, or 80 in a pipe. */
  get columns(): number {
    return this.#out.isTTY ? Math.max(1, this.#out.columns || 80) : 80;
  }

  get colours(): boolean {
    return isColourful(this.#out);
  }

  /** One or more lines to standard output. */
  print(text = ""): void {
    this.#clearProgress();
    this.#out.write(`${this.ascii ? asciiOnly(text) : text}\n`);
  }

  /** One line to standard error. */
  complain(text: string): void {
    this.#clearProgress();
    this.#err.write(`${text}\n`);
  }

  /** Shows a passing line in place of the last one; nothing in a pipe. */
  progress(text: string): void {
    if (!this.#err.isTTY) return;
    this.#err.write(`\r\x1b[K${text.slice(0, this.columns - 1)}`);
    this.#progressShown = true;
  }

  style(text: string, tone: Tone): string {
    // Colours are made of escape characters, which are no text to an ASCII reader.
    if (tone === "plain" || this.ascii || !this.colours) return text;
    return styleText(FORMATS[tone], text, { validateStream: false });
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.#err.write("\r\x1b[K");
    this.#progressShown = false;
  }
}

const FORMATS = {
  strong: "bold",
  faint: "gray",
  good: "green",
  bad: "red",
  doubtful: "yellow",
  accent: "cyan",
  warm: "yellow",
} as const;

function isColourful(stream: NodeJS.WriteStream | WriteStream): boolean {
  return stream.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

const ASCII_FORMS: Readonly<Record<string, string>> = {
  "✓": "+",
  "✗": "x",
  "–": "-",
  "•": "*",
  "…": "...",
  "≥": ">=",
};

function asciiOnly(text: string): string {
  return text.replace(/[^\n -~]/gu, (character) => ASCII_FORMS[character] ?? "?");
}
