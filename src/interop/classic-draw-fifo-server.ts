import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { LightconeError } from "../core/index.js";
import { removeFifo, systemCode, TransportError, type FifoIdentity } from "../transports/index.js";
import { CLASSIC_LIMITS, type ClassicServeOptions, type ClassicServer } from "./classic-format.js";
import {
  drawFolder,
  ensureFifo,
  identityOf,
  leaveDrawFolder,
  openIfThere,
  takeTurn,
  type DrawFolder,
} from "./draw-folder.js";
import {
  decodeDrawRequest,
  DRAW_REQUEST_BYTES,
  drawProblem,
  encodeDrawReplies,
  RecordReader,
  SHOWN_NUMBERS_MAX,
  type DrawRequest,
} from "./draw-records.js";
import { drawNumbers, numbersFor } from "./random-numbers.js";
import { expectWakeUps, wakeProblem, wakeProcess, wakeUps, wokenSince } from "./wake-up.js";

/** The client makes `Fifo1`, whenever it likes, and anew when it likes: so often we look. */
const LOOK_MS = 50;

/** Requests that wait while one is answered; one more is dropped and logged. */
export const DRAW_QUEUE_MAX = 1_000;

/** Part of a request, when nothing has followed for so long, was none: a write of twelve bytes is never torn. */
const PARTIAL_MS = 1_000;

/** Before the signal, so that a client which first reads and then waits for it does wait. */
export const SETTLE_MS = 20;

/** For the client to say that the signal came, and then to read what is left. */
const HANDSHAKE_MS_MAX = 2_000;

/** How often to look again for a reader, or for room in the pipe. */
const RETRY_MS = 2;

/**
 * Serves random numbers over named pipes: requests in turn from `Fifo1`, replies through `Fifo2`, opened anew for each
 * number, then SIGUSR1 to the client, which signals back.
 *
 * Two clients at once would read each other's numbers, so ours take turns; the published ones cannot be kept apart.
 * Rejects as `Transport.listen` does; removes both pipes when it closes.
 */
export async function serveDrawsOverFifo(options: ClassicServeOptions): Promise<ClassicServer> {
  const folder = drawFolder(options.at, true);
  expectWakeUps();
  const turn = takeTurn(folder, "server");
  if (turn === undefined) {
    const { address } = folder;
    throw new TransportError("address-in-use", `${address} is in use by another process`, { address });
  }
  try {
    await ensureFifo(folder, folder.replies);
    return new DrawServer(folder, turn, options);
  } catch (error) {
    turn[Symbol.dispose]();
    leaveDrawFolder(folder);
    throw error;
  }
}

const CLOSING = "the server closes";

class DrawServer implements ClassicServer {
  served = 0;
  readonly #folder: DrawFolder;
  readonly #turn: Disposable;
  readonly #log: (line: string) => void;
  readonly #seed: number | undefined;
  readonly #replyMsMax: number;
  readonly #closing = new AbortController();
  readonly #reader = new RecordReader(DRAW_REQUEST_BYTES);
  readonly #queue: DrawRequest[] = [];
  readonly #looking: NodeJS.Timeout;
  #requests: { readonly socket: Socket; readonly identity: FifoIdentity } | undefined;
  #silence: NodeJS.Timeout | undefined;
  /** Since the last silence. */
  #refusedBytes = 0;
  #working: Promise<void> | undefined;
  /**
   * `Fifo2` for writing, while somebody reads it; nothing is written to it. Numbers that wait in a pipe are lost in the
   * moment when neither end is open, and a client that opens it anew for each number makes such moments.
   */
  #keeper: number | undefined;
  #answered = 0;
  #lookProblem = "";

