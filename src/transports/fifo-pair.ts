import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { StreamSocket } from "./stream-connection.js";

// How long a broken outgoing pipe waits for the incoming one to say why: both ends of a dead peer close together.
const LAST_WORDS_MS = 500;

type Done = (error?: Error | null) => void;

/**
 * Two FIFOs, one for each direction, as one socket. Each has this one writer, so nothing is torn, however long.
 *
 * A peer that dies ends the incoming one at once, after what it had written; a write that finds nobody reading any more
 * (EPIPE) is reported only after what is still to be read.
 */
export class FifoPair extends Duplex implements StreamSocket {
  readonly #in: Socket;
  readonly #out: Socket;
  readonly #gone: Promise<unknown>;
  /** Further descriptors that stand in for a peer which has not opened its ends yet. */
  #standIns: readonly number[];
  #broken: { readonly error: Error; readonly done: Done; readonly timer: NodeJS.Timeout } | undefined;
  #ended = false;

  /** Owns all descriptors from here on. `standIns` are closed when the first bytes come. */
  constructor(readFd: number, writeFd: number, standIns: readonly number[] = []) {
    super({ decodeStrings: false });
    this.#standIns = standIns;
    this.#in = new Socket({ fd: readFd, readable: true, writable: false });
    this.#out = new Socket({ fd: writeFd, readable: false, writable: true });
    this.#gone = Promise.all(
      [this.#in, this.#out].map((end) => new Promise((over) => end.once("close", over))),
    );
    this.#in.on("data", (chunk: Buffer) => {
      if (this.#standIns.length > 0) this.#dismiss();
      if (!this.push(chunk)) this.#in.pause();
    });
    this.#in.on("end", () => {
      this.#ended = true;
      this.push(null);
      this.#report();
    });
    this.#in.on("error", (error) => this.destroy(error));
    // Each failed write reports to its own callback.
    this.#out.on("error", () => {});
  }

  destroySoon(): void {
    if (!this.writableEnded) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  override _read(): void {
    this.#in.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#out.write(chunk, this.#written(done));
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.#out.cork();
    for (const [i, { chunk }] of chunks.entries()) {
      if (i < chunks.length - 1) this.#out.write(chunk);
      else this.#out.write(chunk, this.#written(done));
    }
    this.#out.uncork();
  }

  override _final(done: Done): void {
    this.#out.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#dismiss();
    clearTimeout(this.#broken?.timer);
    this.#in.destroy();
    this.#out.destroy();
    const over = (): void => done(error);
    void this.#gone.then(over);
  }

  #written(done: Done): Done {
    return (error) => {
      if (error === null || error === undefined) return done();
      if (this.#ended || this.destroyed) return done(error);
      this.#broken = { error, done, timer: setTimeout(() => this.#report(), LAST_WORDS_MS) };
    };
  }

  #report(): void {
    const broken = this.#broken;
    this.#broken = undefined;
    clearTimeout(broken?.timer);
    broken?.done(broken.error);
  }

  #dismiss(): void {
    for (const fd of this.#standIns) closeSync(fd);
    this.#standIns = [];
  }
}
