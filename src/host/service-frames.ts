import { LightconeError, unknownName, UsageError, type Plain } from "../core/index.js";
import { CALL_MODES, type CallMode, type ToClient, type ToServer } from "../protocols/index.js";
import { nodeText, type Connection, type Transport, type TransportTable } from "../transports/index.js";
import { ByteWriter, createPlainCodec, DecodeError, FrameError } from "../wire/index.js";

/** The first frame of a client, and the server's answer to it. */
export type Greeting =
  | { readonly kind: "hello"; readonly service: string; readonly client: string }
  | { readonly kind: "welcome"; readonly mode: CallMode }
  | { readonly kind: "unwelcome"; readonly reason: string };

/** The server refused the connection, or answered as no server of this service does. */
export class ServiceError extends LightconeError {}

/** Calls of one client, from its oldest open one to its newest. */
export const SERVICE_WINDOW = 4096;

/** Whoever has not greeted by then is no client, or no server. */
export const GREETING_MS_MAX = 5_000;

const codec = createPlainCodec(nodeText);
const writer = new ByteWriter();

/** `false`: the connection has more to write than it should; see `Connection.send`. */
export function sendFrame(connection: Connection, message: Greeting | ToServer | ToClient): boolean {
  writer.clear();
  codec.encode(writer, message);
  return connection.send(writer.bytes, 0, writer.end);
}

/** Throws `FrameError` for a frame that is no greeting. */
export function readGreeting(bytes: Uint8Array, start: number, end: number): Greeting {
  const { kind, service, client, mode, reason } = readRecord(bytes, start, end);
  switch (kind) {
    case "hello":
      return { kind, service: text(service), client: text(client) };
    case "welcome": {
      const known = CALL_MODES.find((name) => name === mode);
      if (known === undefined) throw malformed("a welcome without a mode");
      return { kind, mode: known };
    }
    case "unwelcome":
      return { kind, reason: text(reason) };
    default:
      throw malformed("a frame before the greeting");
  }
}

/** What a client sends; throws `FrameError` for anything else. */
export function readToServer(bytes: Uint8Array, start: number, end: number): ToServer {
  const frame = readRecord(bytes, start, end);
  const { kind, server } = frame;
  if (kind === "bind") return { kind };
  const header = {
    seq: count(frame["seq"], 1),
    incarnation: count(frame["incarnation"]),
    ackUpTo: count(frame["ackUpTo"]),
    ...(server !== undefined && { server: count(server) }),
  };
  if (kind === "cancel") return { kind, ...header };
  if (kind !== "request") throw malformed("a frame that no client sends");
  const { method, args = null, budget } = frame;
  return { kind, ...header, method: text(method), args, budget: count(budget, 1) };
}

/** What a server sends; throws `FrameError` for anything else. */
export function readToClient(bytes: Uint8Array, start: number, end: number): ToClient {
  const { kind, seq, incarnation, server, value = null, reason } = readRecord(bytes, start, end);
  if (kind === "bound") return { kind, server: count(server) };
  const of = { seq: count(seq, 1), incarnation: count(incarnation) };
  switch (kind) {
    case "received":
      return { kind, ...of };
    case "reply":
      return { kind, ...of, value };
    case "refused":
      return { kind, ...of, reason: text(reason) };
    default:
      throw malformed("a frame that no server sends");
  }
}

/** The transport that an address names; throws a `UsageError` that lists those there are. */
export function transportOf(address: string, transports: TransportTable): Transport {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(address)?.[1];
  const known = Object.keys(transports);
  if (scheme === undefined) {
    throw new UsageError(
      `"${address}" is no address; give a URL such as tcp://127.0.0.1:65432 (${known.join(", ")})`,
    );
  }
  const transport = Object.hasOwn(transports, scheme) ? transports[scheme] : undefined;
  if (transport === undefined) throw unknownName("transport", scheme, known);
  return transport;
}

type Fields = Readonly<Record<string, Plain | undefined>>;

function readRecord(bytes: Uint8Array, start: number, end: number): Fields {
  let value: unknown;
  try {
    value = codec.decode(bytes, start, end);
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("a frame without fields");
  // The codec gives plain data or throws.
  return value as Fields;
}

function text(value: Plain | undefined): string {
  if (typeof value !== "string") throw malformed("a field that should be text");
  return value;
}

function count(value: Plain | undefined, least = 0): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw malformed("a field that should be a whole number");
}

function malformed(what: string): FrameError {
  return new FrameError("protocol-error", what);
}
