import { expect, test } from "vitest";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";
import { receiveHasSend } from "./receive-has-send.js";

const told = (run: MutexRun) => toldOf(receiveHasSend, run.trace());

test("holds when everything received was sent, in whatever order it arrives, or never does", () => {
  const run = new MutexRun();
  const [first, second] = [run.send("P1", "P2", 1), run.send("P1", "P2", 2)];
  run.send("P1", "P3", "under way for ever");
  expect(told(run.receive(second).receive(first).message("P3", "P3"))).toEqual([]);
});

test("allows as many arrivals as the network made copies", () => {
  const run = new MutexRun();
  const sent = run.send("P1", "P2", 1);
  run.event("P1", { kind: "duplicate", ...sent, copies: 3 });
  run.receive(sent).receive(sent).receive(sent);
  expect(told(run)).toEqual([]);
  expect(told(run.receive(sent))).toMatchInlineSnapshot(`
    [
      "P2 received P1:2 at P2:5, which was never sent, or arrived more often than it was sent [P2:5 P1:2]",
    ]
  `);
});

test("is violated by an arrival of what was never sent", () => {
  expect(told(new MutexRun().receive({ from: "P1", send: 7, to: "P2" }))).toMatchInlineSnapshot(`
    [
      "P2 received P1:7 at P2:2, which was never sent, or arrived more often than it was sent [P2:2 P1:7]",
    ]
  `);
});

test("is violated by an arrival before its send", () => {
  const run = new MutexRun().receive({ from: "P1", send: 2, to: "P2" });
  run.send("P1", "P2", 1);
  expect(told(run)).toHaveLength(1);
});

test("is violated by an arrival at somebody else", () => {
  const run = new MutexRun();
  expect(told(run.receive({ ...run.send("P1", "P2", 1), to: "P3" }))).toMatchInlineSnapshot(`
    [
      "P3 received P1:2 at P3:2, which was sent to P2 [P3:2 P1:2]",
    ]
  `);
});

test("is violated by a second arrival that no fault explains", () => {
  const run = new MutexRun();
  const sent = run.send("P1", "P2", 1);
  expect(told(run.receive(sent).receive(sent))).toHaveLength(1);
});
