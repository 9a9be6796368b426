import { expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { AXES } from "./axis.js";
import { svgDiagram } from "./svg.js";
import { NARRATION, request, TraceBuilder, twoWantIn } from "./trace-builder.test-helper.js";
import { expectWellFormed } from "./well-formed.test-helper.js";

const narration = NARRATION;

test.each(AXES)("%s: a whole picture that stands alone", (axis) => {
  const svg = svgDiagram(twoWantIn(), { axis, narration });
  expectWellFormed(svg);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain("<title>Space-time diagram of hand-made: 3 processes");
  expect(svg).toContain("prefers-color-scheme:dark");
  expect(svg.match(/(?:href|src|url)\s*[=(]|<script|<image|<foreignObject|@import/i)).toBeNull();
  expect(svg).not.toContain("NaN");
});

test("tooltips narrate: every event's sentence is in the picture", () => {
  const svg = svgDiagram(twoWantIn(), { narration });
  expect(svg).toContain("P1 keeps P2 waiting: its own request (1, P1) comes before (1, P2)");
  expect(svg).toContain("P1 → P2: request 1");
});

test("a cone colours past and future and dims what is concurrent", () => {
  const trace = twoWantIn();
  const plain = svgDiagram(trace);
  expect(plain).not.toContain("CAUSAL PAST");
  const entered = trace.events.find(
    (event) => event.kind === "output" && event.process === "P1" && event.at === 7000,
  );
  const lit = svgDiagram(trace, { cone: `P1:${entered?.number}` });
  expectWellFormed(lit);
  expect(lit).toMatch(/CAUSAL PAST · \d+/);
  expect(lit).toMatch(/<g class="dim">/);
  expect(lit).toMatch(/s-past/);
  expect(lit).toMatch(/s-future/);
  expect(() => svgDiagram(trace, { cone: "P1:999" })).toThrow(UsageError);
});

test("faults are drawn: lost, late, second copy, crash, partition", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  run.at(1).fault("partition P1 P2 | P3", "begin");
  run.drop(run.at(2).timer("P1", "t").send("P1", "P3", request(1)), "partition");
  const late = run.at(3).timer("P1", "t").send("P1", "P2", request(2));
  run.event("net", { kind: "hold", from: "P1", send: late.send, to: "P2", by: 9000, reason: "delay" });
  run.at(12).receive(late).receive(late);
  run.at(13).event("P2", { kind: "crash" });
  run.at(14).timer("P1", "t").send("P1", "P2", request(3));
  const svg = svgDiagram(run.trace());
  expectWellFormed(svg);
  for (const words of [
    "red cross: lost",
    "amber dashes: held back",
    "dots: second copy",
    "broken lane: crashed",
  ]) {
    expect(svg).toContain(words);
  }
  expect(svg).toContain("request 1 · lost: the network is split");
  expect(svg).toContain("partition P1 P2 | P3");
});

test("too many events are refused with the way out; a range draws what it holds", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  for (let i = 0; i < 1500; i++) run.receive(run.at(i).send("P1", "P2", request(i)));
  const trace = run.trace();
  expect(() => svgDiagram(trace)).toThrow(
    "the trace has 3000 events; an SVG shows at most 2000: give a range of time that holds fewer",
  );
  const svg = svgDiagram(trace, { range: { from: 10_000, to: 19_000 } });
  expect(svg).toContain("2 processes, 20 events");
  expect(() => svgDiagram(trace, { range: { from: 0, to: 2_000_000 } })).toThrow("the range has 3000 events");
});

test("the legend names every glyph and line that is in the picture, and no other", () => {
  const svg = svgDiagram(twoWantIn(), { narration });
  for (const words of [
    "sends or receives",
    "told to act, or asks",
    "makes somebody wait",
    "enters",
    "leaves",
    "thin bar: waiting",
    "box: inside the critical section",
  ]) {
    expect(svg).toContain(`>${words}</text>`);
  }
  for (const words of ["second copy arrives", "crashes", "evidence", "red cross: lost", "hatched: paused"]) {
    expect(svg).not.toContain(`>${words}</text>`);
  }
});

test("a long quiet run is no wider than a screen or two, and its legend stays inside", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  for (let i = 0; i < 900; i++) run.receive(run.at(i * 7).send("P1", "P2", request(i)));
  const width = (svg: string): number => Number(/^<svg [^>]*width="(\d+)"/.exec(svg)?.[1]);
  expect(width(svgDiagram(run.trace()))).toBe(1800);
  const narrow = svgDiagram(twoWantIn(), { narration, width: 500 });
  expect(width(narrow)).toBe(500);
  const lines = [...narrow.matchAll(/<text x="([\d.]+)" y="([\d.]+)" class="small f-quiet">([^<]*)</g)];
  expect(new Set(lines.map(([, , y]) => y)).size).toBeGreaterThan(1);
  for (const [, x, , words = ""] of lines) expect(Number(x) + words.length * 5).toBeLessThan(500);
});

test("labels keep clear of one another: those of faults that begin together show once", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  run.at(1).fault("partition P1 P2 | P3", "begin");
  run.at(1).fault("one-way P1 -> P2", "begin");
  run.at(20).timer("P1", "t");
  const svg = svgDiagram(run.trace());
  expect(svg.match(/class="small halo f-lost"/g)).toHaveLength(1);
  expect(svg).toContain("<title>one-way P1 -&gt; P2</title>");
});

test("too many lanes are refused, an empty trace is not", () => {
  const names = Array.from({ length: 129 }, (_, i) => `P${i + 1}`);
  expect(() => svgDiagram(new TraceBuilder(names).trace())).toThrow(
    "129 processes; an SVG shows at most 128 lanes",
  );
  expectWellFormed(svgDiagram(new TraceBuilder([]).trace()));
});
