import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePythonFloat, pythonFloat } from "./python-float.js";

const python = spawnSync("python3", ["--version"]).status === 0;

/** Every bit pattern of a double is as likely as any other: exponents, subnormals, infinities and NaN. */
const anyDouble = fc
  .tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff))
  .map(([low, high]) => new Float64Array(Uint32Array.of(low, high).buffer)[0] ?? 0);
const someDouble = fc.oneof(
  anyDouble,
  fc.integer().map((n) => n / 100),
  fc.maxSafeInteger(),
  fc.double(),
);

test.each([
  [50, "50.0"],
  [0.1, "0.1"],
  [-0, "-0.0"],
  [1e22, "1e+22"],
  [1e16, "1e+16"],
  [9999999999999998, "9999999999999998.0"],
  [123456789.125, "123456789.125"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [1.5e-7, "1.5e-07"],
  [5e-324, "5e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [-Infinity, "-inf"],
  [NaN, "nan"],
])("%d is printed as %s", (value, text) => expect(pythonFloat(value)).toBe(text));

test("what is printed reads back as the same number", () => {
  fc.assert(
    fc.property(someDouble, (value) => {
      expect(parsePythonFloat(pythonFloat(value))).toBe(value);
    }),
    { numRuns: 2_000 },
  );
});

test.runIf(python)("python3 prints the same (skipped where there is no python3)", () => {
  const values = fc.sample(someDouble, 5_000);
  const numbers = Buffer.from(new Float64Array(values).buffer).toString("hex");
  const program =
    "import struct,sys\nb=bytes.fromhex(sys.stdin.read())\nfor (v,) in struct.iter_unpack('<d',b): print(v)";
  const printed = spawnSync("python3", ["-c", program], { input: numbers, encoding: "utf8" }).stdout;
  expect(values.map(pythonFloat)).toEqual(printed.trimEnd().split("\n"));
});

test.each(["5", "-2.5e3", "+1.", ".5", "1_000.5", "inf", "-Infinity", "NaN", "1E5"])(
  "%s is a number to Python",
  (word) => expect(parsePythonFloat(word)).toBeDefined(),
);

test.each(["", "five", "0x10", "1__0", "_1", "1_", "1e", ".", "--1", "1,5", "5\0", "in"])(
  "%j is none",
  (word) => expect(parsePythonFloat(word)).toBeUndefined(),
);
