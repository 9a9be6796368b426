import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32, hex32 } from "./crc32.js";

const utf16Unit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

test("gives the check value of the catalogue of CRCs", () => {
  expect(hex32(crc32("123456789"))).toBe("cbf43926");
  expect(hex32(crc32(""))).toBe("00000000");
});

test("agrees with zlib on the UTF-8 bytes of any text, lone surrogates included", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.constantFrom("😀", "é", "\ud83d", "\ude00"), utf16Unit) }),
      (text) => {
        expect(crc32(text)).toBe(zlibCrc32(Buffer.from(text, "utf8")));
      },
    ),
  );
});

test("goes on where it stopped, and over a part of a text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(crc32(b, crc32(a))).toBe(crc32(a + b));
      expect(crc32(a + b, 0, a.length)).toBe(crc32(b));
    }),
  );
});
