import fc from "fast-check";
import { expect, test } from "vitest";
import { fitText, textWidth, wrapText } from "./cells.js";
import { Line, plainStyle } from "./text-line.js";

test("wide characters take two columns, combining marks none", () => {
  expect(textWidth("abc")).toBe(3);
  expect(textWidth("日本")).toBe(4);
  expect(textWidth("e\u0301")).toBe(1);
  expect(textWidth("😀")).toBe(2);
});

test("wrapping and fitting keep to their columns and lose nothing but blanks", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", " ", "日", "é") }),
      fc.integer({ min: 2, max: 20 }),
      (text, columns) => {
        const lines = wrapText(text, columns);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
        expect(textWidth(fitText(text, columns))).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test("a line is written in any order and keeps its columns", () => {
  const line = new Line()
    .put(6, "日x", "note")
    .put(0, "ab", "time")
    .put(3, "│", "lane", 0)
    .put(-1, "zc", "time");
  expect(line.render(plainStyle)).toBe("cb │  日x");
  const marked = new Line().put(2, "x", "note", 1).render((text, kind, lane) => `<${kind}${lane}:${text}>`);
  expect(marked).toBe("  <note1:x>");
});
