import { firstUnplain, UsageError } from "../core/index.js";
import type { ByteWriter } from "./byte-writer.js";
import type { PayloadCodec } from "./codec.js";
import { DecodeError } from "./errors.js";
import type { PlatformText } from "./text.js";
import { SHORT_TEXT, TextReader, utf8Length, writeUtf8 } from "./text.js";

/** Containers nest at most this deep, counted as `firstUnplain` does. */
export const DEPTH_MAX = 64;

/** More keys in one object make its hash table a weapon (CVE-2026-21717), and are no message. */
export const KEYS_MAX = 10_000;

/**
 * Plain data as MessagePack: null, booleans, numbers, text, arrays and maps with text keys; no extension types.
 *
 * Ours rather than a library's, because every count, depth, key and text must be checked before it costs anything, and
 * one pass that checks is faster than a check followed by a decoder that does not trust it. Numbers that are whole and
 * below 2^32 take the shortest form, all others eight bytes, so equal values with keys in one order give equal bytes.
 * Fields whose value is `undefined` are left out, as JSON does. Of keys that come twice the last counts.
 */
export function createPlainCodec(platform?: PlatformText): PayloadCodec {
  return new PlainCodec(platform);
}

class PlainCodec implements PayloadCodec {
  readonly #platform: PlatformText | undefined;
  readonly #text: TextReader;
  readonly #bits = new DataView(new ArrayBuffer(8));
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;

  constructor(platform: PlatformText | undefined) {
    this.#platform = platform;
    this.#text = new TextReader(platform);
  }

  encode(writer: ByteWriter, value: unknown): void {
    this.#write(writer, value, DEPTH_MAX, value);
  }

  decode(bytes: Uint8Array, start: number, end: number): unknown {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    try {
      const value = this.#read(DEPTH_MAX);
      if (this.#at !== end) {
        throw new DecodeError("trailing-bytes", `${end - this.#at} bytes after the value`);
      }
      return value;
    } finally {
      this.#bytes = NOTHING;
    }
  }

  #write(writer: ByteWriter, value: unknown, depth: number, whole: unknown): void {
    switch (typeof value) {
      case "string":
        return this.#writeText(writer, value);
      case "number":
        return this.#writeNumber(writer, value, whole);
      case "boolean":
        return writer.byte(value ? 0xc3 : 0xc2);
      case "object":
        break;
      default:
        throw notPlain(whole);
    }
    if (value === null) return writer.byte(0xc0);
    if (depth === 0) throw notPlain(whole);
    if (Array.isArray(value)) {
      writeCount(writer, value.length, 0x90, 0xdc);
      for (let i = 0; i < value.length; i++) this.#write(writer, value[i], depth - 1, whole);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) throw notPlain(whole);
    const keys = Object.keys(value);
    const fields = value as Readonly<Record<string, unknown>>;
    let count = keys.length;
    for (const key of keys) if (fields[key] === undefined) count--;
    if (count > KEYS_MAX)
      throw new UsageError(`an object with ${count} keys; a message may have ${KEYS_MAX} in each`);
    writeCount(writer, count, 0x80, 0xde);
    for (const key of keys) {
      const inner = fields[key];
      if (inner === undefined) continue;
      if (key === "__proto__") throw new UsageError('an object with the key "__proto__" cannot be sent');
      this.#writeText(writer, key);
      this.#write(writer, inner, depth - 1, whole);
    }
  }

