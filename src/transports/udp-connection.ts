import { FrameError } from "../wire/index.js";
import type { CloseCode, CloseReason, Connection, FrameReceiver } from "./transport.js";
import { systemCode, TransportError } from "./transport-error.js";
import {
  type Datagram,
  datagram,
  goodbyeDatagram,
  ID_BYTES,
  payloadPart,
  reasonOf,
  SHORT_ANSWER_BYTES,
} from "./udp-datagram.js";
import type { UdpShared } from "./udp-options.js";
import { FramePacker, unpackFrames } from "./udp-packer.js";

/** A way to one peer. */
export interface UdpWay {
  /** The bytes stay as they are until `sent` is called, with what went wrong. */
  send(bytes: Buffer, sent: (error: Error | null) => void): void;
  /** Takes nothing any more; resolves when its socket is free, if it has one of its own. */
  release(): Promise<void>;
}

// Without a receiver this much is kept; what comes beyond it is dropped and counted. Bytes.
const EARLY_BYTES_MAX = 65_536;

// What a kept frame costs beyond its bytes.
const FRAME_COST = 16;

// A goodbye that nobody confirms is said again, after twice as long each time. Milliseconds.
const GOODBYE_MS_FIRST = 50;

// Whom we end because of what he sent is told for so long. Milliseconds.
const LINGER_MS = 500;

// A heartbeat that comes so late says that this process was held up, and so has heard nobody. Milliseconds.
const AWAY_MS = 1_000;

/**
 * Frames in datagrams, which may be lost, doubled and overtaken; who they come from and that they are whole is checked.
 * Both sides say every heartbeat that they are there, so a dead peer is noticed.
 */
export class UdpConnection implements Connection {
  readonly remote: string;
  readonly closed: Promise<CloseReason>;
  beforeFlush: (() => void) | undefined;
  readonly #remoteId: Uint8Array;
  readonly #way: UdpWay;
  readonly #shared: UdpShared;
  readonly #packer: FramePacker;
  readonly #resolve: (reason: CloseReason) => void;
  /** `closing`: a goodbye waits for its answer. `over`: nothing happens any more. */
  #phase: "open" | "closing" | "over" = "open";
  #reason: CloseReason | undefined;
  #receiver: FrameReceiver | undefined;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #flushScheduled = false;
  #writingBytes = 0;
  #waiting: (() => void)[] = [];
  /** The heartbeat's, then the goodbye's. */
  #timer: NodeJS.Timeout | undefined;
  #heardMs: number;
  #beatMs: number;
  #sentSinceBeat = false;

  /** `remoteId` is the one that the peer has chosen. */
  constructor(remote: string, remoteId: Uint8Array, way: UdpWay, shared: UdpShared) {
    this.remote = remote;
    this.#remoteId = remoteId;
    this.#way = way;
    this.#shared = shared;
    this.#packer = new FramePacker(remoteId, shared.datagramBytes, shared.frameBytesMax);
    let resolve: (reason: CloseReason) => void = () => {};
    this.closed = new Promise((settle) => (resolve = settle));
    this.#resolve = resolve;
    this.#heardMs = this.#beatMs = performance.now();
    this.#timer = setTimeout(this.#beat, shared.heartbeatMs);
  }

  get bufferedBytes(): number {
    return this.#packer.queuedBytes + this.#writingBytes;
  }

