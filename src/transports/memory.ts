import { UsageError } from "../core/index.js";
import { FRAME_BYTES_MAX, FrameError } from "../wire/index.js";
import type { CloseCode, CloseReason, Connection, FrameReceiver, Listener, Transport } from "./transport.js";
import { TransportError } from "./transport-error.js";

/** What a memory transport may be made with. */
export interface MemoryOptions {
  readonly frameBytesMax?: number;
  /** From here on `send` returns false; default 16 MiB. Bytes. */
  readonly highWaterBytes?: number;
  /** Beyond it `send` throws `buffer-full`; default 64 MiB. Bytes. */
  readonly bufferBytesMax?: number;
}

/**
 * Connections inside one program: `memory://NAME`. Each call makes a network of its own, so two tests never meet.
 *
 * Deterministic: what is sent in one turn arrives together in a later one, in the order of the first sends. Nothing
 * is delivered inside `send`.
 */
export function createMemoryTransport(options: MemoryOptions = {}): Transport {
  const network = new MemoryNetwork(options);
  return {
    scheme: "memory",
    promises: { ordered: true, reliable: true, frameBytesMax: network.frameBytesMax },

    async listen(address, accept, { connectionsMax = 10_000 } = {}) {
      checkAddress(address);
      if (network.listeners.has(address)) {
        throw new TransportError("address-in-use", `${address} is in use`, { address });
      }
      const listener = new MemoryListener(address, network, accept, connectionsMax);
      network.listeners.set(address, listener);
      return listener;
    },

    async dial(address, { signal } = {}) {
      checkAddress(address);
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => network.later(resolve));
      signal?.throwIfAborted();
      const listener = network.listeners.get(address);
      if (listener === undefined)
        throw new TransportError("refused", `nobody listens at ${address}`, { address });
      return listener.connect();
    },
  };
}

function checkAddress(address: string): void {
  if (!/^memory:\/\/[A-Za-z0-9_.:-]{1,128}$/.test(address)) {
    throw new UsageError(`memory://NAME expected, such as memory://p1; got ${JSON.stringify(address)}`, {
      address,
    });
  }
}

class MemoryNetwork {
  readonly listeners = new Map<string, MemoryListener>();
  readonly frameBytesMax: number;
  readonly highWaterBytes: number;
  readonly bufferBytesMax: number;
  #turns = 0;
  #dialled = 0;

  constructor(options: MemoryOptions) {
    this.frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
    this.highWaterBytes = options.highWaterBytes ?? 16 * 1024 * 1024;
    this.bufferBytesMax = options.bufferBytesMax ?? 64 * 1024 * 1024;
  }

  /** Runs in a microtask; every 1024th turn lets timers in, which two chatting processes would starve for ever. */
  later(action: () => void): void {
    if (++this.#turns % 1024 === 0) setImmediate(action);
    else queueMicrotask(action);
  }

  nextDialler(): string {
    return `memory://dialler-${++this.#dialled}`;
  }
}

class MemoryListener implements Listener {
  readonly address: string;
  readonly #network: MemoryNetwork;
  readonly #accept: (connection: Connection) => void;
  readonly #connectionsMax: number;
  readonly #accepted = new Set<MemoryConnection>();

  constructor(
    address: string,
    network: MemoryNetwork,
    accept: (connection: Connection) => void,
    connectionsMax: number,
  ) {
    this.address = address;
    this.#network = network;
    this.#accept = accept;
    this.#connectionsMax = connectionsMax;
  }

