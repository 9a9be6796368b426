import type { Duplex } from "node:stream";
import type { BatchOptions, ChunkPool, SharedFrame } from "../wire/index.js";
import {
  BatchDecoder,
  BatchEncoder,
  CHUNK_BYTES,
  checkPreamble,
  FrameError,
  goodbye,
  preamble,
  PREAMBLE_BYTES,
  preambleStatus,
} from "../wire/index.js";
import type { CloseCode, CloseReason, Connection, FrameReceiver } from "./transport.js";
import { TransportError } from "./transport-error.js";

/** What a connection needs of its socket: a `net.Socket` has it. */
export interface StreamSocket extends Duplex {
  /** Ends once everything written has left, and destroys then. */
  destroySoon(): void;
  /** Where the carrier has a way of its own to say why it ends; called before the end. */
  ending?(why: CloseCode): void;
}

/** What all connections of one stream transport share. */
export interface StreamShared extends Required<BatchOptions> {
  readonly highWaterBytes: number;
  readonly bufferBytesMax: number;
  readonly frameMsMax: number;
  readonly closeMsMax: number;
  readonly pool: ChunkPool;
}

/**
 * A connection's life. `handshake`: until the peer's preamble is whole. `ended`: the peer has closed it in order, but
 * frames wait for a receiver. `closing`: what is queued still leaves, what arrives is discarded. `over`: nothing
 * happens any more; `closed` resolves when the socket is gone, too.
 */
type Phase = "handshake" | "open" | "ended" | "closing" | "over";

// Without a receiver this much is kept before the peer is made to wait, and once at most one frame beyond it.
const EARLY_BYTES_MAX = 65_536;

// What a kept frame costs beyond its bytes, so that a million empty ones are not free.
const FRAME_COST = 16;

// Less lies in one chunk for certain, and is one write without gathering.
const GATHER_BYTES_MIN = CHUNK_BYTES / 2;

// Long enough for a goodbye to be read on any network where it matters, short enough to be no burden.
const LINGER_MS = 500;

/**
 * Frames over one stream socket: TCP, Unix, TLS, or what makes itself one. Everything queued in one tick is written at
 * its end: one write, or one gathered write when it fills several chunks. While the system takes no more, frames gather
 * in full chunks, so that what a peer which does not read costs is what was sent to it, however small the pieces. An end
 * in order is announced in the stream, so that a peer which dies (the system then closes its sockets properly) is seen
 * as `reset` and never as `closed`.
 */
export class StreamConnection implements Connection {
  readonly remote: string;
  readonly closed: Promise<CloseReason>;
  beforeFlush: (() => void) | undefined;
  readonly #socket: StreamSocket;
  readonly #shared: StreamShared;
  readonly #onReady: (connection: StreamConnection) => void;
  readonly #toStrangers: string | undefined;
  readonly #encoder: BatchEncoder;
  readonly #decoder: BatchDecoder;
  readonly #preamble = new Uint8Array(PREAMBLE_BYTES);
  #preambleBytes = 0;
  #phase: Phase = "handshake";
  #reason: CloseReason | undefined;
  #receiver: FrameReceiver | undefined;
  /** Frames that arrived before there was a receiver. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #flushScheduled = false;
  /** Until the system has taken the writes before it. */
  #flushHeld = false;
  /** Handed to the socket, and not yet taken by the system. */
  #writes = 0;
  #writingBytes = 0;
  #drained: PromiseWithResolve | undefined;
  /** One timer at a time: for the handshake, then for unfinished batches, then for closing. */
  #timer: NodeJS.Timeout | undefined;
  /** When the batch that is now unfinished began, on `performance.now()`; 0 when there is none. */
  #unfinishedSince = 0;

