import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import {
  hostPortAddress,
  listenError,
  listensAt,
  parseTcpAddress,
  systemCode,
  watchDescriptors,
} from "../transports/index.js";
import { CLASSIC_LIMITS, ERROR_PREFIX, type ClassicLimits, type ClassicServer } from "./classic-format.js";

/** A connection of a classic server; `take` answers on it and counts what it answers. */
export interface ClassicCaller {
  readonly socket: Socket;
  readonly remote: string;
  readonly limits: ClassicLimits;
  readonly log: (line: string) => void;
  readonly served: () => void;
}

export interface ClassicListenOptions {
  readonly at: string;
  readonly log: (line: string) => void;
  readonly limits?: Partial<ClassicLimits>;
  /** Whether the format has words for an error. */
  readonly text: boolean;
  readonly take: (caller: ClassicCaller) => void;
}

/** How long a connection is kept after its last reply for the client to close it, and what it sends thrown away. */
const LINGER_MS = 2_000;

/**
 * Listens without frames: each connection goes to `take`, up to the limit; a reset is no news.
 *
 * Rejects as `Transport.listen` does.
 */
export async function listenClassic(options: ClassicListenOptions): Promise<ClassicServer> {
  const { at, log, text, take } = options;
  const limits = { ...CLASSIC_LIMITS, ...options.limits };
  const sockets = new Set<Socket>();
  let count = 0;
  // Half open: `echo 5 10 | nc` has ended its side before the answer comes.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const remote = hostPortAddress("tcp", socket.remoteAddress, socket.remotePort);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", (error) => {
      if (systemCode(error) !== "ECONNRESET" && systemCode(error) !== "EPIPE")
        log(`${remote}: ${systemCode(error)}`);
    });
    if (sockets.size > limits.connectionsMax) {
      const reason = `${limits.connectionsMax} clients are connected, the limit`;
      log(`${remote}: turned away: ${reason}`);
      socket.resume();
      endWith(socket, text ? `${ERROR_PREFIX}${reason}; try again later` : "");
      return;
    }
    take({ socket, remote, limits, log, served: () => count++ });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, at)));
    server.listen(parseTcpAddress(at), resolve);
  });
  watchDescriptors(server, log);
  // From here on: a connection that could not be accepted.
  server.on("error", (error) => log(`a connection was not accepted: ${systemCode(error)}`));
  const address = listensAt("tcp", server, at);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      const over = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await over;
    })();
    return closed;
  };
  return {
    address,
    close,
    [Symbol.asyncDispose]: close,
    get served() {
      return count;
    },
  };
}

/**
 * Writes the last bytes and ends the connection; what the client still sends is thrown away for a while, because a
 * connection that is closed over unread bytes is reset, and the reset would overtake the answer.
 */
export function endWith(socket: Socket, last: string | Uint8Array): void {
  socket.end(last);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}
