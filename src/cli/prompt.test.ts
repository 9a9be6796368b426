import { expect, test } from "vitest";
import { readLine } from "./prompt.js";

const methods = ["add", "subtract", "multiply", "divide", "power", "root"];

test.each([
  ["5 * 10", ["multiply", "5", "10"]],
  ["5*10", ["multiply", "5", "10"]],
  ["2**3", ["power", "2", "3"]],
  ["1e3 / -2", ["divide", "1e3", "-2"]],
  ["1e-3-2", ["subtract", "1e-3", "2"]],
  ["-3--4", ["subtract", "-3", "-4"]],
  ["3-4", ["subtract", "3", "4"]],
  ["five * ten", ["multiply", "five", "ten"]],
  [" add  5 10 ", ["add", "5", "10"]],
  ["root 9 2", ["root", "9", "2"]],
  ["__proto__ constructor x", ["__proto__", "constructor", "x"]],
  ["5 constructor 6", ["5", "constructor", "6"]],
  ["", []],
])("%j is read as %j", (line, words) => expect(readLine(line, methods)).toEqual(words));

test("without such a method an operator is a word like others", () => {
  expect(readLine("5 * 10", ["hello"])).toEqual(["5", "*", "10"]);
});
