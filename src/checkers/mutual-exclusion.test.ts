import { describe, expect, test } from "vitest";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";
import { mutualExclusion } from "./mutual-exclusion.js";
import { VIOLATIONS_MAX } from "./violations.js";

const told = (run: MutexRun) => toldOf(mutualExclusion, run.trace());

describe("holds", () => {
  test("when each exit is known at the next entry, directly or through others", () => {
    const run = new MutexRun().tells("P1", "entered", 1).tells("P1", "exited", 1);
    run.message("P1", "P2").tells("P2", "entered", 1).tells("P2", "exited", 1);
    run.message("P2", "P3").message("P3", "P1").tells("P1", "entered", 3);
    expect(told(run)).toEqual([]);
  });

  test("when one process enters again and again", () => {
    const run = new MutexRun();
    for (let i = 1; i <= 3; i++) run.tells("P1", "entered", i).tells("P1", "exited", i);
    expect(told(run)).toEqual([]);
  });

  test("when a process entered after another that crashed inside: a dead process is in nobody's way", () => {
    expect(told(new MutexRun().tells("P1", "entered", 1).crash("P1").tells("P2", "entered", 1))).toEqual([]);
  });
});

describe("is violated", () => {
  test("by an entry while another is inside", () => {
    const run = new MutexRun().tells("P1", "entered", 1).message("P1", "P2").tells("P2", "entered", 1);
    expect(told(run)).toMatchInlineSnapshot(`
      [
        "P2 entered at P2:3 while P1, inside since P1:2, had not left [P2:3 P1:2]",
      ]
    `);
  });

  test("by an entry that does not know of an exit, though the two did not meet in time", () => {
    const run = new MutexRun().at(1).tells("P1", "entered", 1).message("P1", "P2").tells("P1", "exited", 1);
    run.at(900).tells("P2", "entered", 2);
    expect(told(run)).toMatchInlineSnapshot(`
      [
        "P2 entered at P2:3 without knowing that P1 had left: P1 was inside from P1:2 to P1:4, and no message tells of it [P2:3 P1:2]",
      ]
    `);
  });

  test("by an entry that knows of the first stay, but not of the latest", () => {
    const run = new MutexRun().tells("P1", "entered", 1).tells("P1", "exited", 1).message("P1", "P2");
    run.tells("P1", "entered", 2).tells("P1", "exited", 2).tells("P2", "entered", 1);
    expect(told(run)).toHaveLength(1);
  });

  test("by two that are inside at a third one's entry: each is named", () => {
    const run = new MutexRun();
    for (const process of ["P1", "P2", "P3"]) run.tells(process, "entered", 1);
    expect(told(run).map((violation) => /\[.*\]/.exec(violation)?.[0])).toEqual([
      "[P2:2 P1:2]",
      "[P3:2 P1:2]",
      "[P3:2 P2:2]",
    ]);
  });

  test("by an entry that does not know of a stay that ended before a crash", () => {
    const run = new MutexRun().tells("P1", "entered", 1).tells("P1", "exited", 1).crash("P1");
    expect(told(run.tells("P2", "entered", 1))).toHaveLength(1);
    const again = new MutexRun().tells("P1", "entered", 1).tells("P1", "exited", 1).tells("P1", "entered", 2);
    expect(told(again.crash("P1").tells("P2", "entered", 1))).toHaveLength(1);
  });

  test("after a restart like before", () => {
    const run = new MutexRun().crash("P1").restart("P1").tells("P1", "entered", 1);
    expect(told(run.tells("P2", "entered", 1))).toHaveLength(1);
  });
});

test("of a protocol broken all through, the first violations are told", () => {
  const run = new MutexRun();
  for (let i = 1; i <= 30; i++) run.tells("P1", "entered", i).tells("P2", "entered", i);
  expect(told(run)).toHaveLength(VIOLATIONS_MAX);
});

test("outputs that are no mutual exclusion outputs are passed over", () => {
  const run = new MutexRun().tells("P1", "entered", 1);
  for (const value of [null, 1, "entered", [], {}, { kind: "entered" }, { kind: "entered", stamp: 4 }]) {
    run.output("P2", value);
  }
  run
    .output("P2", { kind: "entered", stamp: ["1", "P2"] })
    .output("P2", { kind: "elected", stamp: [1, "P2"] });
  expect(told(run)).toEqual([]);
});
