import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeText } from "./escape.js";

test("shows terminal controls instead of obeying them", () => {
  expect(escapeText("\x1b[2J\x07")).toBe("\\x1b[2J\\x07");
  expect(escapeText("a\tb\r\nc\x7f")).toBe("a\\x09b\\x0d\\x0ac\\x7f");
  expect(escapeText("\x9b31m\x85")).toBe("\\x9b31m\\x85");
});

test("shows what reorders or hides text", () => {
  expect(escapeText("user\u202egnp.exe")).toBe("user\\u202egnp.exe");
  expect(escapeText("\u2066x\u2069 \u200e\u200f\u061c")).toBe("\\u2066x\\u2069 \\u200e\\u200f\\u061c");
  expect(escapeText("a\u200bb\ufeffc\u2028d\u2029")).toBe("a\\u200bb\\ufeffc\\u2028d\\u2029");
  expect(escapeText("\u{e0041}")).toBe("\\u{e0041}");
});

test("shows what no encoder or XML parser accepts", () => {
  expect(escapeText("\ud800x\udc00")).toBe("\\ud800x\\udc00");
  expect(escapeText("\uffff")).toBe("\\uffff");
});

test("leaves every script and picture as it is", () => {
  const text = "P2 sends ┃ naïve Ελλάδα 日本語 مرحبا 😀 \\x1b";
  expect(escapeText(text)).toBe(text);
});

test("escaping twice changes nothing more, and nothing unsafe survives once", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const once = escapeText(text);
      expect(escapeText(once)).toBe(once);
      // oxlint-disable-next-line no-control-regex -- these are what must not be left
      expect(once).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});
