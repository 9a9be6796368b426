import { expect, test } from "vitest";
import { inColumns } from "./columns.js";

test("lines stand beside each other, broken at words, and none is lost", () => {
  expect(inColumns(["   1 ms  process 7 asks for numbers", "x"], ["short", "b", "c"], 50)).toEqual([
    "   1 ms  process 7 asks   short",
    "         for numbers      b",
    "x                         c",
  ]);
});

test("a word longer than a line is cut, whatever the width", () => {
  const lines = inColumns(["y".repeat(100)], [], 10);
  expect(lines.join("").replaceAll(" ", "")).toBe("y".repeat(100));
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
});
