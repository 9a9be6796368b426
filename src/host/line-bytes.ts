import { jsonText, type LineSink } from "../trace/index.js";

/** What is kept between flushes; a busy tick may need more, which is given back. */
const BYTES_KEPT = 2 ** 20;

// Numbers of up to nine digits are small integers, which divide quickly.
const DIGITS = 9;
const DIGITS_MAX = 999_999_999;

/**
 * Lines of events as UTF-8, made without their text: for small messages in half the time that text, its joining and
 * its encoding take (0.3 to 0.45 µs a line against 0.9 µs), and without its garbage.
 *
 * Escapes and fractions are rare in messages, so a payload that has any is left to `JSON.stringify` as a whole.
 */
export class LineBytes implements LineSink {
  bytes = Buffer.allocUnsafeSlow(2 ** 16);
  /** What has been written lies before it; may be set back to the end of an earlier line. */
  end = 0;

  clear(): void {
    this.end = 0;
    if (this.bytes.length > BYTES_KEPT) this.bytes = Buffer.allocUnsafeSlow(2 ** 16);
  }

  literal(text: string): void {
    this.#reserve(text.length);
    const { bytes } = this;
    let at = this.end;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.end = at;
  }

  word(before: string, word: string): void {
    this.literal(before);
    this.literal(word);
  }

  number(before: string, value: number): void {
    this.literal(before);
    this.#number(value);
  }

  json(before: string, value: unknown): void {
    this.literal(before);
    const start = this.end;
    if (this.#plain(value, DEPTH_MAX)) return;
    this.end = start;
    const text = jsonText(value);
    // No UTF-16 unit takes more than three bytes.
    this.#reserve(3 * text.length);
    this.end += this.bytes.write(text, start, "utf8");
  }

  #number(value: number): void {
    if (!(value >= 0 && value <= DIGITS_MAX)) return this.literal(String(value));
    this.#reserve(DIGITS);
    const { bytes } = this;
    let width = 1;
    for (let limit = 10; value >= limit; limit *= 10) width++;
    let at = this.end + width;
    this.end = at;
    let rest = value;
    do {
      const tens = (rest / 10) | 0;
      bytes[--at] = 0x30 + rest - tens * 10;
      rest = tens;
    } while (rest > 0);
  }

  /** Writes the value if that needs nothing special; otherwise stops anywhere and gives false. */
  #plain(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case "string":
        return this.#quoted(value);
      case "number":
        if (!Number.isSafeInteger(value)) return false;
        this.#number(value);
        return true;
      case "boolean":
        this.literal(value ? "true" : "false");
        return true;
      case "object":
        break;
      default:
        return false;
    }
    if (value === null) {
      this.literal("null");
      return true;
    }
    if (depth === 0) return false;
    if (Array.isArray(value)) return this.#array(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Object.prototype && this.#object(value, depth);
  }

  #array(values: readonly unknown[], depth: number): boolean {
    this.#byte(0x5b);
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.#byte(0x2c);
      if (!this.#plain(values[i], depth - 1)) return false;
    }
    this.#byte(0x5d);
    return true;
  }

  #object(value: object, depth: number): boolean {
    const fields = value as Readonly<Record<string, unknown>>;
    this.#byte(0x7b);
    let first = true;
    for (const key of Object.keys(value)) {
      const inner = fields[key];
      if (inner === undefined) continue;
      if (!first) this.#byte(0x2c);
      first = false;
      if (!this.#quoted(key)) return false;
      this.#byte(0x3a);
      if (!this.#plain(inner, depth - 1)) return false;
    }
    this.#byte(0x7d);
    return true;
  }

  /** False for text that JSON escapes, or that takes more than a byte for a character. */
  #quoted(text: string): boolean {
    this.#reserve(text.length + 2);
    const { bytes } = this;
    let at = this.end;
    bytes[at++] = 0x22;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
      bytes[at++] = unit;
    }
    bytes[at++] = 0x22;
    this.end = at;
    return true;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.end++] = value;
  }

  #reserve(count: number): void {
    const needed = this.end + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
  }
}

/** Deeper, or endless, is for JSON.stringify to judge. */
const DEPTH_MAX = 64;
