import { type HostPort, hostPortAddress, listensAt, parseHostPort, parseToDial } from "./host-port.js";
import type { StreamOptions } from "./stream-transport.js";
import { dialStream, listenStream, plainWay, streamShared } from "./stream-transport.js";
import type { Transport } from "./transport.js";

/**
 * TCP: `tcp://HOST:PORT`, IPv6 in brackets. Not encrypted and not authenticated: for one machine or a trusted network.
 */
export function createTcpTransport(options: StreamOptions = {}): Transport {
  const shared = streamShared(options);
  return {
    scheme: "tcp",
    promises: { ordered: true, reliable: true, frameBytesMax: shared.frameBytesMax },

    async listen(address, accept, listenOptions = {}) {
      const at = parseTcpAddress(address);
      return listenStream(
        {
          asked: address,
          at,
          address: (server) => listensAt("tcp", server, address),
          remote: (socket) => hostPortAddress("tcp", socket.remoteAddress, socket.remotePort),
        },
        accept,
        listenOptions,
        shared,
      );
    },

    async dial(address, dialOptions = {}) {
      const at = parseToDial("tcp", address);
      return dialStream(address, plainWay(address, at), dialOptions, shared);
    },
  };
}

/** The usual one. */
export const tcp: Transport = createTcpTransport();

/** `tcp://HOST:PORT` as its parts; throws a {@link UsageError} that shows the form. */
export function parseTcpAddress(address: string): HostPort {
  return parseHostPort("tcp", address);
}
