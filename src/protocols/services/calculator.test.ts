import { describe, expect, test } from "vitest";
import type { Plain } from "../../core/index.js";
import { calculator } from "./calculator.js";
import { GREETED_NAME_LENGTH_MAX, hello } from "./hello.js";

describe("the calculator", () => {
  test.each([
    ["add", 5, 10, 15],
    ["subtract", 5, 10, -5],
    ["multiply", 5, 10, 50],
    ["divide", 1, 4, 0.25],
    ["power", 2, 10, 1024],
    ["root", 64, 3, 4],
    ["root", -27, 3, -3],
    ["root", 2, 2, Math.SQRT2],
    ["root", 7, 1, 7],
    ["root", 1024, 10, 2],
    ["root", 1e300, 100, 1000],
    ["root", 0, 9, 0],
    ["power", 3, -2, 1 / 9],
    ["power", 0.25, 0.5, 0.5],
    ["power", -2, 3, -8],
    ["power", 0, 0, 1],
    ["multiply", -1, 0, 0],
  ])("%s of %d and %d is %d", (method, a, b, value) => {
    expect(calculator.check(method, { a, b })).toBeUndefined();
    const handled = calculator.handle({ operations: 2 }, method, { a, b });
    expect(handled).toEqual({ state: { operations: 3 }, value });
    // Not -0, which JSON does not carry.
    expect(Object.is(handled.value, -0)).toBe(false);
  });

  const refused: [string, Plain, RegExp][] = [
    ["divide", { a: 1, b: 0 }, /division by zero/],
    ["root", { a: -4, b: 2 }, /not a real number/],
    ["root", { a: 4, b: 0 }, /whole number from 1 up; 0 given/],
    ["root", { a: 4, b: 1.5 }, /whole number/],
    ["power", { a: 10, b: 400 }, /beyond/],
    ["power", { a: -8, b: 0.5 }, /not a real number/],
    ["add", { a: 1e308, b: 1e308 }, /beyond/],
    ["multply", { a: 1, b: 1 }, /did you mean multiply\?/],
    ["constructor", { a: 1, b: 1 }, /no such method/],
    ["__proto__", { a: 1, b: 1 }, /no such method/],
    ["add", { a: 1 }, /takes two numbers/],
    ["add", { a: "1", b: 2 }, /takes two numbers/],
    ["add", [1, 2], /takes two numbers/],
    ["add", null, /takes two numbers/],
  ];

  test.each(refused)("refuses %s of %j", (method, args, reason) => {
    expect(calculator.check(method, args)).toMatch(reason);
  });
});

describe("hello", () => {
  test("greets by name, and counts", () => {
    expect(hello.check("hello", { name: "Ana" })).toBeUndefined();
    expect(hello.handle({ greeted: 1 }, "hello", { name: "Ana" })).toEqual({
      state: { greeted: 2 },
      value: "Hello from server, Ana (greeting 2)",
    });
  });

  test("refuses other methods, no name, and names that are too long", () => {
    expect(hello.check("helo", { name: "Ana" })).toMatch(/did you mean hello/);
    for (const args of [{}, { name: "" }, { name: 1 }, null]) {
      expect(hello.check("hello", args)).toMatch(/takes a name/);
    }
    expect(hello.check("hello", { name: "x".repeat(GREETED_NAME_LENGTH_MAX) })).toBeUndefined();
    expect(hello.check("hello", { name: "x".repeat(GREETED_NAME_LENGTH_MAX + 1) })).toMatch(/201 characters/);
  });
});