  /**
   * `onReady` is called once, when the peer has introduced itself properly. `toStrangers` is said to a peer that speaks
   * text instead.
   */
  constructor(
    socket: StreamSocket,
    remote: string,
    shared: StreamShared,
    handshakeMsMax: number,
    onReady: (connection: StreamConnection) => void,
    toStrangers?: string,
  ) {
    this.remote = remote;
    this.#toStrangers = toStrangers;
    this.#socket = socket;
    this.#shared = shared;
    this.#onReady = onReady;
    this.#encoder = new BatchEncoder(shared);
    this.#decoder = new BatchDecoder(shared);
    this.#timer = setTimeout(() => {
      this.#destroy("handshake-timeout", `the peer did not introduce itself within ${handshakeMsMax} ms`);
    }, handshakeMsMax);
    const { promise, resolve } = deferred<CloseReason>();
    this.closed = promise;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // The carrier's own rules were broken, as our framing's may be.
      if (error instanceof FrameError) this.#settle(error.code, error.message);
      else this.#settle("reset", `the connection broke: ${error.code ?? "unknown error"}`);
      // A TLS socket stays open after a damaged record.
      socket.destroy();
    });
    socket.on("close", () => {
      this.#settle("reset", "the connection broke");
      this.#phase = "over";
      this.#release();
      resolve(this.#reason ?? { code: "reset", detail: "the connection broke" });
    });
    socket.write(preamble());
  }

  get bufferedBytes(): number {
    return this.#encoder.queuedBytes + this.#writingBytes;
  }

  receive(onFrame: FrameReceiver): void {
    this.#receiver = onFrame;
    const early = this.#early;
    this.#dropEarly();
    try {
      for (const frame of early) {
        if (this.#phase === "open" || this.#phase === "ended") onFrame(frame, 0, frame.length);
      }
    } catch (error) {
      this.#refuse(error);
    }
    if (this.#phase === "ended") this.#destroy("closed", "the peer closed the connection");
    else if (this.#phase !== "over") this.#socket.resume();
  }

  send(frame: Uint8Array, start = 0, end = frame.length): boolean {
    this.#checkSend();
    this.#encoder.add(frame, start, end);
    return this.#queued();
  }

  sendNow(frame: Uint8Array, start = 0, end = frame.length): boolean {
    this.#checkSend();
    this.#encoder.add(frame, start, end);
    // While the system takes no more, frames gather in full chunks.
    if (this.#writes > 0) this.#flushHeld = true;
    else this.#flush();
    return this.bufferedBytes < this.#shared.highWaterBytes;
  }

  sendShared(frame: SharedFrame): boolean {
    this.#checkSend();
    this.#encoder.addShared(frame);
    return this.#queued();
  }

  flush(): void {
    // While the system takes no more, frames gather in full chunks.
    if (this.#phase === "open" && this.#writes === 0) this.#flush();
  }

  drained(): Promise<void> {
    if (this.#phase === "over" || this.bufferedBytes < this.#shared.highWaterBytes) return Promise.resolve();
    this.#drained ??= deferred<void>();
    return this.#drained.promise;
  }

  async close(): Promise<void> {
    if (this.#phase === "handshake") this.#destroy("closed", "closed here before the handshake was over");
    if (this.#phase === "ended") this.#destroy("closed", "the peer closed the connection");
    if (this.#phase === "open") {
      this.#phase = "closing";
      this.#settle("closed", "closed here");
      this.#discardInput();
      process.nextTick(() => {
        this.#flush();
        if (this.#phase === "closing") this.#end("closed", this.#shared.closeMsMax);
      });
    }
    await this.closed;
  }

  abort(reason = "aborted here"): void {
    if (this.#phase === "over") return;
    // Best effort: the peer learns of it from the stream's missing end, too.
    if (this.#phase === "open" && this.bufferedBytes === 0) this.#socket.write(goodbye("aborted"));
    this.#destroy("aborted", reason);
  }

  #checkSend(): void {
    if (this.#phase !== "open") {
      throw new TransportError("closed", `the connection to ${this.remote} is over`);
    }
    const buffered = this.#encoder.queuedBytes + this.#writingBytes;
    if (buffered > this.#shared.bufferBytesMax) throw this.#bufferFull(buffered);
  }

  /** `false`: more than there should be. */
  #queued(): boolean {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(this.#flushNow);
    }
    return this.bufferedBytes < this.#shared.highWaterBytes;
  }

  readonly #flushNow = (): void => {
    this.#flushScheduled = false;
    if (this.#phase !== "open") return;
    if (this.#writes > 0) this.#flushHeld = true;
    else this.#flush();
  };

  #flushAfterWrites(): void {
    this.#flushHeld = false;
    if (this.#phase === "open") this.#flush();
  }

  #flush(): void {
    if (this.#encoder.queuedBytes === 0) return;
    if (this.beforeFlush !== undefined) {
      try {
        this.beforeFlush();
      } catch (error) {
        this.#destroy("aborted", "what had to be done before writing failed");
        throw error;
      }
      // It may have ended the connection.
      if (this.#phase === "over") return;
    }
    const gather = this.#encoder.queuedBytes > GATHER_BYTES_MIN;
    if (gather) this.#socket.cork();
    this.#encoder.take(this.#write);
    if (gather) this.#socket.uncork();
  }

  readonly #write = (bytes: Uint8Array, length: number): void => {
    this.#writes++;
    this.#writingBytes += length;
    this.#socket.write(bytes.subarray(0, length), (error) => {
      this.#writes--;
      this.#writingBytes -= length;
      // After an error the system may still hold the bytes: the collector decides.
      if (error === null || error === undefined) {
        this.#shared.pool.give(bytes);
        if (this.#flushHeld && this.#writes === 0) this.#flushAfterWrites();
      }
      if (this.#drained !== undefined && this.bufferedBytes < this.#shared.highWaterBytes)
        this.#releaseWaiting();
    });
  };

  #onData(chunk: Buffer): void {
    if (this.#phase === "open") this.#decode(chunk, 0);
    else if (this.#phase === "handshake") this.#shakeHands(chunk);
  }

  #shakeHands(chunk: Buffer): void {
    const taken = Math.min(chunk.length, PREAMBLE_BYTES - this.#preambleBytes);
    this.#preamble.set(chunk.subarray(0, taken), this.#preambleBytes);
    this.#preambleBytes += taken;
    try {
      checkPreamble(this.#preamble, 0, this.#preambleBytes);
    } catch (error) {
      return this.#refuse(error);
    }
    if (this.#preambleBytes < PREAMBLE_BYTES) return;
    if (preambleStatus(this.#preamble) === "full") {
      return this.#destroy("limit", "the peer has as many connections as it accepts");
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#phase = "open";
    this.#onReady(this);
    if (this.#isOpen() && taken < chunk.length) this.#decode(chunk, taken);
  }

  #decode(chunk: Buffer, start: number): void {
    try {
      this.#decoder.push(chunk, start, chunk.length, this.#receiver ?? this.#keep);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (!this.#isOpen()) return;
    if (this.#decoder.goodbye !== undefined) this.#onGoodbye(this.#decoder.goodbye);
    else if (this.#decoder.heldBytes === 0) this.#unfinishedSince = 0;
    else this.#watchUnfinished(chunk.length - start);
  }

  readonly #keep: FrameReceiver = (bytes, start, end) => {
    // A frame before this one may have made somebody set a receiver.
    if (this.#receiver !== undefined) return this.#receiver(bytes, start, end);
    this.#early.push(Uint8Array.from(bytes.subarray(start, end)));
    this.#earlyBytes += end - start + FRAME_COST;
    if (this.#earlyBytes > EARLY_BYTES_MAX) this.#socket.pause();
  };

  #dropEarly(): void {
    this.#early = [];
    this.#earlyBytes = 0;
  }

  // A method, because the compiler does not expect callbacks to change a field.
  #isOpen(): boolean {
    return this.#phase === "open";
  }

  /** The peer broke the rules, of framing or of our receiver; what else a receiver throws goes on to whoever made it. */
  #refuse(error: unknown): void {
    if (!(error instanceof FrameError)) {
      this.#destroy("aborted", "the receiver of its frames failed");
      throw error;
    }
    if (this.#phase === "over") return;
    let lastWords: Uint8Array | string = goodbye(error.code);
    if (error.code === "bad-magic") {
      // Whoever sent another magic would not understand a goodbye.
      const speaksText = this.#phase === "handshake" && isText(this.#preamble[0]);
      if (!speaksText || this.#toStrangers === undefined) return this.#destroy(error.code, error.message);
      lastWords = this.#toStrangers;
    }
    this.#phase = "closing";
    this.#settle(error.code, error.message);
    this.#discardInput();
    this.#encoder.drop();
    this.#end(error.code, LINGER_MS, lastWords);
  }

  #onGoodbye(why: string): void {
    if (why === "closed" && this.#early.length > 0) {
      this.#phase = "ended";
      this.#settle("closed", "the peer closed the connection");
      this.#encoder.drop();
      this.#socket.pause();
      this.#socket.end();
    } else if (why === "closed") this.#destroy("closed", "the peer closed the connection");
    else if (why === "aborted") this.#destroy("reset", "the peer aborted the connection");
    else this.#destroy("reset", `the peer found fault with what it received: ${why}`);
  }

  #onEnd(): void {
    if (this.#decoder.heldBytes > 0) this.#destroy("reset", "the connection ended inside a batch of frames");
    else this.#destroy("reset", "the connection ended without a goodbye: the peer died or aborted");
  }

  /** A batch that stays unfinished for too long ends the connection; one timer serves many batches. */
  #watchUnfinished(newBytes: number): void {
    // Fewer bytes held than have just come: the batch began in this chunk.
    if (this.#unfinishedSince === 0 || this.#decoder.heldBytes <= newBytes)
      this.#unfinishedSince = performance.now();
    this.#timer ??= setTimeout(this.#checkUnfinished, this.#shared.frameMsMax);
  }

  readonly #checkUnfinished = (): void => {
    this.#timer = undefined;
    if (this.#phase !== "open" || this.#unfinishedSince === 0) return;
    // Not the peer's fault: it is we who do not read.
    if (this.#socket.isPaused()) this.#unfinishedSince = performance.now();
    const left = this.#unfinishedSince + this.#shared.frameMsMax - performance.now();
    if (left > 0) {
      this.#timer = setTimeout(this.#checkUnfinished, left);
      return;
    }
    this.#phase = "closing";
    this.#settle("frame-timeout", `the peer left a batch unfinished for ${this.#shared.frameMsMax} ms`);
    this.#discardInput();
    this.#encoder.drop();
    this.#end("frame-timeout", LINGER_MS);
  };

  #discardInput(): void {
    this.#decoder.stop();
    this.#dropEarly();
    this.#socket.resume();
  }

  /** Writes the last batch and waits for the peer's end, for so long. */
  #end(why: CloseCode, msMax: number, lastWords: Uint8Array | string = goodbye(why)): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), msMax);
    this.#socket.ending?.(why);
    this.#socket.end(lastWords);
  }

  #destroy(code: CloseCode, detail: string): void {
    this.#settle(code, detail);
    this.#phase = "over";
    this.#decoder.stop();
    this.#dropEarly();
    this.#release();
    this.#socket.ending?.(code);
    this.#socket.destroy();
  }

  /** The first reason counts. */
  #settle(code: CloseCode, detail: string): void {
    this.#reason ??= { code, detail };
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#encoder.drop();
    this.#releaseWaiting();
  }

  #releaseWaiting(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #bufferFull(bytes: number): TransportError {
    return new TransportError(
      "buffer-full",
      `${bytes} bytes wait to be sent to ${this.remote}; wait for drained()`,
      {
        bytes,
        bufferBytesMax: this.#shared.bufferBytesMax,
      },
    );
  }
}

/** What a program of lines, or a person at a terminal, begins with. */
function isText(first: number | undefined): boolean {
  return first !== undefined && ((first >= 0x20 && first < 0x7f) || first === 0x0a || first === 0x0d);
}

interface PromiseWithResolve<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): PromiseWithResolve<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
