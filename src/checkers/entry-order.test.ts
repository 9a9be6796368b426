import { expect, test } from "vitest";
import { entryOrder } from "./entry-order.js";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";

const told = (run: MutexRun) => toldOf(entryOrder, run.trace());

test("holds when entries come in the order of stamps, ties by process", () => {
  const run = new MutexRun().tells("P1", "entered", 1).tells("P3", "entered", 1).tells("P2", "entered", 2);
  expect(told(run)).toEqual([]);
});

test("looks at entries, not at requests and exits", () => {
  const run = new MutexRun().tells("P1", "requested", 5).tells("P2", "entered", 1).tells("P1", "exited", 0);
  expect(told(run)).toEqual([]);
});

test("is violated by an entry with a smaller timestamp", () => {
  const run = new MutexRun().tells("P1", "entered", 4).tells("P2", "entered", 3);
  expect(told(run)).toMatchInlineSnapshot(`
    [
      "request (3, P2) entered at P2:2, after (4, P1) at P1:2 [P2:2 P1:2]",
    ]
  `);
});

test("is violated by an entry of an earlier process with the same timestamp, and by the same stamp again", () => {
  expect(told(new MutexRun().tells("P3", "entered", 1).tells("P1", "entered", 1))).toHaveLength(1);
  expect(told(new MutexRun().tells("P1", "entered", 1).tells("P1", "entered", 1))).toHaveLength(1);
});
