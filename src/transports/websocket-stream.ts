import { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { CHUNK_BYTES, FrameError } from "../wire/index.js";
import type { StreamSocket } from "./stream-connection.js";
import type { CloseCode } from "./transport.js";

/** Longest message, both ways: whatever one tick wrote is one message up to there. A longer batch takes several. */
export const MESSAGE_BYTES_MAX = CHUNK_BYTES;

/** What both ends give `ws`: nothing unbounded, nothing compressed. */
export function webSocketLimits(closeMsMax: number) {
  return {
    maxPayload: MESSAGE_BYTES_MAX,
    // A message in more pieces than that is an attack on our memory.
    maxFragments: 64,
    maxBufferedChunks: 4_096,
    closeTimeout: closeMsMax,
    perMessageDeflate: false,
  };
}

// How long the peer has to read why it was cut off. Milliseconds.
const LINGER_MS = 500;

/**
 * The messages of a WebSocket as one stream of bytes, for `StreamConnection`: it neither knows nor asks where one message
 * ends. Text, and whatever else breaks the rules, ends it with a `FrameError`.
 *
 * Emits `open` once it carries bytes. A write is over when the system has taken it, so back-pressure is the socket's own
 * (`WebSocket.bufferedAmount` is never more than what has not been called back); a reader that is full pauses the socket.
 */
export class WebSocketStream extends Duplex implements StreamSocket {
  readonly #webSocket: WebSocket;
  #closeCode = 1000;
  #violation: FrameError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(webSocket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#webSocket = webSocket;
    webSocket.binaryType = "nodebuffer";
    webSocket.once("open", () => this.emit("open"));
    webSocket.on("message", (data: RawData, isBinary) => this.#onMessage(data, isBinary));
    webSocket.on("error", (error) => this.#onError(error));
    webSocket.on("close", () => this.#onClose());
  }

  /** The close frame will say so. The first reason counts. */
  ending(why: CloseCode): void {
    if (this.#closeCode === 1000) this.#closeCode = CLOSE_CODES[why];
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  override _read(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    chunks.forEach(({ chunk }, i) => this.#send(chunk, i === chunks.length - 1 ? done : undefined));
  }

  override _final(done: () => void): void {
    this.#webSocket.close(this.#closeCode);
    // Not its end: what the peer still sends is read until its own close frame comes.
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const webSocket = this.#webSocket;
    if (webSocket.readyState === webSocket.CLOSED) return done(error);
    webSocket.once("close", () => done(error));
    // Written at once or not at all: nobody waits any more.
    if (webSocket.readyState === webSocket.OPEN) webSocket.close(this.#closeCode);
    webSocket.terminate();
  }

  #send(chunk: Buffer, done: ((error?: Error | null) => void) | undefined): void {
    for (let start = 0; start === 0 || start < chunk.length; start += MESSAGE_BYTES_MAX) {
      const isLast = start + MESSAGE_BYTES_MAX >= chunk.length;
      const message = isLast && start === 0 ? chunk : chunk.subarray(start, start + MESSAGE_BYTES_MAX);
      this.#webSocket.send(message, { binary: true }, isLast ? done : undefined);
    }
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#violation !== undefined || this.readableEnded || this.destroyed) return;
    if (!isBinary) {
      this.#webSocket.close(1003);
      this.#violate(new FrameError("protocol-error", "the peer sent text; our messages are binary"));
    } else if (!this.push(data)) this.#webSocket.pause();
  }

  #onError(error: Error): void {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    // The peer broke the rules of RFC 6455; `ws` has closed with the status for it.
    if (
      /^WS_ERR_UNSUPPORTED_(?:MESSAGE|DATA_PAYLOAD)_LENGTH$/.test(code) ||
      code.startsWith("WS_ERR_TOO_MANY_")
    ) {
      this.#violate(
        new FrameError(
          "frame-too-long",
          `the peer sent a message of more than ${MESSAGE_BYTES_MAX} bytes, or in too many pieces`,
        ),
      );
    } else if (code.startsWith("WS_ERR_")) {
      this.#violate(new FrameError("protocol-error", `the peer broke the rules of WebSockets: ${code}`));
    } else this.destroy(error);
  }

  #violate(error: FrameError): void {
    this.#violation = error;
    this.#timer = setTimeout(() => this.destroy(error), LINGER_MS);
  }

  #onClose(): void {
    clearTimeout(this.#timer);
    if (this.#violation !== undefined) this.destroy(this.#violation);
    else if (!this.destroyed) this.push(null);
  }
}

/** RFC 6455, 7.4.1. Our own goodbye, inside the stream, says it more exactly. */
const CLOSE_CODES: Readonly<Record<CloseCode, number>> = {
  closed: 1000,
  aborted: 1001,
  reset: 1001,
  limit: 1013,
  "bad-magic": 1002,
  version: 1002,
  "bad-checksum": 1002,
  "protocol-error": 1002,
  "frame-too-long": 1009,
  "handshake-timeout": 1008,
  "frame-timeout": 1008,
};
