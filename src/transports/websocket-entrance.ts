import { createServer, type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { hostPortAddress } from "./host-port.js";
import { CONNECTIONS_MAX, HANDSHAKE_MS_MAX, HANDSHAKES_MAX } from "./limits.js";
import type { Entrance } from "./stream-transport.js";
import type { ListenOptions } from "./transport.js";
import { TransportError, type TransportErrorCode } from "./transport-error.js";
import { ownHosts, PARTICIPANT_HEADER, refusalOf } from "./websocket-admission.js";
import { WebSocketStream, webSocketLimits } from "./websocket-stream.js";

export interface EntranceOptions {
  /** The host that the caller listens at, as written in a URL. */
  readonly asked: string;
  readonly origins: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  readonly closeMsMax: number;
}

// An upgrade takes a few hundred bytes.
const HEADER_BYTES_MAX = 8_192;

/** An HTTP server that answers nothing but upgrades; every other answer is a status and its name, and no more. */
export function webSocketEntrance(options: EntranceOptions, listenOptions: ListenOptions): Entrance {
  const { handshakeMsMax = HANDSHAKE_MS_MAX, connectionsMax = CONNECTIONS_MAX } = listenOptions;
  // Each socket has a deadline of ours from its first moment; Node's own checks come every 30 s only.
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 1,
  });
  server.maxConnections = connectionsMax + HANDSHAKES_MAX;
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    ...webSocketLimits(options.closeMsMax),
  });
  const waiting = new Map<Socket, NodeJS.Timeout>();

  return {
    server,
    open(take, onProblem) {
      server.on("connection", (socket: Socket) => {
        const timer = setTimeout(() => {
          problem(socket, "handshake-timeout", `it asked for no WebSocket within ${handshakeMsMax} ms`);
          socket.destroy();
        }, handshakeMsMax);
        waiting.set(socket, timer);
        socket.once("close", () => settled(socket));
      });
      server.on("request", (request, response) => {
        response.sendDate = false;
        response.writeHead(426, HEADERS).end(STATUS_CODES[426]);
        problem(request.socket, "bad-magic", "it sent an HTTP request and no WebSocket");
      });
      server.on("clientError", (error: NodeJS.ErrnoException, stream: Duplex) => {
        const socket = stream as Socket;
        if (error.code === "ECONNRESET") problem(socket, "closed", "it left during the handshake");
        else problem(socket, "bad-magic", `it speaks no HTTP: ${error.code ?? "unknown error"}`);
        answer(socket, error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400);
      });
      server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
        const socket = stream as Socket;
        const refusal = refusalOf(claimOf(request), hostsOf(socket), options.origins);
        if (refusal !== undefined) {
          problem(socket, "not-permitted", refusal.why);
          answer(socket, refusal.status);
          return;
        }
        const remote = remoteOf(socket);
        upgrader.handleUpgrade(request, socket, head, (webSocket) => {
          settled(socket);
          take(new WebSocketStream(webSocket), remote);
        });
      });
      upgrader.on("wsClientError", (error, stream) => {
        const socket = stream as Socket;
        problem(socket, "bad-magic", `it asked for no WebSocket as in RFC 6455: ${error.message}`);
        answer(socket, 400);
      });
      server.on("drop", () => {
        onProblem(
          new TransportError("limit", `${server.maxConnections} connections are open; one was dropped`),
        );
      });

      function problem(socket: Socket, code: TransportErrorCode, why: string): void {
        // One for each socket: HTTP goes on complaining while more of the same comes in.
        if (!waiting.has(socket)) return;
        settled(socket);
        const remote = remoteOf(socket);
        onProblem(new TransportError(code, `${remote}: ${why}`, { remote }));
      }
    },
    clear() {
      for (const socket of waiting.keys()) socket.destroy();
    },
  };

  function settled(socket: Socket): void {
    clearTimeout(waiting.get(socket));
    waiting.delete(socket);
  }

  function hostsOf(socket: Socket): ReadonlySet<string> {
    return ownHosts(socket.localAddress ?? "", socket.localPort ?? 0, options.asked, options.hosts);
  }
}

const HEADERS = {
  Connection: "close",
  "Content-Type": "text/plain",
  "X-Content-Type-Options": "nosniff",
} as const;

/** The status and its name, whatever was asked: nothing of the request comes back. */
function answer(socket: Socket, status: number): void {
  // Whoever is sent away may leave before having read it.
  socket.on("error", () => socket.destroy());
  if (!socket.writable) return void socket.destroy();
  const body = STATUS_CODES[status] ?? "";
  const headers = Object.entries({ ...HEADERS, "Content-Length": body.length });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${status} ${body}\r\n${lines}\r\n${body}`);
  socket.destroySoon();
}

function claimOf({ url, headersDistinct }: IncomingMessage): Parameters<typeof refusalOf>[0] {
  return {
    url,
    host: headersDistinct["host"] ?? [],
    origin: headersDistinct["origin"] ?? [],
    participant: headersDistinct[PARTICIPANT_HEADER] ?? [],
  };
}

function remoteOf(socket: Socket): string {
  return hostPortAddress("ws", socket.remoteAddress, socket.remotePort);
}
