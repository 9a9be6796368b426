import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { ByteWriter } from "./byte-writer.js";
import { DecodeError } from "./errors.js";
import { createPlainCodec, DEPTH_MAX, KEYS_MAX } from "./plain-codec.js";
import type { PlatformText } from "./text.js";

const platform: PlatformText = {
  isWellFormed: (text) => !/\p{Surrogate}/u.test(text),
  encodeInto: (text, bytes) => new TextEncoder().encodeInto(text, bytes),
  decode: (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
};

const TEXT = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }),
);

const PLAIN = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(
      -0,
      0,
      31,
      32,
      -32,
      -33,
      127,
      128,
      255,
      256,
      -128,
      -129,
      65_535,
      65_536,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
    ),
    TEXT,
    fc.array(tie("value")),
    fc.dictionary(
      TEXT.filter((key) => key !== "__proto__"),
      tie("value"),
    ),
  ),
})).value;

describe.each([
  ["the language's text", createPlainCodec()],
  ["the platform's text", createPlainCodec(platform)],
])("with %s", (_name, codec) => {
  test("F20: a value comes back the same, and its encoding is the one encoding", () => {
    fc.assert(
      fc.property(PLAIN, (value) => {
        const bytes = encode(codec, value);
        const read = codec.decode(bytes, 0, bytes.length);
        expect(read).toEqual(value);
        expect(encode(codec, read)).toEqual(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test("F12: any bytes, and any damaged value, end in a value or a named error", () => {
    fc.assert(
      fc.property(
        PLAIN,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array(),
        (value, at, flip, noise) => {
          const damaged = encode(codec, value);
          damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ flip;
          for (const bytes of [damaged, noise]) {
            try {
              codec.decode(bytes, 0, bytes.length);
            } catch (error) {
              expect(error).toBeInstanceOf(DecodeError);
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("F18: text keeps every character, and text without a UTF-8 is refused on both sides", () => {
    for (const text of ["\uFEFFbom", "nul\0", "e\u0301", "\u00e9", "😀".repeat(50), "\uFEFF".repeat(100)]) {
      const bytes = encode(codec, text);
      expect(codec.decode(bytes, 0, bytes.length)).toBe(text);
    }
    for (const text of ["\ud800", "\udc00x", "\ud800\ud800", `${"x".repeat(100)}\ud800`]) {
      expect(() => encode(codec, text)).toThrow(UsageError);
    }
    for (const bad of [
      [0x80],
      [0xc0, 0x80],
      [0xc3],
      [0xe0, 0x9f, 0xbf],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xff],
    ]) {
      expect(() => codec.decode(Uint8Array.from([0xa0 | bad.length, ...bad]), 0, bad.length + 1)).toThrow(
        code("bad-text"),
      );
      const long = [0xd9, 100 + bad.length, ...new Array<number>(100).fill(0x61), ...bad];
      expect(() => codec.decode(Uint8Array.from(long), 0, long.length)).toThrow(code("bad-text"));
    }
  });

  test("long text just below the writer's limit fits, and beyond it is refused", () => {
    const writer = new ByteWriter(1_000);
    codec.encode(writer, "x".repeat(997));
    expect(writer.end).toBe(1_000);
    expect(() => codec.encode(new ByteWriter(1_000), "x".repeat(998))).toThrow(code("frame-too-long"));
    expect(() => codec.encode(new ByteWriter(1_000), "é".repeat(500))).toThrow(code("frame-too-long"));
  });
});

const codec = createPlainCodec();

test("fields that are undefined are left out", () => {
  const bytes = encode(codec, { a: 1, b: undefined });
  expect(codec.decode(bytes, 0, bytes.length)).toStrictEqual({ a: 1 });
});

test.each([
  ["undefined", undefined],
  ["a function", { f: () => 1 }],
  ["a bigint", [1n]],
  ["a date", { at: new Date(0) }],
  ["a map", new Map()],
  ["a hole", Array(3)],
  ["NaN", [Number.NaN]],
  ["an infinity", { x: -Infinity }],
  ["bytes", new Uint8Array(3)],
])("what is not plain data is not sent: %s", (_what, value) => {
  expect(() => encode(codec, value)).toThrow(UsageError);
});

test("the error says where", () => {
  expect(() => encode(codec, { queue: [1, { at: Number.NaN }] })).toThrow(
    /^\.queue\[1\]\.at is not plain data/,
  );
});

test("F14: no key reaches a prototype", () => {
  // {"__proto__": {"polluted": 1}}
  const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
  const poison = [0x81, 0xa9, ...letters("__proto__"), 0x81, 0xa8, ...letters("polluted"), 1];
  expect(() => codec.decode(Uint8Array.from(poison), 0, poison.length)).toThrow(code("bad-key"));
  expect(() => encode(codec, JSON.parse('{"__proto__":1}'))).toThrow(UsageError);
  for (const key of ["constructor", "prototype", "toString", "headersDistinct", "4294967295"]) {
    const bytes = encode(codec, { [key]: { x: 1 } });
    const read = codec.decode(bytes, 0, bytes.length);
    expect(read).toEqual({ [key]: { x: 1 } });
    expect(Object.hasOwn(read as object, key)).toBe(true);
  }
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("F15: depth 64 passes both ways, 65 and 100,000 are refused", () => {
  const bytes = encode(codec, nested(DEPTH_MAX));
  expect(codec.decode(bytes, 0, bytes.length)).toEqual(nested(DEPTH_MAX));
  expect(() => encode(codec, nested(DEPTH_MAX + 1))).toThrow(UsageError);
  for (const depth of [DEPTH_MAX + 1, 100_000]) {
    const deep = new Uint8Array(depth + 1).fill(0x91, 0, depth);
    expect(() => codec.decode(deep, 0, deep.length)).toThrow(code("depth"));
  }
});

test.each([
  ["an array of 2^32 - 1", [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ["a map of 2^32 - 1", [0xdf, 0xff, 0xff, 0xff, 0xff]],
  ["an array of more than there are bytes", [0x93, 1, 2]],
  ["a map of more than there are bytes", [0x82, 0xa1, 0x61, 1]],
])("F15: %s is refused by its count", (_what, bytes) => {
  expect(() => codec.decode(Uint8Array.from(bytes), 0, bytes.length)).toThrow(code("count"));
});

test("F16: 10,000 keys pass, one more and 100,000 are refused at once", () => {
  const keys = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), 0]));
  const bytes = encode(codec, keys(KEYS_MAX));
  expect(codec.decode(bytes, 0, bytes.length)).toEqual(keys(KEYS_MAX));
  expect(() => encode(codec, keys(KEYS_MAX + 1))).toThrow(UsageError);
  const many = new Uint8Array(300_000).fill(0xa0);
  many.set([0xdf, 0, 1, 0x86, 0xa0]);
  expect(() => codec.decode(many, 0, many.length)).toThrow(code("count"));
});

test.each([
  ["binary", [0xc4, 1, 0], "not-plain"],
  ["an extension", [0xd4, 0, 0], "not-plain"],
  ["a date", [0xd6, 0xff, 0, 0, 0, 0], "not-plain"],
  ["a 64-bit integer", [0xcf, 0, 0, 0, 0, 0, 0, 0, 1], "not-plain"],
  ["the byte that means nothing", [0xc1], "not-plain"],
  ["NaN", [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], "not-plain"],
  ["an infinity", [0xca, 0x7f, 0x80, 0, 0], "not-plain"],
  ["a key that is a number", [0x81, 1, 1], "bad-key"],
  ["two values", [1, 2], "trailing-bytes"],
  ["nothing", [], "truncated"],
  ["half a text", [0xa3, 0x61], "truncated"],
  ["half a number", [0xcb, 0], "truncated"],
])("%s is refused", (_what, bytes, wanted) => {
  expect(() => codec.decode(Uint8Array.from(bytes), 0, bytes.length)).toThrow(code(wanted));
});

function encode(with_: typeof codec, value: unknown): Uint8Array {
  const writer = new ByteWriter();
  with_.encode(writer, value);
  return writer.copy();
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function code(wanted: string): object {
  return expect.objectContaining({ code: wanted });
}
