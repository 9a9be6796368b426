import type { ByteWriter } from "./byte-writer.js";
import { DecodeError } from "./errors.js";

/**
 * The platform's own UTF-8, for texts longer than {@link SHORT_TEXT}, where it is ten times as fast as the language.
 * `TextEncoder` and `TextDecoder("utf-8", { fatal: true, ignoreBOM: true })` fit.
 */
export interface PlatformText {
  /** False when half of a surrogate pair is missing. */
  isWellFormed(text: string): boolean;
  encodeInto(text: string, bytes: Uint8Array): { readonly written: number };
  /** Throws anything when `bytes` are not well-formed UTF-8; changes nothing, keeps a byte-order mark. */
  decode(bytes: Uint8Array): string;
}

/** Up to here a loop beats a call into the platform. Bytes or UTF-16 units. */
export const SHORT_TEXT = 64;

/** Length of `text` in UTF-8, or -1 when half of a surrogate pair is missing: such text has no UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    // A pair is two units and four bytes: what has been counted so far.
    const low = text.charCodeAt(++i);
    if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return -1;
  }
  return bytes;
}

/** Appends `text`, whose {@link utf8Length} is `bytes`, to the writer. */
export function writeUtf8(writer: ByteWriter, text: string, bytes: number): void {
  writer.reserve(bytes);
  const out = writer.bytes;
  let at = writer.end;
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      out[at++] = unit;
      continue;
    }
    if (unit < 0x800) {
      out[at++] = 0xc0 | (unit >> 6);
    } else {
      if (unit >= 0xd800 && unit <= 0xdfff) {
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
        out[at++] = 0xf0 | (unit >> 18);
        out[at++] = 0x80 | ((unit >> 12) & 0x3f);
      } else {
        out[at++] = 0xe0 | (unit >> 12);
      }
      out[at++] = 0x80 | ((unit >> 6) & 0x3f);
    }
    out[at++] = 0x80 | (unit & 0x3f);
  }
  writer.end = at;
}

/**
 * Reads UTF-8 and remembers short texts, because messages say the same few words over and over.
 * Throws `bad-text` for anything that is not well-formed UTF-8; replaces and normalises nothing.
 */
export class TextReader {
  // One text per slot; a newcomer takes the slot.
  readonly #known: string[] = new Array<string>(KNOWN_SLOTS).fill("");
  readonly #platform: PlatformText | undefined;

  constructor(platform?: PlatformText) {
    this.#platform = platform;
  }

  read(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > SHORT_TEXT && this.#platform !== undefined)
      return this.#readLong(bytes, start, end, this.#platform);
    if (length > KNOWN_BYTES_MAX) return readUtf8(bytes, start, end);
    let hash = length;
    for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i] as number);
    const slot = (hash ^ (hash >>> 10)) & (KNOWN_SLOTS - 1);
    const known = this.#known[slot] as string;
    if (known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return known;
    }
    const made = readUtf8(bytes, start, end);
    // As many units as bytes: ASCII. Only there do equal bytes mean equal units.
    if (made.length === length) this.#known[slot] = made;
    return made;
  }

  #readLong(bytes: Uint8Array, start: number, end: number, platform: PlatformText): string {
    try {
      return platform.decode(bytes.subarray(start, end));
    } catch (cause) {
      throw badText(cause);
    }
  }
}

// 1024 texts of at most 24 bytes.
const KNOWN_SLOTS = 1024;
const KNOWN_BYTES_MAX = 24;

function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  while (at < end) {
    // Eight ASCII letters at once, while there are.
    if (end - at >= 8) {
      const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
      const [e = 0, f = 0, g = 0, h = 0] = [bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]];
      if ((a | b | c | d | e | f | g | h) < 0x80) {
        text += String.fromCharCode(a, b, c, d, e, f, g, h);
        at += 8;
        continue;
      }
    }
    const first = bytes[at++] as number;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const more = first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    if (more < 0 || at + more > end) throw badText();
    let point = first & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const byte = bytes[at++] as number;
      if ((byte & 0xc0) !== 0x80) throw badText();
      point = (point << 6) | (byte & 0x3f);
    }
    // Longer than needed, half of a pair, or beyond Unicode.
    if (more === 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) throw badText();
    if (more === 3 && (point < 0x10000 || point > 0x10ffff)) throw badText();
    text += String.fromCodePoint(point);
  }
  return text;
}

function badText(cause?: unknown): DecodeError {
  return new DecodeError("bad-text", "text that is not well-formed UTF-8", {}, { cause });
}
