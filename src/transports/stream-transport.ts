import type { ListenOptions as NodeListenOptions, NetConnectOpts, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { FRAME_BYTES_MAX } from "../wire/index.js";
import { watchDescriptors } from "./descriptor-watch.js";
import { CONNECT_MS_MAX, HANDSHAKE_MS_MAX } from "./limits.js";
import { nodeChunkPool, nodeCrc32, readBuffer } from "./platform.js";
import { StreamAdmission } from "./stream-admission.js";
import type { StreamShared, StreamSocket } from "./stream-connection.js";
import { StreamConnection } from "./stream-connection.js";
import type { CloseReason, Connection, DialOptions, Listener, ListenOptions } from "./transport.js";
import { dialError, listenError, TransportError } from "./transport-error.js";

/** What a stream transport may be made with; every field has a default. */
export interface StreamOptions {
  /** Default 16 MiB. Both sides need the same. */
  readonly frameBytesMax?: number;
  /** From here on `send` returns false; default 16 MiB. Bytes. */
  readonly highWaterBytes?: number;
  /** Beyond it `send` throws `buffer-full`; default 64 MiB. Bytes. */
  readonly bufferBytesMax?: number;
  /** A peer that leaves a batch unfinished for longer is cut off; default 30 s. Milliseconds. */
  readonly frameMsMax?: number;
  /** `close` waits so long for the peer to take what is queued; default 5 s. Milliseconds. */
  readonly closeMsMax?: number;
}

export function streamShared(options: StreamOptions): StreamShared {
  return {
    frameBytesMax: options.frameBytesMax ?? FRAME_BYTES_MAX,
    highWaterBytes: options.highWaterBytes ?? 16 * 1024 * 1024,
    bufferBytesMax: options.bufferBytesMax ?? 64 * 1024 * 1024,
    frameMsMax: options.frameMsMax ?? 30_000,
    closeMsMax: options.closeMsMax ?? 5_000,
    crc32: nodeCrc32,
    pool: nodeChunkPool(),
  };
}

/** Where to listen, and how the result is called. */
export interface ListenAt {
  /** What the caller asked for; errors name it. */
  readonly asked: string;
  readonly at: NodeListenOptions;
  /** Where the server really listens. */
  address(server: Server): string;
  /** How the other end of an accepted socket is called. */
  remote(socket: Socket): string;
}

/** How sockets come in: straight from the server, or after a handshake of the carrier's own. */
export interface Entrance {
  readonly server: Server;
  /** Called once: gives `take` each socket that can carry frames, and `onProblem` why another never could. */
  open(
    take: (socket: StreamSocket, remote: string) => void,
    onProblem: (problem: TransportError) => void,
    options: ListenOptions,
  ): void;
  /** Ends what has not been given to `take`. */
  clear?(): void;
}

export async function listenStream(
  where: ListenAt,
  accept: (connection: Connection) => void,
  options: ListenOptions,
  shared: StreamShared,
  entrance: Entrance = plainEntrance(where),
): Promise<Listener> {
  await listening(entrance.server, where);
  const address = where.address(entrance.server);
  const admission = new StreamAdmission(address, accept, options, shared);
  return new StreamListener(address, entrance, admission, options);
}

function plainEntrance(where: ListenAt): Entrance {
  const server = createServer({ noDelay: true });
  return {
    server,
    open: (take) => void server.on("connection", (socket) => take(socket, where.remote(socket))),
  };
}

/** How a socket is opened. */
export interface Way {
  open(): StreamSocket;
  /** The event after which the socket carries frames. It emits `connect` before that, or then. */
  readonly ready: "connect" | "secureConnect" | "open";
  /** What an error before `ready` means to whoever dialled. */
  explain(cause: Error): TransportError;
  /** What it means that the connection ended between `ready` and the end of our own handshake; `cause` if it broke. */
  explainEnd?(cause: Error | undefined): TransportError | undefined;
}

/** TCP and Unix sockets. */
export function plainWay(asked: string, at: NetConnectOpts): Way {
  return {
    open: () => openPlain(at),
    ready: "connect",
    explain: (cause) => dialError(cause, asked),
  };
}

/** Node would allocate 64 KiB for each read. Only who dials can have it read elsewhere: sockets that are accepted cannot. */
function openPlain(at: NetConnectOpts): Socket {
  const callback = (length: number, bytes: Uint8Array): boolean =>
    // Nobody but our own listener looks at it, and only until this returns.
    socket.emit("data", bytes.subarray(0, length));
  const socket = connect({ ...at, noDelay: true, onread: { buffer: readBuffer(), callback } });
  return socket;
}

/** Connects and shakes hands; `asked` is what errors name. */
export function dialStream(
  asked: string,
  way: Way,
  options: DialOptions,
  shared: StreamShared,
): Promise<Connection> {
  const { signal, connectMsMax = CONNECT_MS_MAX, handshakeMsMax = HANDSHAKE_MS_MAX } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const socket = way.open();
    const timer = setTimeout(() => {
      fail(
        new TransportError("timed-out", `${asked} did not answer within ${connectMsMax} ms`, {
          address: asked,
        }),
      );
    }, connectMsMax);
    let handshakeTimer: NodeJS.Timeout | undefined;
    let handshakeEnd = 0;
    const onAbort = (): void => fail(signal?.reason);
    const onError = (error: Error): void => fail(way.explain(error));
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.once("connect", () => {
      handshakeEnd = performance.now() + handshakeMsMax;
      if (way.ready === "connect") return;
      handshakeTimer = setTimeout(() => {
        fail(
          new TransportError(
            "handshake-timeout",
            `${asked}: the peer did not shake hands within ${handshakeMsMax} ms`,
            { address: asked },
          ),
        );
      }, handshakeMsMax);
    });
    socket.once(way.ready, () => {
      clearTimeout(handshakeTimer);
      socket.off("error", onError);
      let broken: Error | undefined;
      socket.once("error", (error) => (broken = error));
      const left = Math.max(1, Math.ceil(handshakeEnd - performance.now()));
      const connection = new StreamConnection(socket, asked, shared, left, () => {
        forget();
        resolve(connection);
      });
      // Reaches nobody once the promise has been resolved.
      void connection.closed.then((reason) => fail(handshakeError(reason, asked, way.explainEnd?.(broken))));
    });

    function forget(): void {
      clearTimeout(timer);
      clearTimeout(handshakeTimer);
      signal?.removeEventListener("abort", onAbort);
    }
    function fail(reason: unknown): void {
      forget();
      reject(reason);
      socket.destroy();
    }
  });
}

