import { expect, test } from "vitest";
import { TraceBuilder } from "../diagram/trace-builder.test-helper.js";
import { toldOf } from "./hand-made.test-helper.js";
import { streamsComplete } from "./streams-complete.js";

/** Writes runs by hand: P2 draws 5 numbers from 1 to 6, two at a time. */
class StreamRun extends TraceBuilder {
  #calls = 0;

  constructor() {
    super(["P1", "P2"]);
    for (const process of ["P1", "P2"]) this.event(process, { kind: "start", incarnation: 0 });
  }

  part(from: number, items: readonly unknown[], count = 5): this {
    const id = `P2#${++this.#calls}`;
    const args = { count: 5, max: 6, seed: 1, from, most: 2 };
    this.output("P2", { kind: "invoked", id, method: "draw", args, deadline: 10_000 });
    const value = { from, items, count };
    return this.output("P2", { kind: "completed", id, outcome: { kind: "ok", value } });
  }

  unknownPart(from: number): this {
    const id = `P2#${++this.#calls}`;
    const args = { count: 5, max: 6, seed: 1, from, most: 2 };
    this.output("P2", { kind: "invoked", id, method: "draw", args, deadline: 10_000 });
    return this.output("P2", { kind: "completed", id, outcome: { kind: "unknown", reason: "why" } });
  }
}

const told = (run: StreamRun): string[] => toldOf(streamsComplete, run.trace());

test("a stream that is whole breaks no rule; nor does a part that was asked for again, or a stream given up", () => {
  expect(told(new StreamRun().part(0, [1, 2]).part(2, [3, 4]).part(4, [5]))).toEqual([]);
  expect(told(new StreamRun().part(0, [1, 2]).unknownPart(2).part(2, [3, 4]).part(4, [5]))).toEqual([]);
  expect(told(new StreamRun().part(0, [1, 2]).unknownPart(2))).toEqual([]);
});

test.each([
  ["a gap", new StreamRun().part(0, [1, 2]).part(3, [4, 5]), /items from 3 on, with 2 delivered/],
  ["a repeat", new StreamRun().part(0, [1, 2]).part(0, [1, 2]), /items from 0 on, with 2 delivered/],
  ["too much", new StreamRun().part(0, [1, 2, 3]), /3 items, having asked for 2 at most/],
  ["nothing", new StreamRun().part(0, []), /0 items/],
  ["a number out of range", new StreamRun().part(0, [1, 7]), /7, which is not a number from 1 to 6/],
  ["something else", new StreamRun().part(0, [1, "2"]), /"2", which is not a number/],
  ["more than there is", new StreamRun().part(0, [1, 2], 1), /more items than the 1 there are/],
])("%s is told", (_what, run, message) => {
  expect(told(run)[0]).toMatch(message);
});

test("a stream that stops in the middle is told when nothing is left to happen", () => {
  expect(told(new StreamRun().part(0, [1, 2]))).toEqual([
    "P2 has 2 of 5 items of the stream of P2:2, and nothing is left to happen [P2:2]",
  ]);
});
