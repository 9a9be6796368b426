import { LightconeError, unknownName, UsageError, type Plain } from "../core/index.js";
import { CALL_MODES, rangeOf, type ByteRange, type CallMode } from "../protocols/index.js";
import { nodeText, type Connection, type Transport, type TransportTable } from "../transports/index.js";
import { ByteWriter, createPlainCodec, DecodeError, FrameError } from "../wire/index.js";
import type { Decode, Encode } from "./service-pack.js";

/** The first frame of a client, and the server's answer to it. What follows are packs. */
export type Greeting =
  | { readonly kind: "hello"; readonly service: string; readonly client: string }
  | {
      readonly kind: "welcome";
      readonly mode: CallMode;
      /** The incarnation of the server. */
      readonly server: number;
      /** Requests name them by their place. */
      readonly methods: readonly string[];
    }
  | { readonly kind: "unwelcome"; readonly reason: string };

/** The server refused the connection, or answered as no server of this service does. */
export class ServiceError extends LightconeError {}

/** Calls of one client, from its oldest open one to its newest. */
export const SERVICE_WINDOW = 4096;

/** Whoever has not greeted by then is no client, or no server. */
export const GREETING_MS_MAX = 5_000;

const codec = createPlainCodec(nodeText);
const writer = new ByteWriter();

export function sendGreeting(connection: Connection, greeting: Greeting): void {
  writer.clear();
  codec.encode(writer, greeting);
  connection.send(writer.bytes, 0, writer.end);
}

/** Whether a frame is a greeting and not a pack: it begins like a map. */
export function isGreeting(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && (bytes[start] as number) >= 0x80;
}

/** Throws `FrameError` for a frame that is no greeting. */
export function readGreeting(bytes: Uint8Array, start: number, end: number): Greeting {
  const { kind, service, client, mode, server, methods, reason } = readRecord(bytes, start, end);
  switch (kind) {
    case "hello":
      return { kind, service: text(service), client: text(client) };
    case "welcome": {
      const known = CALL_MODES.find((name) => name === mode);
      if (known === undefined) throw malformed("a welcome without a mode");
      if (!Array.isArray(methods)) throw malformed("a welcome without methods");
      return { kind, mode: known, server: count(server), methods: methods.map(text) };
    }
    case "unwelcome":
      return { kind, reason: text(reason) };
    default:
      throw malformed("a frame before the greeting");
  }
}

/** How arguments and values of a service lie in a pack. */
export interface PayloadForm<Payload> {
  readonly encode: Encode<Payload>;
  /** Throws `FrameError` for bytes that are no payload. */
  readonly decode: Decode<Payload>;
}

/** As MessagePack; or, of a service of `payload: "bytes"`, as they are: `decode` then gives one range over and over. */
export function payloadForm<Payload>(service: { readonly payload?: "bytes" }): PayloadForm<Payload> {
  // The service's type says which of the two its payloads are.
  const form: unknown = service.payload === "bytes" ? bytesForm() : PLAIN;
  return form as PayloadForm<Payload>;
}

const PLAIN: PayloadForm<Plain> = {
  encode: (to, value) => codec.encode(to, value),
  // The codec gives plain data or throws.
  decode: (bytes, start, end) => decoded(bytes, start, end) as Plain,
};

function bytesForm(): PayloadForm<ByteRange> {
  const range: { -readonly [Key in keyof ByteRange]: ByteRange[Key] } = rangeOf(new Uint8Array(0));
  return {
    encode: (to, { bytes, start, end }) => to.raw(bytes, start, end),
    decode(bytes, start, end) {
      range.bytes = bytes;
      range.start = start;
      range.end = end;
      return range;
    },
  };
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

function decoded(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return codec.decode(bytes, start, end);
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
}

function readRecord(bytes: Uint8Array, start: number, end: number): Fields {
  const value = decoded(bytes, start, end);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("a frame without fields");
  // The codec gives plain data or throws.
  return value as Fields;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw malformed("a field that should be text");
  return value;
}

function count(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed("a field that should be a whole number");
}

function malformed(what: string): FrameError {
  return new FrameError("protocol-error", what);
}