  #writeNumber(writer: ByteWriter, value: number, whole: unknown): void {
    if (value >>> 0 === value && !Object.is(value, -0)) {
      if (value < 0x80) return writer.byte(value);
      if (value < 0x100) return tagged(writer, 0xcc, value);
      writer.byte(value < 0x10000 ? 0xcd : 0xce);
      return value < 0x10000 ? writer.u16(value) : writer.u32(value);
    }
    if (value >> 0 === value && value < 0) {
      if (value >= -0x20) return writer.byte(value);
      if (value >= -0x80) return tagged(writer, 0xd0, value);
      writer.byte(value >= -0x8000 ? 0xd1 : 0xd2);
      return value >= -0x8000 ? writer.u16(value) : writer.u32(value);
    }
    if (!Number.isFinite(value)) throw notPlain(whole);
    writer.byte(0xcb);
    writer.f64(value);
  }

  #writeText(writer: ByteWriter, text: string): void {
    if (text.length > SHORT_TEXT && this.#platform !== undefined)
      return writeLongText(writer, text, this.#platform);
    const bytes = utf8Length(text);
    if (bytes < 0) throw noUtf8();
    writeTextHeader(writer, bytes);
    writeUtf8(writer, text, bytes);
  }

  #read(depth: number): unknown {
    if (this.#at >= this.#end) throw truncated();
    const tag = this.#bytes[this.#at++] as number;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#readMap(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#readArray(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#readText(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        this.#load(4);
        return finite(this.#bits.getFloat32(0));
      case 0xcb:
        this.#load(8);
        return finite(this.#bits.getFloat64(0));
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      case 0xd0:
        return (this.#unsigned(1) << 24) >> 24;
      case 0xd1:
        return (this.#unsigned(2) << 16) >> 16;
      case 0xd2:
        return this.#unsigned(4) | 0;
      case 0xd9:
        return this.#readText(this.#unsigned(1));
      case 0xda:
        return this.#readText(this.#unsigned(2));
      case 0xdb:
        return this.#readText(this.#unsigned(4));
      case 0xdc:
        return this.#readArray(this.#unsigned(2), depth);
      case 0xdd:
        return this.#readArray(this.#unsigned(4), depth);
      case 0xde:
        return this.#readMap(this.#unsigned(2), depth);
      case 0xdf:
        return this.#readMap(this.#unsigned(4), depth);
      default:
        // Binary, extension types (dates among them) and 64-bit integers, which a number cannot hold.
        throw new DecodeError("not-plain", `byte 0x${tag.toString(16)} begins nothing that is plain data`, {
          tag,
        });
    }
  }

  #readArray(count: number, depth: number): unknown[] {
    if (depth === 0) throw tooDeep();
    if (count > this.#end - this.#at) throw tooMany(count, "elements");
    const array: unknown[] = [];
    for (let i = 0; i < count; i++) array.push(this.#read(depth - 1));
    return array;
  }

  #readMap(count: number, depth: number): Record<string, unknown> {
    if (depth === 0) throw tooDeep();
    if (count > KEYS_MAX || 2 * count > this.#end - this.#at) throw tooMany(count, "keys");
    const map: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.#readKey();
      map[key] = this.#read(depth - 1);
    }
    return map;
  }

  #readKey(): string {
    if (this.#at >= this.#end) throw truncated();
    const tag = this.#bytes[this.#at++] as number;
    const length =
      tag >= 0xa0 && tag < 0xc0
        ? tag & 0x1f
        : tag === 0xd9
          ? this.#unsigned(1)
          : tag === 0xda
            ? this.#unsigned(2)
            : tag === 0xdb
              ? this.#unsigned(4)
              : -1;
    if (length < 0) throw new DecodeError("bad-key", "a key that is not text");
    const key = this.#readText(length);
    // Assigning it would change the object's prototype instead of giving it a field.
    if (key === "__proto__") throw new DecodeError("bad-key", 'the key "__proto__"');
    return key;
  }

  #readText(length: number): string {
    const start = this.#at;
    if (length > this.#end - start) throw truncated();
    this.#at = start + length;
    return this.#text.read(this.#bytes, start, this.#at);
  }

  /** A big-endian number of 1, 2 or 4 bytes. */
  #unsigned(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw truncated();
    this.#at = at + size;
    let value = 0;
    for (let i = at; i < this.#at; i++) value = (value << 8) | (this.#bytes[i] as number);
    return value >>> 0;
  }

  #load(size: number): void {
    if (size > this.#end - this.#at) throw truncated();
    for (let i = 0; i < size; i++) this.#bits.setUint8(i, this.#bytes[this.#at++] as number);
  }
}

const NOTHING = new Uint8Array(0);

function tagged(writer: ByteWriter, tag: number, value: number): void {
  writer.byte(tag);
  writer.byte(value);
}

function writeTextHeader(writer: ByteWriter, bytes: number): void {
  if (bytes < 0x20) return writer.byte(0xa0 | bytes);
  if (bytes < 0x100) return tagged(writer, 0xd9, bytes);
  writer.byte(bytes < 0x10000 ? 0xda : 0xdb);
  if (bytes < 0x10000) writer.u16(bytes);
  else writer.u32(bytes);
}

function writeLongText(writer: ByteWriter, text: string, platform: PlatformText): void {
  if (!platform.isWellFormed(text)) throw noUtf8();
  const bytesMax = TEXT_HEADER_MAX + 3 * text.length;
  if (writer.roomFor(bytesMax) < bytesMax) {
    // So near the writer's limit that the length must be known first.
    const bytes = utf8Length(text);
    writeTextHeader(writer, bytes);
    return writeUtf8(writer, text, bytes);
  }
  // Written where the longest header would leave it, then moved down to the header it turned out to need.
  const start = writer.end + TEXT_HEADER_MAX;
  const { written } = platform.encodeInto(text, writer.bytes.subarray(start));
  writeTextHeader(writer, written);
  writer.bytes.copyWithin(writer.end, start, start + written);
  writer.end += written;
}

const TEXT_HEADER_MAX = 5;

function noUtf8(): UsageError {
  return new UsageError("text with half of a surrogate pair cannot be sent: it has no UTF-8");
}

function writeCount(writer: ByteWriter, count: number, short: number, long: number): void {
  if (count < 0x10) return writer.byte(short | count);
  writer.byte(count < 0x10000 ? long : long + 1);
  if (count < 0x10000) writer.u16(count);
  else writer.u32(count);
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new DecodeError("not-plain", `the number ${value}`);
  return value;
}

function notPlain(whole: unknown): UsageError {
  const where = firstUnplain(whole, DEPTH_MAX) ?? ".";
  return new UsageError(
    `${where} is not plain data; send null, booleans, finite numbers, text, arrays and simple objects, at most ${DEPTH_MAX} deep`,
  );
}

function truncated(): DecodeError {
  return new DecodeError("truncated", "a value ends before it is whole");
}

function tooDeep(): DecodeError {
  return new DecodeError("depth", `a value nests more than ${DEPTH_MAX} deep`);
}

function tooMany(count: number, what: string): DecodeError {
  return new DecodeError("count", `a value claims ${count} ${what}, more than fit or are allowed`, { count });
}
