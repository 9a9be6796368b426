import { closeSync, openSync, readSync } from "node:fs";
import { LINE_LENGTH_MAX } from "../trace/index.js";
import { HostError } from "./errors.js";

const CHUNK_BYTES = 256 * 2 ** 10;
// No UTF-16 code unit takes more than three bytes of UTF-8.
const LINE_BYTES_MAX = 3 * LINE_LENGTH_MAX;

/**
 * Reads a file of lines while another process still appends to it; gives whole lines only, so a line torn by
 * `kill -9` is never seen.
 */
export class EventTail implements Disposable {
  readonly #file: number;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Throws what opening throws. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** How far whole lines have been given out, in bytes. */
  get position(): number {
    return this.#position - this.#rest.length;
  }

  /**
   * Hands over the next whole lines, line feeds included, a few hundred KiB at most; tells whether there may be more.
   *
   * Throws `HostError("participant-failed")` for a line beyond what a trace may hold.
   */
  read(onLines: (lines: string) => void): boolean {
    const length = readSync(this.#file, this.#chunk, 0, CHUNK_BYTES, this.#position);
    if (length === 0) return false;
    this.#position += length;
    const afterBreak = this.#chunk.lastIndexOf(0x0a, length - 1) + 1;
    if (afterBreak === 0) {
      this.#rest = Buffer.concat([this.#rest, this.#chunk.subarray(0, length)]);
      if (this.#rest.length > LINE_BYTES_MAX) {
        throw new HostError("participant-failed", `wrote an event of more than ${LINE_BYTES_MAX} bytes`);
      }
      return true;
    }
    const whole = this.#chunk.subarray(0, afterBreak);
    const lines = this.#rest.length === 0 ? whole : Buffer.concat([this.#rest, whole]);
    this.#rest = Buffer.from(this.#chunk.subarray(afterBreak, length));
    onLines(lines.toString("utf8"));
    return length === CHUNK_BYTES;
  }

  /** Goes back to the end of the last whole line: what followed has been cut off. */
  forgetRest(): void {
    this.#position = this.position;
    this.#rest = Buffer.alloc(0);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
