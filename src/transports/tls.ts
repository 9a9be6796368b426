import { constants, X509Certificate } from "node:crypto";
import { Socket } from "node:net";
import type { SecureContext, SecureContextOptions, Server as TlsServer, TLSSocket } from "node:tls";
import { connect, createSecureContext, createServer } from "node:tls";
import { escapeText, UsageError } from "../core/index.js";
import { hostPortAddress, listensAt, parseHostPort, parseToDial } from "./host-port.js";
import { CONNECTIONS_MAX, HANDSHAKE_MS_MAX, HANDSHAKES_MAX } from "./limits.js";
import type { Entrance, StreamOptions, Way } from "./stream-transport.js";
import { dialStream, listenStream, streamShared } from "./stream-transport.js";
import { tlsClientError, tlsDialError, tlsEndError } from "./tls-error.js";
import type { Transport } from "./transport.js";
import { TransportError } from "./transport-error.js";

export interface TlsOptions extends StreamOptions {
  /** This side's certificate and the chain up to, but without, the authority; PEM. A dialler may go without. */
  readonly cert?: string;
  /** The private key that belongs to it; PEM. */
  readonly key?: string;
  /** The authorities whose certificates are accepted, and no others: the system's own count for nothing; PEM. */
  readonly ca: string | readonly string[];
  /** Whom a listener lets in: default those with a certificate of `ca`; `anyone` is for a service open to all. */
  readonly clients?: "certified" | "anyone";
}

/**
 * TLS 1.3 over TCP: `tls://HOST:PORT`, IPv6 in brackets. Both sides show a certificate, and each verifies the other's.
 *
 * A dialler also checks that the certificate is for the HOST it dialled. A listener admits whoever has a certificate of
 * `ca`, whatever it is for: which process a peer is has to be settled above. Nothing turns verification off, also not
 * the environment's NODE_TLS_REJECT_UNAUTHORIZED, which is warned about. Revocation lists are not consulted.
 *
 * Throws `UsageError` for a certificate or key that cannot be used. What the other side's certificate lacks is
 * `TransportError("bad-certificate")`, and named: from `dial`, and to a listener's `onProblem`. The handshake of TLS and
 * the one that follows it have `handshakeMsMax` each.
 */
export function createTlsTransport(options: TlsOptions): Transport {
  const shared = streamShared(options);
  const context = secureContext(options);
  warnOfEnvironment();
  return {
    scheme: "tls",
    promises: { ordered: true, reliable: true, frameBytesMax: shared.frameBytesMax },

    async listen(address, accept, listenOptions = {}) {
      const at = parseHostPort("tls", address);
      const { cert, key, clients = "certified" } = options;
      if (cert === undefined || key === undefined) {
        throw new UsageError(
          `to listen at ${address}, TLS needs a certificate and its key; give cert and key`,
        );
      }
      const server = createServer({
        ...contextOptions(options),
        noDelay: true,
        requestCert: clients === "certified",
        rejectUnauthorized: true,
        handshakeTimeout: listenOptions.handshakeMsMax ?? HANDSHAKE_MS_MAX,
      });
      server.maxConnections = (listenOptions.connectionsMax ?? CONNECTIONS_MAX) + HANDSHAKES_MAX;
      return listenStream(
        { asked: address, at, address: () => listensAt("tls", server, address), remote: remoteOf },
        accept,
        listenOptions,
        shared,
        tlsEntrance(server),
      );
    },

    async dial(address, dialOptions = {}) {
      const { host, port } = parseToDial("tls", address);
      return dialStream(address, tlsWay(address, host, port, context), dialOptions, shared);
    },
  };
}

/** Throws `UsageError` for what OpenSSL cannot use, before anybody connects. */
function secureContext(options: TlsOptions): SecureContext {
  const { cert, key, ca } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("a certificate and its key go together; give both cert and key, or neither");
  }
  for (const [name, given] of [
    ["ca", ca],
    ["cert", cert],
  ] as const) {
    for (const pem of [given ?? []].flat()) checkPem(name, pem);
  }
  if (ca.length === 0) throw new UsageError("ca names no authority, so nobody could be trusted");
  try {
    return createSecureContext(contextOptions(options));
  } catch (cause) {
    const why = cause instanceof Error ? (/:([^:]+)$/.exec(cause.message)?.[1] ?? cause.message) : "unknown";
    throw new UsageError(
      `the certificate and the key cannot be used: ${escapeText(why.trim())}`,
      {},
      { cause },
    );
  }
}