  constructor(folder: DrawFolder, turn: Disposable, { log, seed, limits }: ClassicServeOptions) {
    this.#folder = folder;
    this.#turn = turn;
    this.#log = log;
    this.#seed = seed;
    this.#replyMsMax = limits?.replyMsMax ?? CLASSIC_LIMITS.replyMsMax;
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  get address(): string {
    return this.#folder.address;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error("the server is closed"));
    clearInterval(this.#looking);
    clearTimeout(this.#silence);
    this.#requests?.socket.destroy();
    await this.#working;
    removeFifo(this.#folder.requests);
    removeFifo(this.#folder.replies);
    this.#turn[Symbol.dispose]();
    leaveDrawFolder(this.#folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Opens `Fifo1` once it is there, and the one that has taken its place. */
  #look(): void {
    try {
      const identity = identityOf(this.#folder.requests);
      if (identity?.inode === this.#requests?.identity.inode) return;
      this.#requests?.socket.destroy();
      this.#requests = undefined;
      this.#reader.reset();
      if (identity === undefined) return;
      // For writing, too: a pipe whose last writer has left would be at its end.
      const fd = openIfThere(this.#folder.requests, "both");
      if (fd === undefined) return;
      const socket = new Socket({ fd, readable: true, writable: false });
      socket.on("data", (chunk: Buffer) => this.#onRequests(chunk));
      socket.on("error", (error) => this.#log(`Fifo1: ${systemCode(error)}`));
      this.#requests = { socket, identity };
      this.#lookProblem = "";
      this.#log("Fifo1 is open");
    } catch (error) {
      if (!(error instanceof LightconeError)) throw error;
      // Once, not twenty times a second.
      if (error.message !== this.#lookProblem) this.#log(error.message);
      this.#lookProblem = error.message;
    }
  }

  #onRequests(chunk: Buffer): void {
    clearTimeout(this.#silence);
    for (const record of this.#reader.push(chunk)) {
      const request = decodeDrawRequest(record);
      const problem =
        drawProblem(request) ?? (request.pid <= 1 ? `${request.pid} is no client's pid` : undefined);
      if (problem !== undefined) {
        // Where the next request begins is anybody's guess: what came with it goes, too.
        this.#refuse(chunk.length, problem);
        break;
      }
      if (this.#queue.length >= DRAW_QUEUE_MAX) {
        this.#log(`Fifo1: process ${request.pid} turned away: ${DRAW_QUEUE_MAX} requests wait, the limit`);
      } else this.#queue.push(request);
    }
    if (this.#reader.partial > 0 || this.#refusedBytes > 0) {
      this.#silence = setTimeout(() => this.#afterGarbage(), PARTIAL_MS);
    }
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      this.#dropKeeper();
    });
  }

  /** One line for garbage, however much of it comes without a pause. */
  #refuse(bytes: number, problem: string): void {
    if (this.#refusedBytes === 0) this.#log(`Fifo1: ${bytes} bytes refused: ${problem}`);
    this.#refusedBytes += bytes;
    this.#reader.reset();
  }

  #afterGarbage(): void {
    const { partial } = this.#reader;
    if (partial > 0) this.#refuse(partial, `a request has ${DRAW_REQUEST_BYTES}`);
    this.#refusedBytes = 0;
  }

  async #work(): Promise<void> {
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      if (this.#closing.signal.aborted) return;
      const { pid, x, nmax } = request;
      this.#log(`process ${pid} asks for ${x} numbers up to ${nmax}`);
      try {
        const problem = (await wakeProblem(pid)) ?? (await this.#answer(request));
        if (problem !== undefined) this.#log(`process ${pid} not answered: ${problem}`);
      } catch (error) {
        if (!(error instanceof LightconeError)) throw error;
        this.#log(`process ${pid} not answered: ${error.message}`);
      }
    }
  }

  /** Gives why the request came to nothing, or `undefined`. */
  async #answer(request: DrawRequest): Promise<string | undefined> {
    const { pid, x, nmax } = request;
    if (this.#keeper === undefined) {
      const opened = await this.#openReplies(pid);
      if (typeof opened === "string") return opened;
      this.#keeper = opened;
    }
    let handedOver = false;
    try {
      for (const number of drawNumbers(numbersFor(this.#seed, this.#answered++), x, nmax)) {
        const problem = await this.#send(pid, encodeDrawReplies(process.pid, [number]));
        if (problem !== undefined) return problem;
        if (x <= SHOWN_NUMBERS_MAX) this.#log(`sent ${number} to process ${pid}`);
      }
      this.#log(`${x} numbers sent to process ${pid}`);
      await this.#pause(SETTLE_MS);
      const back = await this.#shakeHands(pid);
      this.served++;
      // What a client has left unread must never reach the next one.
      handedOver = (await this.#nextReads()) && back;
      return undefined;
    } finally {
      if (!handedOver) this.#dropKeeper();
    }
  }

  /** Signals, and says whether the client has signalled back. */
  async #shakeHands(pid: number): Promise<boolean> {
    const before = wakeUps();
    const problem = await this.#wake(pid);
    if (problem !== undefined) {
      this.#log(`process ${pid} not woken: ${problem}`);
      return false;
    }
    this.#log(`woke process ${pid} by SIGUSR1`);
    const back = await wokenSince(before, HANDSHAKE_MS_MAX, this.#closing.signal);
    this.#log(back ? `process ${pid} has signalled back` : `process ${pid} has not signalled back`);
    return back;
  }

  /** A client may begin to expect the signal only once it has its numbers. */
  async #wake(pid: number): Promise<string | undefined> {
    const until = performance.now() + HANDSHAKE_MS_MAX;
    for (;;) {
      const problem = await wakeProcess(pid);
      if (
        problem === undefined ||
        this.#closing.signal.aborted ||
        performance.now() > until ||
        (await wakeProblem(pid)) !== undefined
      )
        return problem;
      await this.#pause(LOOK_MS);
    }
  }

  async #send(pid: number, bytes: Uint8Array): Promise<string | undefined> {
    const fd = await this.#openReplies(pid);
    if (typeof fd === "string") return fd;
    const until = performance.now() + this.#replyMsMax;
    try {
      for (;;) {
        try {
          // All or nothing, for it is shorter than PIPE_BUF.
          writeSync(fd, bytes);
          return undefined;
        } catch (error) {
          const code = systemCode(error);
          if (code !== "EAGAIN" && code !== "EPIPE") throw error;
          if (this.#closing.signal.aborted) return CLOSING;
          if (performance.now() > until) return "it does not read its numbers";
        }
        await this.#pause(RETRY_MS);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** `Fifo2` for writing, as soon as somebody reads it; or why nobody does. */
  async #openReplies(pid: number): Promise<number | string> {
    const until = performance.now() + this.#replyMsMax;
    for (let tries = 1; ; tries++) {
      const fd = openIfThere(this.#folder.replies, "write");
      if (fd !== undefined) return fd;
      if (this.#closing.signal.aborted) return CLOSING;
      if (performance.now() > until) return `nobody read Fifo2 for ${this.#replyMsMax} ms`;
      if (tries % 50 === 0) {
        const gone = await wakeProblem(pid);
        if (gone !== undefined) return gone;
      }
      await this.#pause(RETRY_MS);
    }
  }

  /** Waits until nobody has `Fifo2` open any more: false; or until the next client asks, which has it open by then: true. */
  async #nextReads(): Promise<boolean> {
    const until = performance.now() + HANDSHAKE_MS_MAX;
    // Absent several times in a row: between two numbers a client may have it closed for a moment.
    for (let absent = 0; performance.now() < until;) {
      if (this.#queue.length > 0) return true;
      const fd = openIfThere(this.#folder.replies, "write");
      if (fd !== undefined) closeSync(fd);
      absent = fd === undefined ? absent + 1 : 0;
      // At once: who opens it after this look must not find our end open and then closed.
      if (absent === 5) break;
      await this.#pause(RETRY_MS);
    }
    return false;
  }

  #dropKeeper(): void {
    if (this.#keeper !== undefined) closeSync(this.#keeper);
    this.#keeper = undefined;
  }

  /** Ends early when the server closes; every loop looks for that. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await pause(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