/** What it means to whoever dialled that a connection was over before its handshake was; `carriers` if they know better. */
export function handshakeError(
  reason: CloseReason,
  address: string,
  carriers: TransportError | undefined,
): TransportError {
  const facts = { address };
  switch (reason.code) {
    case "closed":
    case "aborted":
    case "reset":
    case "frame-timeout":
      if (carriers !== undefined) return carriers;
      // A listener that is going down accepts and ends: to the caller the same as one that is gone.
      return new TransportError("refused", `${address} ended the connection before its handshake`, facts);
    default:
      return new TransportError(reason.code, `${address}: ${reason.detail}`, facts);
  }
}

class StreamListener implements Listener {
  readonly address: string;
  readonly #entrance: Entrance;
  readonly #admission: StreamAdmission;
  #closed: Promise<void> | undefined;

  constructor(address: string, entrance: Entrance, admission: StreamAdmission, options: ListenOptions) {
    this.address = address;
    this.#entrance = entrance;
    this.#admission = admission;
    entrance.open(
      (socket, remote) => admission.take(socket, remote),
      (problem) => admission.problem(problem),
      options,
    );
    watchDescriptors(entrance.server, (problem) => {
      admission.problem(new TransportError("accept-failed", `${address}: ${problem}`, { address }));
    });
    // Out of memory, say: that connection is lost, the listener stays.
    entrance.server.on("error", (cause) => {
      admission.problem(
        new TransportError("accept-failed", `${address} could not accept: ${cause.message}`, {}, { cause }),
      );
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#entrance.server.close(() => resolve());
    });
    await this.#admission.close();
    this.#entrance.clear?.();
    await stopped;
  }
}

function listening(server: Server, where: ListenAt): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(listenError(cause, where.asked));
    server.once("error", onError);
    server.listen({ ...where.at, exclusive: true }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}
