import { readFileSync } from "node:fs";
import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

/**
 * A line that the user edits at the bottom of the terminal, while other lines appear above it.
 *
 * Whatever is printed must have been made safe for a terminal before.
 */
export class LineEditor implements Disposable {
  readonly #out: WriteStream;
  readonly #readline: Interface;

  constructor(input: ReadStream, out: WriteStream, prompt: string) {
    this.#out = out;
    this.#readline = createInterface({ input, output: out, terminal: true, prompt, historySize: 200 });
    this.#readline.prompt();
  }

  /** `onLine` gets each line, which is gone from the screen by then; `onEnd` is told of Ctrl-C and Ctrl-D. */
  listen(onLine: (line: string) => void, onEnd: () => void): void {
    this.#readline.on("line", (line) => {
      const columns = Math.max(1, this.#out.columns || 80);
      const rows = Math.ceil((this.#readline.getPrompt().length + line.length + 1) / columns);
      moveCursor(this.#out, 0, -rows);
      cursorTo(this.#out, 0);
      clearScreenDown(this.#out);
      onLine(line);
      this.#readline.prompt(true);
    });
    this.#readline.on("SIGINT", onEnd);
    this.#readline.on("close", onEnd);
  }

  /** One or more lines, above the one being edited. */
  print(text: string): void {
    moveCursor(this.#out, 0, -this.#readline.getCursorPos().rows);
    cursorTo(this.#out, 0);
    clearScreenDown(this.#out);
    this.#out.write(`${text}\n`);
    this.#readline.prompt(true);
  }

  [Symbol.dispose](): void {
    this.#readline.removeAllListeners("close");
    cursorTo(this.#out, 0);
    clearScreenDown(this.#out);
    this.#readline.close();
  }
}

/** Whether reading from the terminal would not stop this process: whoever is in the background must not. */
export function readsTerminal(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Process group, and the group that the terminal listens to: the 5th and the 8th of all.
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}
