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
   * Rejects with `TransportError`: `address-in-use`, `address-invalid`, `path-too-long`, `not-permitted`.
   */
  listen(address: string, accept: (connection: Connection) => void, options?: ListenOptions): Promise<Listener>;

  /** Connects; rejects with `TransportError` (`refused`, `unreachable`, `timed-out`) or with `signal.reason` once aborted. */
  dial(address: string, options?: DialOptions): Promise<Connection>;
}

export interface ListenOptions {
  /** A connection that has not completed its handshake by then is closed; default 2 s. Milliseconds. */
  readonly handshakeMsMax?: number;
  /** Connections beyond it are closed at once; default 10,000. */
  readonly connectionsMax?: number;
}

export interface DialOptions {
  readonly signal?: AbortSignal;
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

  /** Resolves once, when the connection is over, with why. Never rejects. */
  readonly closed: Promise<CloseReason>;

  /** Frames that came in before a receiver was set are kept (up to the read buffer's limit) and handed over first. */
  receive(onFrame: FrameReceiver): void;

  /**
   * Queues one frame; the bytes are copied, the caller may reuse them at once. `false`: accepted, but the buffer is
   * above its high-water mark, so wait for {@link drained}. Throws `TransportError("closed")` after the end.
   */
  send(frame: Uint8Array): boolean;

  /** Resolves when the buffer is below its high-water mark again, or the connection is over. */
  drained(): Promise<void>;

  /** Bytes accepted by `send` and not yet handed to the system. */
  readonly bufferedBytes: number;

  /** Runs just before a batch of frames is written: where a host makes its records durable first. At most one. */
  beforeFlush?: (() => void) | undefined;

  /** Sends what is queued, then ends; resolves when over. Idempotent. */
  close(): Promise<void>;

  /** Ends at once and drops what is queued. Idempotent. */
  abort(reason?: string): void;
}

/** `bytes.subarray(start, end)` is the frame. The bytes are the receiver's during the call alone: copy what must stay. */
export type FrameReceiver = (bytes: Uint8Array, start: number, end: number) => void;

export interface CloseReason {
  /** `closed`: either side ended it in order. `reset`: it broke. The others: the peer sent what no peer may send. */
  readonly code: "closed" | "aborted" | "reset" | "bad-magic" | "version" | "bad-checksum" | "frame-too-long" | "handshake-timeout" | "frame-timeout" | "limit";
  /** One sentence, already safe for a terminal. */
  readonly detail: string;
}

/** Transports by scheme: `{ tcp, uds, memory }`. */
export type TransportTable = Readonly<Record<string, Transport>>;
