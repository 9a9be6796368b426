import type { CloseReason, Connection, FrameReceiver } from "../transports/index.js";

/** A process's connection to itself: what it sends arrives in a later turn of the event loop, in order. */
export class Loopback implements Connection {
  readonly remote = "loopback";
  readonly closed: Promise<CloseReason>;
  beforeFlush: (() => void) | undefined;
  bufferedBytes = 0;
  readonly #end: (reason: CloseReason) => void;
  #frames: Uint8Array[] = [];
  #receiver: FrameReceiver | undefined;
  #planned = false;
  #over = false;

  constructor() {
    let end: (reason: CloseReason) => void = () => {};
    this.closed = new Promise((resolve) => (end = resolve));
    this.#end = end;
  }

  receive(onFrame: FrameReceiver): void {
    this.#receiver = onFrame;
  }

  send(frame: Uint8Array, start = 0, end = frame.length): boolean {
    if (this.#over) return false;
    // Not `slice`, which shares the bytes when the frame is a Buffer.
    this.#frames.push(Uint8Array.from(frame.subarray(start, end)));
    this.bufferedBytes += end - start;
    if (!this.#planned) {
      this.#planned = true;
      setImmediate(() => this.#arrive());
    }
    return true;
  }

  #arrive(): void {
    this.#planned = false;
    this.beforeFlush?.();
    const frames = this.#frames;
    this.#frames = [];
    this.bufferedBytes = 0;
    for (const frame of frames) this.#receiver?.(frame, 0, frame.length);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.abort("closed");
    return Promise.resolve();
  }

  abort(reason = "aborted"): void {
    this.#over = true;
    this.#frames = [];
    this.#end({ code: "closed", detail: reason });
  }
}
