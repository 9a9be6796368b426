import { expect, test } from "vitest";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";
import { messagesPerEntry } from "./message-count.js";

const checker = messagesPerEntry("2(n-1)", (processes) => 2 * (processes - 1));

/** One entry of P1 that costs `messages`. */
function entry(messages: number, run = new MutexRun()): MutexRun {
  for (let i = 0; i < messages; i++) run.send("P1", "P2", { kind: "request", timestamp: 1 });
  return run.tells("P1", "entered", 1);
}

test("holds at exactly the formula: 4 messages for an entry of 3 processes", () => {
  expect(toldOf(checker, entry(4).trace())).toEqual([]);
  expect(toldOf(checker, entry(4, entry(4)).trace())).toEqual([]);
  expect(toldOf(checker, new MutexRun().trace())).toEqual([]);
});

test("is violated by one more and by one fewer", () => {
  expect(toldOf(checker, entry(5).trace())).toMatchInlineSnapshot(`
    [
      "5 messages for 1 entry of 3 processes; 2(n-1) makes 4 []",
    ]
  `);
  expect(toldOf(checker, entry(3).trace())).toHaveLength(1);
  expect(toldOf(checker, entry(0).trace())).toHaveLength(1);
});

test("counts what a link carries, and not the link's own upkeep", () => {
  const run = new MutexRun();
  for (let i = 0; i < 4; i++) run.send("P1", "P2", { kind: "data", toEpoch: 0, seq: i, body: {} });
  for (const kind of ["ack", "nack", "heartbeat"]) run.send("P2", "P1", { kind, toEpoch: 0 });
  expect(toldOf(checker, run.tells("P1", "entered", 1).trace())).toEqual([]);
});

test("counts an algorithm's own acknowledgements", () => {
  const run = new MutexRun();
  for (let i = 0; i < 4; i++) run.send("P1", "P2", { kind: "ack" });
  expect(toldOf(checker, run.tells("P1", "entered", 1).trace())).toEqual([]);
});

test("says nothing of a run with faults, or of one that was cut short", () => {
  expect(toldOf(checker, entry(9, new MutexRun({ faults: "loss 10%" })).trace())).toEqual([]);
  expect(toldOf(checker, entry(9).trace("time-limit"))).toEqual([]);
  const lost = entry(8);
  lost.drop({ from: "P1", send: 2, to: "P2" }, "disconnected");
  expect(toldOf(checker, lost.trace())).toEqual([]);
  expect(toldOf(checker, entry(9).crash("P3").trace())).toEqual([]);
});

test("of a range, all entries together stay within it", () => {
  const range = messagesPerEntry("2..4", () => ({ min: 2, max: 4 }));
  const told = (...messages: readonly number[]) => {
    const run = new MutexRun();
    for (const count of messages) entry(count, run);
    return toldOf(range, run.trace());
  };
  expect(told(2, 4)).toEqual([]);
  expect(told(1, 3)).toEqual([]);
  expect(told(1, 2)).toMatchInlineSnapshot(`
    [
      "3 messages for 2 entries of 3 processes; 2..4 makes 4 to 8 []",
    ]
  `);
  expect(told(5, 4)).toHaveLength(1);
});

test("entries that a rule makes free cost nothing, and only those", () => {
  const free = messagesPerEntry("3 or 0", () => 3, { freeBy: "kept" });
  const run = entry(3).explain("P1", "kept").tells("P1", "entered", 2);
  expect(toldOf(free, run.trace())).toEqual([]);
  run.explain("P1", "other").tells("P1", "entered", 3);
  expect(toldOf(free, run.trace())).toMatchInlineSnapshot(`
    [
      "3 messages for 3 entries of 3 processes, 1 of them free; 3 or 0 makes 6 []",
    ]
  `);
});

test("says nothing of a run in which the algorithm had something to repair", () => {
  const usual = messagesPerEntry("3", () => 3, { unless: ["enquiry"] });
  const disturbed = entry(5);
  disturbed.send("P1", "P2", { kind: "data", toEpoch: 0, body: { kind: "enquiry" } });
  expect(toldOf(usual, disturbed.trace())).toEqual([]);
  expect(toldOf(usual, entry(5).trace())).toHaveLength(1);
});
