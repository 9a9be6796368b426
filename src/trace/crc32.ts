import { utf8At } from "./utf8.js";

/**
 * CRC-32 of the UTF-8 bytes of `text` from `start` to `end`, going on from `before`: what zlib, gzip and PNG use, so
 * that every language has it at hand.
 *
 * Polynomial 0xEDB88320 (reflected), initial value and final xor 0xFFFFFFFF. Source: ISO 3309; RFC 1952, section 8.
 */
export function crc32(text: string, before = 0, start = 0, end = text.length): number {
  let crc = ~before;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      crc = entry(crc ^ unit) ^ (crc >>> 8);
    } else {
      const bytes = utf8At(text, i);
      for (const byte of bytes) crc = entry(crc ^ byte) ^ (crc >>> 8);
      if (bytes.length === 4) i++;
    }
  }
  return ~crc >>> 0;
}

/** Eight lower-case hexadecimal digits. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function entry(value: number): number {
  return TABLE[value & 0xff] ?? 0;
}
