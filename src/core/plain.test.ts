import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, deepFreeze, firstUnplain, samePlain, type Plain } from "./plain.js";

const plain: fc.Arbitrary<Plain> = fc
  .json()
  .filter((json) => !json.includes("__proto__"))
  .map((json) => JSON.parse(json) as Plain);

describe("firstUnplain", () => {
  test("finds nothing wrong with what JSON carries", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(firstUnplain(value)).toBeUndefined();
      }),
    );
    expect(firstUnplain(Object.assign(Object.create(null), { a: 1 }))).toBeUndefined();
    expect(firstUnplain({ absent: undefined })).toBeUndefined();
  });

  test("says where the first value stands that JSON would lose or change", () => {
    const at = (wrong: unknown) => firstUnplain({ queue: [0, { at: "x" }, { at: wrong }] });
    class Clock {}
    for (const wrong of [() => 0, new Clock(), new Map(), new Date(0), 1n, Symbol("s"), NaN, -Infinity]) {
      expect(at(wrong)).toBe(".queue[2].at");
    }
    expect(firstUnplain([undefined])).toBe("[0]");
    expect(firstUnplain(NaN)).toBe(".");
    expect(firstUnplain(undefined)).toBe(".");
  });

  test("refuses what is nested too deeply, so a cycle too", () => {
    let nested: unknown = 1;
    for (let i = 0; i < 64; i++) nested = [nested];
    expect(firstUnplain(nested)).toBeUndefined();
    expect(firstUnplain([nested])).toBe("[0]".repeat(64));
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(firstUnplain(cycle, 3)).toBe(".self.self.self");
  });
});

describe("canonicalJson", () => {
  test("is JSON of the same value", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  test("does not depend on the order in which keys were added", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
    fc.assert(
      fc.property(fc.dictionary(fc.string().filter(notProto), plain), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(backwards)).toBe(canonicalJson(value));
      }),
    );
  });

  test("leaves absent fields out, and keeps null ones", () => {
    expect(canonicalJson({ a: undefined, b: null })).toBe('{"b":null}');
  });
});

describe("samePlain", () => {
  test("looks through key order and absent fields", () => {
    expect(samePlain({ a: 1, b: [2, { c: 3 }] }, { b: [2, { c: 3 }], a: 1, d: undefined })).toBe(true);
  });

  test("tells different values apart", () => {
    for (const [a, b] of [
      [
        [1, 2],
        [2, 1],
      ],
      [{ a: 1 }, { a: "1" }],
      [{ a: null }, {}],
      [[], {}],
      ["", null],
    ] satisfies [Plain, Plain][]) {
      expect(samePlain(a, b), canonicalJson(a)).toBe(false);
    }
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(samePlain(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });
});

test("deepFreeze freezes to the leaves, so that a later change throws", () => {
  const state = deepFreeze({ queue: [{ at: 1 }] });
  expect(() => (state.queue as unknown[]).push(2)).toThrow(TypeError);
  expect(() => {
    for (const entry of state.queue) entry.at = 2;
  }).toThrow(TypeError);
});

function notProto(key: string): boolean {
  return key !== "__proto__";
}