  connect(): Connection {
    if (this.#accepted.size >= this.#connectionsMax) {
      throw new TransportError("limit", `${this.address} has as many connections as it accepts`);
    }
    const ours = new MemoryConnection(this.#network, this.#network.nextDialler());
    const theirs = new MemoryConnection(this.#network, this.address);
    ours.join(theirs);
    theirs.join(ours);
    this.#accepted.add(ours);
    void ours.closed.then(() => this.#accepted.delete(ours));
    this.#accept(ours);
    return theirs;
  }

  async close(): Promise<void> {
    if (this.#network.listeners.get(this.address) === this) this.#network.listeners.delete(this.address);
    await Promise.all(Array.from(this.#accepted, (connection) => connection.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class MemoryConnection implements Connection {
  readonly remote: string;
  readonly closed: Promise<CloseReason>;
  beforeFlush: (() => void) | undefined;
  readonly #network: MemoryNetwork;
  #peer: MemoryConnection | undefined;
  #phase: "open" | "closing" | "over" = "open";
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  #receiver: FrameReceiver | undefined;
  /** What a peer that has ended left here while there was no receiver, and why it ended. */
  #legacy: { readonly frames: readonly Uint8Array[]; readonly reason: CloseReason } | undefined;
  #waiting: (() => void)[] = [];
  #resolveClosed!: (reason: CloseReason) => void;

  constructor(network: MemoryNetwork, remote: string) {
    this.#network = network;
    this.remote = remote;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes;
  }

  receive(onFrame: FrameReceiver): void {
    this.#receiver = onFrame;
    const legacy = this.#legacy;
    if (legacy !== undefined) {
      this.#legacy = undefined;
      for (const frame of legacy.frames) this.#take(frame);
      this.#finish(legacy.reason.code, legacy.reason.detail);
    }
    this.#peer?.schedule();
  }

  send(frame: Uint8Array, start = 0, end = frame.length): boolean {
    const { frameBytesMax, highWaterBytes, bufferBytesMax } = this.#network;
    if (this.#phase !== "open" || this.#legacy !== undefined) {
      throw new TransportError("closed", `the connection to ${this.remote} is over`);
    }
    if (end - start > frameBytesMax) {
      const facts = { bytes: end - start, frameBytesMax };
      throw new FrameError(
        "frame-too-long",
        `a frame of ${end - start} bytes; at most ${frameBytesMax} fit`,
        facts,
      );
    }
    if (this.#queuedBytes > bufferBytesMax) {
      throw new TransportError(
        "buffer-full",
        `${this.#queuedBytes} bytes wait to be sent; wait for drained()`,
      );
    }
    // Not `slice`, which shares the bytes when the frame is a Buffer.
    this.#queue.push(Uint8Array.from(frame.subarray(start, end)));
    this.#queuedBytes += end - start + FRAME_COST;
    this.schedule();
    return this.#queuedBytes < highWaterBytes;
  }

  async drained(): Promise<void> {
    if (this.#phase === "over" || this.#queuedBytes < this.#network.highWaterBytes) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#phase === "open") {
      this.#phase = "closing";
      this.schedule();
    }
    await this.closed;
  }

  abort(reason = "aborted here"): void {
    if (this.#phase === "over") return;
    const peer = this.#peer;
    this.#finish("aborted", reason);
    this.#network.later(() =>
      peer?.endedByPeer([], { code: "reset", detail: "the peer aborted the connection" }),
    );
  }

  schedule(): void {
    if (this.#scheduled || (this.#queue.length === 0 && this.#phase === "open")) return;
    this.#scheduled = true;
    this.#network.later(this.#flush);
  }

  endedByPeer(frames: readonly Uint8Array[], reason: CloseReason): void {
    if (this.#phase === "over") return;
    if (frames.length > 0 && this.#phase === "open" && this.#receiver === undefined) {
      this.#legacy = { frames, reason };
      return;
    }
    for (const frame of frames) this.#take(frame);
    this.#finish(reason.code, reason.detail);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const peer = this.#peer;
    if (this.#phase === "over" || peer === undefined) return;
    // Nobody to take them: they wait here, where back-pressure sees them.
    if (this.#phase === "open" && peer.#receiver === undefined && peer.#phase === "open") return;
    if (this.#queue.length > 0) this.#prepare();
    if (this.#isOver()) return;
    const frames = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#releaseWaiting();
    if (this.#phase === "closing") {
      this.#finish("closed", "closed here");
      peer.endedByPeer(frames, { code: "closed", detail: "the peer closed the connection" });
    } else {
      for (const frame of frames) peer.#take(frame);
    }
  };

  #prepare(): void {
    try {
      this.beforeFlush?.();
    } catch (error) {
      this.abort("what had to be done before writing failed");
      throw error;
    }
  }

  #take(frame: Uint8Array): void {
    if (this.#phase !== "open") return;
    try {
      this.#receiver?.(frame, 0, frame.length);
    } catch (error) {
      if (!(error instanceof FrameError)) {
        this.abort("the receiver of its frames failed");
        throw error;
      }
      this.#end(
        { code: error.code, detail: error.message },
        `the peer found fault with what it received: ${error.code}`,
      );
    }
  }

  #end(reason: CloseReason, toPeer: string): void {
    const peer = this.#peer;
    this.#finish(reason.code, reason.detail);
    this.#network.later(() => peer?.endedByPeer([], { code: "reset", detail: toPeer }));
  }

  #isOver(): boolean {
    return this.#phase === "over";
  }

  #finish(code: CloseCode, detail: string): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#legacy = undefined;
    this.#releaseWaiting();
    this.#resolveClosed({ code, detail });
  }

  #releaseWaiting(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

// What a queued frame costs beyond its bytes, so that a million empty ones are not free.
const FRAME_COST = 16;