  receive(onFrame: FrameReceiver): void {
    this.#receiver = onFrame;
    const early = this.#early;
    this.#dropEarly();
    try {
      for (const frame of early) if (this.#phase === "open") onFrame(frame, 0, frame.length);
    } catch (error) {
      this.#refuse(error);
    }
  }

  send(frame: Uint8Array, start = 0, end = frame.length): boolean {
    if (this.#phase !== "open")
      throw new TransportError("closed", `the connection to ${this.remote} is over`);
    const { bufferedBytes } = this;
    const { bufferBytesMax, highWaterBytes } = this.#shared;
    if (bufferedBytes > bufferBytesMax) {
      throw new TransportError(
        "buffer-full",
        `${bufferedBytes} bytes wait to be sent to ${this.remote}; wait for drained()`,
        { bytes: bufferedBytes, bufferBytesMax },
      );
    }
    this.#packer.add(frame, start, end);
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(this.#flushNow);
    }
    return this.bufferedBytes < highWaterBytes;
  }

  drained(): Promise<void> {
    if (this.#phase === "over" || this.bufferedBytes < this.#shared.highWaterBytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#phase === "open") {
      this.#leave("closed", "closed here");
      process.nextTick(() => {
        this.#flush();
        if (this.#phase === "closing") this.#sayGoodbye("closed", this.#shared.closeMsMax);
      });
    }
    await this.closed;
  }

  abort(reason = "aborted here"): void {
    if (this.#phase === "over") return;
    // Best effort: should it be lost, the silence tells.
    if (this.#phase === "open") this.#transmit(goodbyeDatagram(this.#remoteId, "aborted"));
    this.#end("aborted", reason);
  }

  /** Of whoever owns the socket: a datagram for this connection, its checksum right, its sender the peer. */
  take(arrived: Datagram): void {
    if (this.#phase === "over") return;
    this.#heardMs = performance.now();
    switch (arrived.kind) {
      case "frames":
        if (this.#phase === "open") this.#unpack(arrived);
        return;
      case "goodbye":
        this.#transmit(datagram("gone", this.#remoteId));
        this.#onGoodbye(reasonOf(arrived));
        return;
      case "gone":
        if (this.#phase === "closing") this.#end("closed", "closed here");
        return;
      case "unknown":
        // Only the peer, and who sees the datagrams on their way, can know what we call it.
        if (payloadPart(arrived, 0, ID_BYTES).equals(this.#remoteId))
          this.#end("reset", "the peer does not know the connection: it was restarted, or gave us up");
        return;
      default:
      // A ping, or an answer that came twice: that it came is all there is to it.
    }
  }

  /** The system says that nobody is there. */
  refused(): void {
    this.#end("reset", "nobody is there any more: the peer's port is closed");
  }

  readonly #flushNow = (): void => {
    this.#flushScheduled = false;
    if (this.#phase === "open") this.#flush();
  };

  #flush(): void {
    if (this.#packer.queuedBytes === 0) return;
    if (this.beforeFlush !== undefined) {
      try {
        this.beforeFlush();
      } catch (error) {
        this.abort("what had to be done before writing failed");
        throw error;
      }
      // It may have ended the connection.
      if (this.#isOver()) return;
    }
    for (const bytes of this.#packer.take()) this.#transmit(bytes);
  }

  #transmit(bytes: Buffer): void {
    this.#sentSinceBeat = true;
    this.#writingBytes += bytes.length;
    this.#way.send(bytes, (error) => {
      this.#writingBytes -= bytes.length;
      if (error !== null) this.#notSent(error);
      if (this.bufferedBytes < this.#shared.highWaterBytes) this.#releaseWaiting();
    });
  }

  /** What the system does not take is lost, as it may be on the way; that the port is closed ends the connection. */
  #notSent(error: Error): void {
    const code = systemCode(error);
    if (code === "EMSGSIZE") this.#shared.counters.tooLong++;
    else this.#shared.counters.unsent++;
    if (code === "ECONNREFUSED") this.refused();
  }

  #unpack(arrived: Datagram): void {
    try {
      unpackFrames(arrived, this.#receiver ?? this.#keep, this.#goesOn);
    } catch (error) {
      this.#refuse(error);
    }
  }

  readonly #goesOn = (): boolean => this.#phase === "open";

  readonly #keep: FrameReceiver = (bytes, start, end) => {
    if (this.#receiver !== undefined) return this.#receiver(bytes, start, end);
    const cost = end - start + FRAME_COST;
    if (this.#earlyBytes + cost > EARLY_BYTES_MAX) {
      this.#shared.counters.overflow++;
      return;
    }
    this.#early.push(Uint8Array.from(bytes.subarray(start, end)));
    this.#earlyBytes += cost;
  };

  /** The peer broke the rules, of framing or of our receiver; what else a receiver throws goes on to whoever made it. */
  #refuse(error: unknown): void {
    if (!(error instanceof FrameError)) {
      this.abort("the receiver of its frames failed");
      throw error;
    }
    if (this.#phase !== "open") return;
    this.#leave(error.code, error.message);
    this.#packer.take();
    this.#sayGoodbye(error.code, LINGER_MS);
  }

  #onGoodbye(why: string): void {
    if (why === "closed") this.#end("closed", "the peer closed the connection");
    else if (why === "aborted") this.#end("reset", "the peer aborted the connection");
    else this.#end("reset", `the peer found fault with what it received: ${why}`);
  }

  #leave(code: CloseCode, detail: string): void {
    this.#phase = "closing";
    this.#settle(code, detail);
    this.#dropEarly();
    clearTimeout(this.#timer);
  }

  /** Says it until it is answered, or for so long. */
  #sayGoodbye(why: CloseCode, msMax: number, pauseMs = GOODBYE_MS_FIRST): void {
    this.#transmit(goodbyeDatagram(this.#remoteId, why));
    const wait = Math.min(pauseMs, msMax);
    this.#timer = setTimeout(() => {
      if (msMax > wait) this.#sayGoodbye(why, msMax - wait, 2 * pauseMs);
      else this.#end(why, "the peer did not confirm the end");
    }, wait);
  }

  readonly #beat = (): void => {
    const { heartbeatMs, silenceMsMax } = this.#shared;
    const now = performance.now();
    // What the peer sent meanwhile waits to be read.
    if (now - this.#beatMs > heartbeatMs + AWAY_MS)
      this.#heardMs = Math.max(this.#heardMs, now - heartbeatMs);
    this.#beatMs = now;
    const left = this.#heardMs + silenceMsMax - now;
    if (left <= 0) {
      this.#transmit(goodbyeDatagram(this.#remoteId, "silence"));
      this.#end("reset", `the peer has been silent for ${silenceMsMax} ms`);
      return;
    }
    if (!this.#sentSinceBeat) this.#transmit(datagram("ping", this.#remoteId, [], SHORT_ANSWER_BYTES));
    this.#sentSinceBeat = false;
    this.#timer = setTimeout(this.#beat, Math.min(heartbeatMs, Math.ceil(left)));
  };

  #end(code: CloseCode, detail: string): void {
    if (this.#phase === "over") return;
    this.#settle(code, detail);
    this.#phase = "over";
    clearTimeout(this.#timer);
    this.#packer.take();
    this.#dropEarly();
    this.#releaseWaiting();
    const reason = this.#reason ?? { code, detail };
    void this.#way.release().then(() => this.#resolve(reason));
  }

  // A method, because the compiler does not expect callbacks to change a field.
  #isOver(): boolean {
    return this.#phase === "over";
  }

  /** The first reason counts. */
  #settle(code: CloseCode, detail: string): void {
    this.#reason ??= { code, detail };
  }

  #dropEarly(): void {
    this.#early = [];
    this.#earlyBytes = 0;
  }

  #releaseWaiting(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
