import { expect } from "vitest";

/** Fails unless the text is one XML element with matching tags, quoted attributes and known references only. */
export function expectWellFormed(xml: string): void {
  const open: string[] = [];
  let at = 0;
  let roots = 0;
  const token = /<(\/?)([A-Za-z][\w:-]*)((?:\s+[A-Za-z_:][\w:.-]*="[^"<]*")*)\s*(\/?)>|[^<]+/gy;
  for (let match = token.exec(xml); match !== null; match = token.exec(xml)) {
    const [text, closing, name, attributes, alone] = match;
    at = token.lastIndex;
    expect(
      (name === undefined ? text : (attributes ?? "")).replace(/&(amp|lt|gt|quot|#39);/g, ""),
    ).not.toContain("&");
    if (name === undefined) continue;
    if (closing === "/") expect(open.pop()).toBe(name);
    else if (alone !== "/") open.push(name);
    if (open.length === 0) roots++;
  }
  expect(xml.slice(at, at + 40)).toBe("");
  expect(open).toEqual([]);
  expect(roots).toBe(1);
}
