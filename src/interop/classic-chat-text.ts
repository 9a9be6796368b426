import { isUtf8 } from "node:buffer";
import { CHAT_NAME_LENGTH_MAX, CHAT_TEXT_LENGTH_MAX } from "../protocols/index.js";
import { speaksFrames } from "./classic-text.js";

// The group chat's format, over TCP and without frames: the client sends `nome=NAME`, then `msg=TEXT` for each message;
// the server sends `msg=NAME=TEXT` to everybody, the author included. The published programs take what one read gives
// for one message. Here a read that does not begin like a message goes on with the one before it, if that was a moment
// ago: long texts come in pieces.

/** A message goes on with what follows within so long. */
export const GOES_ON_MS = 25;

/** Between two messages to one client, so that one read gives it one. A hundred ms apart, loopback keeps them so. */
export const BETWEEN_MESSAGES_MS = 100;

/** Between two messages of the history, as the published server has it. */
export const BETWEEN_HISTORY_MS = 200;

/** More bytes than any message that would be accepted: four for each character. */
export const CLASSIC_CHAT_BYTES_MAX = 4 * (CHAT_TEXT_LENGTH_MAX + CHAT_NAME_LENGTH_MAX) + 16;

/** One read, or several that belong together, cut into messages. */
export class MessageJoiner {
  readonly #begins: RegExp;
  readonly #onMessage: (text: string) => void;
  readonly #onProblem: (problem: string) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** `begins`: how a message begins. After `onProblem` nothing more comes. */
  constructor(begins: RegExp, onMessage: (text: string) => void, onProblem: (problem: string) => void) {
    this.#begins = begins;
    this.#onMessage = onMessage;
    this.#onProblem = onProblem;
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    const begins = this.#begins.test(chunk.subarray(0, 8).toString("latin1"));
    if (begins) this.flush();
    if (this.#over) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length > CLASSIC_CHAT_BYTES_MAX) {
      return this.#fail(`a message of more than ${CLASSIC_CHAT_BYTES_MAX} bytes`);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), GOES_ON_MS);
  }

  /** What has come is whole. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#bytes.length === 0 || this.#over) return;
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    if (speaksFrames(bytes)) return this.#fail("it speaks with frames, and here is a classic port");
    if (!isUtf8(bytes)) return this.#fail("what is not UTF-8 text");
    const text = bytes.toString("utf8");
    // oxlint-disable-next-line no-control-regex -- to find them
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return this.#fail("control characters");
    // Typed into a terminal's `nc`, or glued together: a line, and a name before a message, end one for certain.
    for (const part of text.split(/\r?\n|(?<=^nome=[^=]*)(?=msg=)/)) {
      if (part === "" || this.#over) continue;
      if (!this.#begins.test(part)) return this.#fail(`neither nome=NAME nor msg=TEXT`);
      this.#onMessage(part);
    }
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #fail(problem: string): void {
    this.stop();
    this.#bytes = Buffer.alloc(0);
    this.#onProblem(problem);
  }
}
