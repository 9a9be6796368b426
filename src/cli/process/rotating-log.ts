import { appendFileSync, renameSync, rmSync, statSync } from "node:fs";
import { messageOf } from "../../host/index.js";

/** A log file is full at this size. Bytes. */
export const LOG_BYTES_MAX = 1024 * 1024;

/** Full files that are kept besides the one being written: `FILE.1`, the newest, to `FILE.4`. */
export const LOG_KEPT_MAX = 4;

export interface RotatingLogOptions {
  readonly bytesMax?: number;
  readonly keptMax?: number;
}

/**
 * A log file that never grows beyond a size: when it is full it becomes `FILE.1`, that `FILE.2`, and the last one goes.
 *
 * Opening throws what the system throws. A line that cannot be written later is told once to `onProblem`, and the log
 * goes on trying: a full disk must not end the process.
 */
export class RotatingLog {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #keptMax: number;
  readonly #onProblem: (problem: string) => void;
  #bytes: number;
  #failing = false;

  constructor(path: string, onProblem: (problem: string) => void, options: RotatingLogOptions = {}) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#bytesMax = options.bytesMax ?? LOG_BYTES_MAX;
    this.#keptMax = options.keptMax ?? LOG_KEPT_MAX;
    appendFileSync(path, "", { mode: 0o600 });
    this.#bytes = statSync(path).size;
  }

  /** Appends one line. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`, "utf8");
    try {
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
      appendFileSync(this.#path, bytes, { mode: 0o600 });
      this.#bytes += bytes.length;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onProblem(`cannot write the log ${this.#path}: ${messageOf(error)}`);
      this.#failing = true;
    }
  }

  #rotate(): void {
    rmSync(`${this.#path}.${this.#keptMax}`, { force: true });
    for (let i = this.#keptMax - 1; i >= 0; i--) {
      const from = i === 0 ? this.#path : `${this.#path}.${i}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${this.#path}.${i + 1}`);
    }
    this.#bytes = 0;
  }
}
