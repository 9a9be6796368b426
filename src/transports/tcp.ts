import { isIPv6 } from "node:net";
import { UsageError } from "../core/index.js";
import type { StreamOptions } from "./stream-transport.js";
import { dialStream, listenStream, streamShared } from "./stream-transport.js";
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
          address: (server) => {
            const bound = server.address();
            return bound === null || typeof bound === "string"
              ? address
              : tcpAddress(bound.address, bound.port);
          },
          remote: (socket) => tcpAddress(socket.remoteAddress, socket.remotePort),
        },
        accept,
        listenOptions,
        shared,
      );
    },

    async dial(address, dialOptions = {}) {
      const at = parseTcpAddress(address);
      if (at.port === 0)
        throw new UsageError(`${address} has port 0; dial the port that the listener reports`);
      return dialStream(address, at, dialOptions, shared);
    },
  };
}

/** The usual one. */
export const tcp: Transport = createTcpTransport();

/** `tcp://HOST:PORT` as its parts; throws a {@link UsageError} that shows the form. */
export function parseTcpAddress(address: string): { readonly host: string; readonly port: number } {
  const match =
    /^tcp:\/\/(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]{1,32})?)\]|([A-Za-z0-9_.-]{1,253})):([0-9]{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  const bracketsWrong = match?.[1] !== undefined && !isIPv6(match[1]);
  if (host === undefined || bracketsWrong || !(port <= 65_535)) {
    throw new UsageError(
      `tcp://HOST:PORT expected, such as tcp://127.0.0.1:7001; got ${JSON.stringify(address)}`,
      {
        address,
      },
    );
  }
  return { host, port };
}

function tcpAddress(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return "tcp://gone";
  return `tcp://${isIPv6(host) ? `[${host}]` : host}:${port ?? 0}`;
}
