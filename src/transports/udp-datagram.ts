import { nodeCrc32 } from "./platform.js";

// One datagram. docs/wire-format.md says the same for readers without the code.
//
//   C3 55  version  kind  id:8  payload  crc:u32   (little-endian; the CRC is over all before it)
//
// `id` is the one that the receiver chose for this connection, zeros before there is one.

/** Raised when a receiver of the version before could not read what is written now. */
export const UDP_VERSION = 1;

/**
 * `hello`, `cookie`, `open`, `accept` (or `full`, `version`): the handshake. `frames`: one or more. `ping`: I am here.
 * `goodbye`: the sender's last, with its reason. `gone`: the answer to it. `unknown`: there is no such connection here.
 */
export const DATAGRAM_KINDS = [
  "hello",
  "cookie",
  "open",
  "accept",
  "full",
  "version",
  "frames",
  "ping",
  "goodbye",
  "gone",
  "unknown",
] as const;

export type DatagramKind = (typeof DATAGRAM_KINDS)[number];

export const ID_BYTES = 8;
/** Where a datagram's payload begins. */
export const PAYLOAD_AT = 4 + ID_BYTES;
const CRC_BYTES = 4;
/** What a datagram has beside its payload. */
export const DATAGRAM_OVERHEAD = PAYLOAD_AT + CRC_BYTES;

/** The most that UDP over IPv4 carries: 65,535 less the headers of IP and UDP. */
export const UDP_BYTES_MAX = 65_507;

/** Requests of strangers are so long, their answers shorter: nobody is made a weapon against a forged sender. */
export const REQUEST_BYTES = 64;

/** Answers to what names no connection have this length, and longer datagrams alone get one. */
export const SHORT_ANSWER_BYTES = DATAGRAM_OVERHEAD + ID_BYTES;

export const NO_ID: Uint8Array = new Uint8Array(ID_BYTES);

const MAGIC = [0xc3, 0x55] as const;
const REASON_BYTES_MAX = 64;

/** Why a datagram is dropped unread. `other-version` may be answered. */
export type DatagramFlaw = "foreign" | "damaged" | "other-version" | "malformed";

export interface Datagram {
  readonly kind: DatagramKind;
  /** The whole; the payload is from {@link PAYLOAD_AT} to `payloadEnd`. */
  readonly bytes: Buffer;
  readonly payloadEnd: number;
}

/** Fills in what surrounds the payload in `bytes` from {@link PAYLOAD_AT} to `payloadEnd`; gives the whole length. */
export function sealDatagram(bytes: Buffer, kind: DatagramKind, id: Uint8Array, payloadEnd: number): number {
  bytes[0] = MAGIC[0];
  bytes[1] = MAGIC[1];
  bytes[2] = UDP_VERSION;
  bytes[3] = DATAGRAM_KINDS.indexOf(kind) + 1;
  bytes.set(id, 4);
  bytes.writeUInt32LE(nodeCrc32(bytes, 0, payloadEnd), payloadEnd);
  return payloadEnd + CRC_BYTES;
}

/** A datagram with a buffer of its own, its payload padded with zeros up to `lengthMin` of the whole. */
export function datagram(
  kind: DatagramKind,
  id: Uint8Array,
  payload: readonly Uint8Array[] = [],
  lengthMin = 0,
): Buffer {
  const content = payload.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.alloc(Math.max(DATAGRAM_OVERHEAD + content, lengthMin));
  let at = PAYLOAD_AT;
  for (const part of payload) {
    bytes.set(part, at);
    at += part.length;
  }
  sealDatagram(bytes, kind, id, bytes.length - CRC_BYTES);
  return bytes;
}

/** Checks, in this order: magic, version, checksum, kind. */
export function readDatagram(bytes: Buffer): Datagram | DatagramFlaw {
  if (bytes.length < DATAGRAM_OVERHEAD || bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) return "foreign";
  if (bytes[2] !== UDP_VERSION) return "other-version";
  const payloadEnd = bytes.length - CRC_BYTES;
  if (bytes.readUInt32LE(payloadEnd) !== nodeCrc32(bytes, 0, payloadEnd)) return "damaged";
  const kind = DATAGRAM_KINDS[(bytes[3] ?? 0) - 1];
  return kind === undefined ? "malformed" : { kind, bytes, payloadEnd };
}

/** A hello keeps its place for the sender's id in all versions, so that any can say that it is another one. */
export function isHelloOfOtherVersion(bytes: Buffer): boolean {
  return bytes.length >= REQUEST_BYTES && bytes[3] === DATAGRAM_KINDS.indexOf("hello") + 1;
}

export function goodbyeDatagram(id: Uint8Array, why: string): Buffer {
  return datagram("goodbye", id, [Buffer.from(why.slice(0, REASON_BYTES_MAX), "latin1")], SHORT_ANSWER_BYTES);
}

/** The reason in a goodbye; whatever is no lower-case letter or hyphen becomes `?`. */
export function reasonOf({ bytes, payloadEnd }: Datagram): string {
  const text = bytes.toString("latin1", PAYLOAD_AT, Math.min(payloadEnd, PAYLOAD_AT + REASON_BYTES_MAX));
  return text.replace(/\0+$/, "").replace(/[^a-z-]/g, "?");
}

/** Part of a payload, `at` bytes into it. */
export function payloadPart({ bytes }: Datagram, at: number, length: number): Buffer {
  return bytes.subarray(PAYLOAD_AT + at, PAYLOAD_AT + at + length);
}