function checkPem(name: string, pem: string): void {
  try {
    // OpenSSL passes over what is no certificate, and trusts nobody then.
    new X509Certificate(pem);
  } catch (cause) {
    throw new UsageError(`${name} takes certificates in PEM (-----BEGIN CERTIFICATE-----)`, {}, { cause });
  }
}

function contextOptions({ cert, key, ca }: TlsOptions): SecureContextOptions {
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ca: typeof ca === "string" ? ca : [...ca],
    minVersion: "TLSv1.3",
    // OpenSSL's level 2, at least 112 bits: no RSA below 2,048, no SHA-1. The name stands for all suites of TLS 1.3.
    ciphers: "DEFAULT:@SECLEVEL=2",
    // No tickets: a session that goes on later would not look at certificates again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function tlsEntrance(server: TlsServer): Entrance {
  // The sockets below, by their other end: TLS does not say which is whose.
  const plain = new Map<string, Socket>();
  // What is said of one that has left comes when no socket has an address any more.
  const remotes = new WeakMap<Socket, string>();
  return {
    server,
    open(take, onProblem) {
      server.on("connection", (socket: Socket) => {
        const remote = remoteOf(socket);
        plain.set(remote, socket);
        remotes.set(socket, remote);
        socket.once("close", () => plain.delete(remote));
      });
      server.on("secureConnection", (socket) => take(socket, remoteOf(socket)));
      server.on("tlsClientError", (cause, socket) => {
        const remote = remotes.get(socketBelow(socket) ?? socket) ?? remoteOf(socket);
        const problem = tlsClientError(cause, verifyCodeOf(socket), remote);
        const below = plain.get(remote);
        // OpenSSL hangs up on whoever speaks no TLS. An alert tells them why, and our own plain transport reads it.
        if (problem.code === "bad-magic") below?.end(ALERT_PROTOCOL_VERSION).destroySoon();
        // Node leaves a socket open whose handshake takes too long.
        else below?.destroy();
        onProblem(problem);
      });
      server.on("drop", () => {
        onProblem(
          new TransportError(
            "limit",
            `${server.maxConnections} connections are open or shaking hands; one was dropped`,
          ),
        );
      });
    },
    clear() {
      for (const socket of plain.values()) socket.destroy();
    },
  };
}

// Record: alert, version 3.3, two bytes; fatal, protocol_version (RFC 8446, 5.1 and 6).
const ALERT_PROTOCOL_VERSION = Uint8Array.of(21, 3, 3, 0, 2, 2, 70);

/** Node names it nowhere in public; where `_parent` is none, only the address in a report suffers. */
function socketBelow(socket: TLSSocket): Socket | undefined {
  const below: unknown = Reflect.get(socket, "_parent");
  return below instanceof Socket ? below : undefined;
}

/** What Node found wrong with a client's certificate; it says so here, and ends the connection without a word. */
function verifyCodeOf(socket: TLSSocket): string | undefined {
  const found: unknown = socket.authorizationError;
  return typeof found === "string" ? found : undefined;
}

function tlsWay(address: string, host: string, port: number, secureContext: SecureContext): Way {
  return {
    open() {
      // Names and addresses are checked against the certificate by Node's own `checkServerIdentity`.
      const socket = connect({ host, port, secureContext, minVersion: "TLSv1.3", rejectUnauthorized: true });
      socket.once("connect", () => socket.setNoDelay(true));
      return socket;
    },
    ready: "secureConnect",
    explain: (cause) => tlsDialError(cause, address),
    explainEnd: (cause) => tlsEndError(cause, address),
  };
}

function remoteOf(socket: Socket): string {
  return hostPortAddress("tls", socket.remoteAddress, socket.remotePort);
}

let warned = false;

function warnOfEnvironment(): void {
  if (warned || process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  warned = true;
  process.emitWarning(
    "NODE_TLS_REJECT_UNAUTHORIZED=0 is set; Lightcone verifies certificates all the same. Take it out of the environment",
    { code: "LIGHTCONE_TLS_ENVIRONMENT" },
  );
}
