/*
 * As much of DER (ITU-T X.690) as a certificate needs: every value is a tag, a length and the content, and each has
 * exactly one encoding. Writing only; what comes from others is parsed by OpenSSL.
 */

/** Values one after the other, as one value. */
export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return encode(0x30, ...items);
}

/** A set of one value, all that names need; more would have to be sorted. */
export function setOf(item: Uint8Array): Uint8Array {
  return encode(0x31, item);
}

/** A whole number that is not negative, given as its big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const significant = bytes.subarray(start);
  // The highest bit is the sign.
  return (significant[0] ?? 0) < 0x80
    ? encode(0x02, significant.length === 0 ? Uint8Array.of(0) : significant)
    : encode(0x02, Uint8Array.of(0), significant);
}

export function boolean(value: boolean): Uint8Array {
  return encode(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** `1.2.840.10045.4.3.2`; the first two numbers share a byte. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const part of [first * 40 + second, ...rest]) {
    const digits = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return encode(0x06, Uint8Array.from(bytes));
}

export function utf8String(text: string): Uint8Array {
  return encode(0x0c, Buffer.from(text, "utf8"));
}

export function octetString(content: Uint8Array): Uint8Array {
  return encode(0x04, content);
}

/** Whole bytes, or, with `unusedBits`, less of the last one. */
export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return encode(0x03, Uint8Array.of(unusedBits), content);
}

/** To the second. A certificate writes years before 2050 with two digits (RFC 5280, 4.1.2.5). */
export function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\.[0-9]+|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? encode(0x17, Buffer.from(digits.slice(2), "ascii"))
    : encode(0x18, Buffer.from(digits, "ascii"));
}

/** `[number]` around whole values. */
export function explicit(number: number, content: Uint8Array): Uint8Array {
  return encode(0xa0 | number, content);
}

/** `[number]` in place of a primitive value's own tag. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return encode(0x80 | number, content);
}

function encode(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, bytes) => sum + bytes.length, 0);
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(length)), ...content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
