import { UsageError } from "../core/index.js";
import { type HostPort, hostPortAddress, listensAt, parseHostPort, parseToDial } from "./host-port.js";
import type { StreamOptions } from "./stream-transport.js";
import { dialStream, listenStream, streamShared } from "./stream-transport.js";
import type { Transport } from "./transport.js";

export interface WebSocketOptions extends StreamOptions {
  /** Pages whose scripts may connect, exactly as a browser names them: `http://127.0.0.1:8080`. Default: none. */
  readonly origins?: readonly string[];
  /** Names besides its own under which a listener may be called: `lab.example:7001`, as in a browser's Host header. */
  readonly hosts?: readonly string[];
}

/**
 * WebSockets, so that a browser can be a participant: `ws://HOST:PORT/`, IPv6 in brackets. Neither encrypted nor
 * authenticated: for one machine or a trusted network.
 *
 * What goes over it is the stream of `docs/wire-format.md`, in binary messages. A listener answers only requests that
 * name it as their Host, so a page cannot reach it by a name of its own (DNS rebinding), and that come either from a
 * page in `origins` or from a program which says so in a header no page can set. That keeps out strange pages and not
 * strange programs: who a peer is has to be settled above.
 *
 * Throws `UsageError` for an origin or a host of another form. A dialler that is not let in gets
 * `TransportError("not-permitted")`.
 */
export function createWebSocketTransport(options: WebSocketOptions = {}): Transport {
  const shared = streamShared(options);
  const origins = new Set((options.origins ?? []).map(checkOrigin));
  const hosts = new Set((options.hosts ?? []).map(checkHost));
  return {
    scheme: "ws",
    promises: { ordered: true, reliable: true, frameBytesMax: shared.frameBytesMax },

    async listen(address, accept, listenOptions = {}) {
      const at = parseWebSocketAddress(address);
      // Loaded when needed: `ws` and `node:http` take 50 ms, which no other transport should pay for.
      const { webSocketEntrance } = await import("./websocket-entrance.js");
      const asked = hostPortAddress("ws", at.host, at.port)
        .slice("ws://".length)
        .replace(/:[0-9]+$/, "");
      const entrance = webSocketEntrance(
        { asked, origins, hosts, closeMsMax: shared.closeMsMax },
        listenOptions,
      );
      return listenStream(
        {
          asked: address,
          at,
          address: (server) => `${listensAt("ws", server, address)}/`,
          remote: (socket) => hostPortAddress("ws", socket.remoteAddress, socket.remotePort),
        },
        accept,
        listenOptions,
        shared,
        entrance,
      );
    },

    async dial(address, dialOptions = {}) {
      const at = parseToDial("ws", withoutPath(address));
      checkZone(at, address);
      const { webSocketWay } = await import("./websocket-way.js");
      return dialStream(address, webSocketWay(address, at, shared.closeMsMax), dialOptions, shared);
    },
  };
}

/** The usual one: lets no page in. */
export const ws: Transport = createWebSocketTransport();

/** `ws://HOST:PORT/` as its parts, with or without the slash; throws a {@link UsageError} that shows the form. */
export function parseWebSocketAddress(address: string): HostPort {
  const at = parseHostPort("ws", withoutPath(address));
  checkZone(at, address);
  return at;
}

function withoutPath(address: string): string {
  return address.endsWith("/") ? address.slice(0, -1) : address;
}

function checkZone({ host }: HostPort, address: string): void {
  if (host.includes("%"))
    throw new UsageError(`a WebSocket's address has no zone such as %eth0; got ${address}`);
}

function checkOrigin(origin: string): string {
  if (
    URL.canParse(origin) &&
    /^https?:$/.test(new URL(origin).protocol) &&
    new URL(origin).origin === origin
  ) {
    return origin;
  }
  throw new UsageError(
    `an origin is a scheme, a host and, unless it is the usual one, a port: http://127.0.0.1:8080; got ${JSON.stringify(origin)}`,
    { origin },
  );
}

function checkHost(host: string): string {
  const url = `http://${host}`;
  if (/^[a-z0-9.:[\]_-]+$/.test(host) && URL.canParse(url) && new URL(url).host === host) return host;
  throw new UsageError(
    `a host is what a browser sends as Host: lab.example:7001, without a port for port 80; got ${JSON.stringify(host)}`,
    { host },
  );
}
