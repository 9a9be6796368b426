import type { FrameErrorCode, SharedFrame } from "../wire/index.js";
import type { TransportError } from "./transport-error.js";

/** What a transport guarantees while a connection lives. The compliance suite tests exactly what is declared. */
export interface TransportPromises {
  /** Frames arrive in the order sent. */
  readonly ordered: boolean;
  /** Every frame arrives, exactly once, or the connection ends. */
  readonly reliable: boolean;
  /** Longest frame, in bytes; `send` refuses a longer one by throwing `FrameError("frame-too-long")`. */
  readonly frameBytesMax: number;
}

/** Carries frames of bytes between processes; knows no protocol. Passed in as a table, never registered globally. */
export interface Transport {
  /** The URL scheme it serves, without colon: `tcp`. */
  readonly scheme: string;
  readonly promises: TransportPromises;

  /**
   * Accepts connections at `address`; port 0, where there are ports, lets the system choose.
   *
   * Rejects with `UsageError` when the address has not this scheme's form, and with `TransportError`:
   * `address-in-use`, `address-unavailable`, `path-too-long`, `not-permitted`.
   */
  listen(
    address: string,
    accept: (connection: Connection) => void,
    options?: ListenOptions,
  ): Promise<Listener>;

  /**
   * Connects and shakes hands. Rejects with `UsageError` (the address), with `signal.reason` once aborted, or with
   * `TransportError`: `refused` (nobody listens: worth trying again), `unreachable`, `timed-out`, `not-permitted`,
   * `limit` (the listener has enough connections), `bad-magic`, `version`, `handshake-timeout`, and, of carriers that
   * prove who they are, `bad-certificate`.
   */
  dial(address: string, options?: DialOptions): Promise<Connection>;
}

export interface ListenOptions {
  /** A connection that has not completed its handshake by then is closed; default 2 s. Milliseconds. */
  readonly handshakeMsMax?: number;
  /** Connections beyond it are closed at once; default 10,000. */
  readonly connectionsMax?: number;
  /** Told of a connection that came to nothing: not accepted for want of descriptors, or it failed its handshake. */
  readonly onProblem?: (problem: TransportError) => void;
}

export interface DialOptions {
  readonly signal?: AbortSignal;
  /** From connecting to the end of the handshake; default 2 s. Milliseconds. */
  readonly handshakeMsMax?: number;
  /** Default 10 s. Milliseconds. */
  readonly connectMsMax?: number;
}

export interface Listener extends AsyncDisposable {
  /** Where it really listens: the port that the system chose is filled in. */
  readonly address: string;
  /** Stops accepting and closes every accepted connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Frames both ways. Sends made in one tick leave in one write; what arrives is handed on without copying.
 */
export interface Connection {
  /** For people and logs: `tcp://127.0.0.1:40312`. Never an identity. */
  readonly remote: string;

  /** Resolves once, when the connection is over and its resources are free, with why. Never rejects. */
  readonly closed: Promise<CloseReason>;

  /**
   * Hands over every frame from now on. Frames that came in before are kept (up to the read buffer's limit, then the
   * peer is made to wait) and handed over within this call. Nothing more comes after `close` or `abort`.
   *
   * A `FrameError` that `onFrame` throws says that the peer broke the rules: the connection ends with its code, and
   * the peer is told. Whatever else it throws is a defect: the connection ends and the exception goes on.
   */
  receive(onFrame: FrameReceiver): void;

  /**
   * Queues `frame` from `start` (default 0) to `end` (default its length) as one frame; the bytes are copied, the
   * caller may reuse them at once. `false`: accepted, but the buffer is above its high-water mark (16 MiB unless the
   * transport was made with another), so wait for {@link drained}. Throws `TransportError("closed")` after the end,
   * `TransportError("buffer-full")` for a caller who never waited, and `FrameError("frame-too-long")`.
   */
  send(frame: Uint8Array, start?: number, end?: number): boolean;

  /**
   * As {@link send}, for a frame that goes to many connections: `shareFrame` encodes it once. Absent where frames are not
   * encoded, or are for each connection anew; then `send` its `bytes`.
   */
  sendShared?(frame: SharedFrame): boolean;

  /**
   * Writes what is queued now rather than at the end of the tick, so that the peer is at work on it while more is made.
   * Absent where there is nothing to gain.
   */
  flush?(): void;

  /**
   * As {@link send} and {@link flush} in one, for whoever has gathered what the tick made: it costs no further turn at
   * the tick's end. Absent where there is nothing to gain.
   */
  sendNow?(frame: Uint8Array, start?: number, end?: number): boolean;

  /** Resolves when the buffer is below its high-water mark again, or the connection is over. */
  drained(): Promise<void>;

  /** Bytes accepted by `send` and not yet handed to the system. */
  readonly bufferedBytes: number;

  /**
   * Runs just before a batch of frames is written: where a host makes its records durable first. At most one. Never
   * called inside `send`, `close` or `abort`. When it throws, nothing is written and the connection ends.
   */
  beforeFlush?: (() => void) | undefined;

  /**
   * Sends what is queued, tells the peer that this is the end in order, then ends; resolves when over, after at most
   * the transport's `closeMsMax` (5 s). What the peer still sends is discarded. Idempotent.
   */
  close(): Promise<void>;

  /** Ends at once and drops what is queued. Idempotent. */
  abort(reason?: string): void;
}

/** `bytes.subarray(start, end)` is the frame. The bytes are the receiver's during the call alone: copy what must stay. */
export type FrameReceiver = (bytes: Uint8Array, start: number, end: number) => void;

export interface CloseReason {
  readonly code: CloseCode;
  /** One sentence, already safe for a terminal. */
  readonly detail: string;
}

/**
 * `closed`: either side ended it in order. `aborted`: this side did not. `reset`: it broke, the peer died or aborted, or
 * the peer found fault with what we sent. `limit`: one side holds as much as it may. The others: the peer sent what no
 * peer may send, or too slowly.
 */
export type CloseCode =
  "closed" | "aborted" | "reset" | "limit" | FrameErrorCode | "handshake-timeout" | "frame-timeout";

/** Transports by scheme: `{ tcp, uds, memory }`. */
export type TransportTable = Readonly<Record<string, Transport>>;
