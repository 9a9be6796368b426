import fc from "fast-check";
import { expect, test } from "vitest";
import type { Trace } from "../trace/index.js";
import { legend } from "./legend.js";
import { svgDiagram } from "./svg.js";
import { textDiagram } from "./text.js";
import { TraceBuilder } from "./trace-builder.test-helper.js";
import { expectWellFormed } from "./well-formed.test-helper.js";

const HOSTILE = [
  "\x1b[2J\x1b]0;owned\x07",
  "a\r\nb\tc\b",
  "\x9b31m",
  "\u202eexe.txt\u2066",
  "</title><script>alert(1)</script>",
  `"'&<>]]>`,
  "<!--",
  "\ud800 \uffff \0",
  "🎉".repeat(50),
  "{own}$&$1",
  "__proto__",
];

function everywhere(text: string): Trace {
  const run = new TraceBuilder(["P1", text], { lab: text, faults: text });
  run.at(1).command("P1", { kind: text, [text]: text });
  run
    .output("P1", { kind: text })
    .output("P1", text)
    .explain("P1", text, { [text]: text, own: [text] });
  run.explain("P1", "known", { own: text });
  run.event("P1", { kind: "deliver", layer: "causal-broadcast", from: text, sequence: 1, message: text });
  const sent = run.send("P1", text, { kind: text, payload: text });
  const lost = run.send("P1", text, text);
  run.drop(lost, "crashed");
  run.at(2).receive(sent).timer(text, text);
  run.event(text, { kind: "crash" });
  run.fault(text, "begin").fault(`partition ${text} | P1`, "begin");
  run.event("net", { kind: "pause", target: text });
  const { header, events } = run.trace();
  return { header, events, end: { stopped: "failed", detail: text } };
}

// oxlint-disable-next-line no-control-regex -- what must not reach a terminal
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const options = { narration: { known: "says {own}" } };

test.each(HOSTILE)("%j reaches no terminal unescaped, in whatever field", (text) => {
  const trace = everywhere(text);
  const all = trace.events.map((event) => `${event.process}:${event.number}`);
  for (const columns of [40, 80, 200]) {
    for (const ascii of [false, true]) {
      const shown = textDiagram(trace, { ...options, columns, ascii, highlight: all });
      expect(shown).not.toMatch(UNSAFE);
      expect(legend(trace, { ...options, columns, ascii })).not.toMatch(UNSAFE);
    }
  }
});

test.each(HOSTILE)("%j leaves an SVG well-formed and without script", (text) => {
  const svg = svgDiagram(everywhere(text), options);
  expectWellFormed(svg);
  expect(svg).not.toMatch(/<script|href|url\(|\bon\w+="/i);
  expect(svg).not.toMatch(UNSAFE);
});

test("no text at all breaks either diagram", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const trace = everywhere(text === "P1" || text === "net" ? "P2" : text);
      expect(textDiagram(trace, options)).not.toMatch(UNSAFE);
      expectWellFormed(svgDiagram(trace, options));
    }),
    { numRuns: 60 },
  );
});
