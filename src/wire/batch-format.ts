import type { Crc32 } from "./crc32.js";
import { crc32 } from "./crc32.js";
import { FrameError } from "./errors.js";

// How frames lie in a stream of bytes. docs/wire-format.md says the same for readers without the code.
//
//   preamble  C3 4C 43 4E  version  status  0 0                   once, from each side
//   batch     C3 4C  version  flags  length:u32  crc:u32  header crc:u32   (little-endian)
//             then `length` bytes: frames, each a varint of its length and its bytes
//
// The check of the header comes before its length is believed, the check of the payload before a frame is handed on.

/** Raised when a decoder of the version before could not read what is written now. */
export const WIRE_VERSION = 1;

/** Longest frame unless a transport says otherwise. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** A batch is closed beyond this, so that most of them lie whole in one read and are parsed where they are. */
export const BATCH_BYTES = 16_384;

export const PREAMBLE_BYTES = 8;
export const HEADER_BYTES = 16;

/** A varint of up to 28 bits: more than any frame's length. */
export const LENGTH_BYTES_MAX = 4;

/** The batch is the sender's last and says, in ASCII, why it ends the connection. */
export const GOODBYE_FLAG = 1;
const GOODBYE_BYTES_MAX = 64;

const MAGIC = [0xc3, 0x4c, 0x43, 0x4e] as const;

/** `full`: the listener has as many connections as it accepts; it ends this one. */
export type PreambleStatus = "ready" | "full";

/** What each side sends first. */
export function preamble(status: PreambleStatus = "ready"): Uint8Array {
  return Uint8Array.of(...MAGIC, WIRE_VERSION, status === "full" ? 1 : 0, 0, 0);
}

/**
 * Checks the first `count` bytes of a preamble at `start`, as soon as there are any. Throws `bad-magic` at the first
 * wrong byte, `version`, or `protocol-error` for reserved bits in use.
 */
export function checkPreamble(bytes: Uint8Array, start: number, count: number): void {
  for (let i = 0; i < Math.min(count, MAGIC.length); i++) {
    if (bytes[start + i] !== MAGIC[i]) throw i === 0 && isTlsRecord(bytes[start]) ? tlsInstead() : badMagic();
  }
  if (count > 4) checkVersion(bytes[start + 4] ?? 0);
  for (let i = 5; i < count; i++) {
    if ((bytes[start + i] ?? 0) > (i === 5 ? 1 : 0)) {
      throw new FrameError("protocol-error", "reserved bits of the preamble are in use");
    }
  }
}

/** The status in a preamble that has been checked whole. */
export function preambleStatus(bytes: Uint8Array, start = 0): PreambleStatus {
  return bytes[start + 5] === 1 ? "full" : "ready";
}

/** Fills in the header at `start` for the payload that follows it up to `end`. */
export function writeHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  flags: number,
  payloadCrc32: Crc32,
): void {
  bytes[start] = MAGIC[0];
  bytes[start + 1] = MAGIC[1];
  bytes[start + 2] = WIRE_VERSION;
  bytes[start + 3] = flags;
  writeU32(bytes, start + 4, end - start - HEADER_BYTES);
  writeU32(bytes, start + 8, payloadCrc32(bytes, start + HEADER_BYTES, end));
  writeU32(bytes, start + 12, crc32(bytes, start, start + 12));
}

/**
 * Length of the payload that the header at `start` announces, at most `payloadBytesMax`.
 * Throws `bad-magic`, `version`, `bad-checksum`, `protocol-error` or `frame-too-long`.
 */
export function readHeader(bytes: Uint8Array, start: number, payloadBytesMax: number): number {
  if (bytes[start] !== MAGIC[0] || bytes[start + 1] !== MAGIC[1]) throw badMagic();
  checkVersion(bytes[start + 2] ?? 0);
  if (readU32(bytes, start + 12) !== crc32(bytes, start, start + 12)) {
    throw new FrameError("bad-checksum", "the header of a batch was damaged on the way");
  }
  const flags = bytes[start + 3] ?? 0;
  if ((flags & ~GOODBYE_FLAG) !== 0) {
    throw new FrameError("protocol-error", `reserved flags 0x${flags.toString(16)} of a batch are set`, {
      flags,
    });
  }
  const length = readU32(bytes, start + 4);
  const limit = flags === GOODBYE_FLAG ? GOODBYE_BYTES_MAX : payloadBytesMax;
  if (length > limit) {
    throw new FrameError(
      "frame-too-long",
      `the peer announced ${length} bytes; at most ${limit} are accepted`,
      {
        bytes: length,
        bytesMax: limit,
      },
    );
  }
  if (length === 0) throw new FrameError("protocol-error", "the peer sent an empty batch");
  return length;
}

export function isGoodbye(bytes: Uint8Array, start: number): boolean {
  return bytes[start + 3] === GOODBYE_FLAG;
}

export function checkPayload(bytes: Uint8Array, start: number, end: number, payloadCrc32: Crc32): void {
  if (readU32(bytes, start + 8) !== payloadCrc32(bytes, start + HEADER_BYTES, end)) {
    throw new FrameError("bad-checksum", "a batch was damaged on the way", {
      bytes: end - start - HEADER_BYTES,
    });
  }
}

/** The last batch of a side that ends the connection early; `why` is a code of at most 64 ASCII characters. */
export function goodbye(why: string): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + Math.min(why.length, GOODBYE_BYTES_MAX));
  for (let i = HEADER_BYTES; i < bytes.length; i++) bytes[i] = why.charCodeAt(i - HEADER_BYTES);
  writeHeader(bytes, 0, bytes.length, GOODBYE_FLAG, crc32);
  return bytes;
}

/** The code in a goodbye; whatever is no lower-case letter or hyphen becomes `?`. */
export function readGoodbye(bytes: Uint8Array, start: number, end: number): string {
  let why = "";
  for (let i = start + HEADER_BYTES; i < end; i++) {
    const character = String.fromCharCode(bytes[i] ?? 0);
    why += /[a-z-]/.test(character) ? character : "?";
  }
  return why;
}

function badMagic(): FrameError {
  return new FrameError("bad-magic", "the peer does not speak this protocol: its first bytes are not ours");
}

/** An alert or a handshake: what a TLS peer sends first. */
function isTlsRecord(first: number | undefined): boolean {
  return first === 0x15 || first === 0x16;
}

function tlsInstead(): FrameError {
  return new FrameError(
    "bad-magic",
    "the peer speaks TLS, which this side does not; is it a tls:// address?",
  );
}

function checkVersion(version: number): void {
  if (version !== WIRE_VERSION) {
    throw new FrameError(
      "version",
      `the peer speaks version ${version} of the wire format, this side version ${WIRE_VERSION}`,
      { theirs: version, ours: WIRE_VERSION },
    );
  }
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function readU32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
