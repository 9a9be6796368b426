import { describe, expect, test } from "vitest";
import { atMostOnce, fifoDelivery } from "./delivery.js";
import { DeliveryRun, toldOf } from "./hand-made.test-helper.js";

const once = (run: DeliveryRun) => toldOf(atMostOnce("link"), run.trace());
const inOrder = (run: DeliveryRun) => toldOf(fifoDelivery("link"), run.trace());

describe("at most once", () => {
  test("holds for any order, with gaps", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 3).hands("P2", "P1", 1).hands("P3", "P1", 1);
    expect(once(run.hands("P2", "P3", 1))).toEqual([]);
  });

  test("is violated by the same message handed over again", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 1).hands("P2", "P1", 2).hands("P2", "P1", 1);
    expect(once(run)).toMatchInlineSnapshot(`
      [
        "P2 was handed message 1 of P1 twice: at P2:2 and at P2:4 [P2:4 P2:2]",
      ]
    `);
  });

  test("looks at its own layer only", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 1).hands("P2", "P1", 1, "other");
    expect(once(run)).toEqual([]);
    expect(toldOf(atMostOnce("other"), run.hands("P2", "P1", 1, "other").trace())).toHaveLength(1);
  });
});

describe("in the order sent", () => {
  test("holds for 1, 2, 3 from each sender, however they interleave", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 1).hands("P2", "P3", 1).hands("P3", "P1", 1);
    expect(inOrder(run.hands("P2", "P1", 2).hands("P2", "P3", 2))).toEqual([]);
  });

  test("is violated by a gap, a repeat, an inversion, and a beginning that is not 1", () => {
    const from1 = () => new DeliveryRun("link").hands("P2", "P1", 1);
    expect(inOrder(from1().hands("P2", "P1", 3))).toMatchInlineSnapshot(`
      [
        "P2 was handed message 3 of P1 at P2:3, when message 2 was next [P2:3 P2:2]",
      ]
    `);
    expect(inOrder(from1().hands("P2", "P1", 1))).toHaveLength(1);
    expect(inOrder(from1().hands("P2", "P1", 2).hands("P2", "P1", 1))).toHaveLength(1);
    expect(inOrder(new DeliveryRun("link").hands("P2", "P1", 2))).toMatchInlineSnapshot(`
      [
        "P2 was handed message 2 of P1 at P2:2, when message 1 was next [P2:2]",
      ]
    `);
  });
});

describe("a restart", () => {
  test("of the receiver begins all its counts anew", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 1).crash("P2").restart("P2").hands("P2", "P1", 1);
    expect([...once(run), ...inOrder(run)]).toEqual([]);
    run.hands("P2", "P1", 1);
    expect(once(run)).toHaveLength(1);
  });

  test("of the sender begins its counts anew", () => {
    const run = new DeliveryRun("link");
    run.message("P1", "P2").hands("P2", "P1", 1).crash("P1").restart("P1");
    run.message("P1", "P2").hands("P2", "P1", 1);
    expect([...once(run), ...inOrder(run)]).toEqual([]);
    run.message("P1", "P2").hands("P2", "P1", 1);
    expect(once(run)).toHaveLength(1);
  });

  test("of the sender leaves what its dead incarnation sent in the old count", () => {
    const run = new DeliveryRun("link");
    run.message("P1", "P2").hands("P2", "P1", 1);
    const late = run.send("P1", "P2", "late");
    const again = run.send("P1", "P2", "again");
    run.crash("P1").restart("P1").receive(late).hands("P2", "P1", 2);
    expect([...once(run), ...inOrder(run)]).toEqual([]);
    run.message("P1", "P2").hands("P2", "P1", 1).message("P1", "P2").hands("P2", "P1", 2);
    expect([...once(run), ...inOrder(run)]).toEqual([]);
    run.receive(again).hands("P2", "P1", 2);
    expect(once(run)).toHaveLength(1);
  });

  test.each(["command", "timer"] as const)(
    "of the sender: what is handed over in a step that handles a %s counts for its latest incarnation",
    (kind) => {
      const run = new DeliveryRun("link");
      const late = run.send("P1", "P2", "late");
      run.crash("P1").restart("P1").receive(late).hands("P2", "P1", 1);
      if (kind === "timer") run.timer("P2", "t");
      else run.command("P2", "go");
      expect([...once(run.hands("P2", "P1", 1)), ...inOrder(run)]).toEqual([]);
    },
  );

  test("of a third process changes nothing between the others", () => {
    const run = new DeliveryRun("link").hands("P2", "P1", 1).crash("P3").restart("P3").hands("P2", "P1", 1);
    expect(once(run)).toHaveLength(1);
  });
});
