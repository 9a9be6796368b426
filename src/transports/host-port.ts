import { isIPv6, type Server } from "node:net";
import { UsageError } from "../core/index.js";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `SCHEME://HOST:PORT` as its parts, IPv6 in brackets; throws a {@link UsageError} that shows the form. */
export function parseHostPort(scheme: string, address: string): HostPort {
  const prefix = `${scheme}://`;
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]{1,32})?)\]|([A-Za-z0-9_.-]{1,253})):([0-9]{1,5})$/.exec(
    address.startsWith(prefix) ? address.slice(prefix.length) : "",
  );
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  const bracketsWrong = match?.[1] !== undefined && !isIPv6(match[1]);
  if (host === undefined || bracketsWrong || !(port <= 65_535)) {
    throw new UsageError(
      `${prefix}HOST:PORT expected, such as ${prefix}127.0.0.1:7001; got ${JSON.stringify(address)}`,
      { address },
    );
  }
  return { host, port };
}

/** The same for an address to dial, which cannot have port 0. */
export function parseToDial(scheme: string, address: string): HostPort {
  const at = parseHostPort(scheme, address);
  if (at.port === 0) throw new UsageError(`${address} has port 0; dial the port that the listener reports`);
  return at;
}

/** `SCHEME://HOST:PORT`, or `SCHEME://gone` for a socket that has no other end any more. */
export function hostPortAddress(scheme: string, host: string | undefined, port: number | undefined): string {
  if (host === undefined) return `${scheme}://gone`;
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port ?? 0}`;
}

/** Where a server listens, the system's choice of port filled in. */
export function listensAt(scheme: string, server: Server, asked: string): string {
  const bound = server.address();
  return bound === null || typeof bound === "string"
    ? asked
    : hostPortAddress(scheme, bound.address, bound.port);
}
