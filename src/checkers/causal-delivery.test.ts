import { describe, expect, test } from "vitest";
import { allDelivered, causalDelivery } from "./causal-delivery.js";
import { DeliveryRun, toldOf } from "./hand-made.test-helper.js";

const run = () => new DeliveryRun("board");
const causal = (made: DeliveryRun) => toldOf(causalDelivery("board"), made.trace());
const all = (made: DeliveryRun) => toldOf(allDelivered("board"), made.trace());

/** P1 asks; P2 reads the question and answers. */
const question = () => run().hands("P1", "P1", 1).hands("P2", "P1", 1).hands("P2", "P2", 1);

describe("causal delivery", () => {
  test("holds when the answer comes after its question", () => {
    expect(causal(question().hands("P3", "P1", 1).hands("P3", "P2", 1).hands("P1", "P2", 1))).toEqual([]);
  });

  test("lets concurrent broadcasts come in any order", () => {
    const made = run().hands("P1", "P1", 1).hands("P2", "P2", 1);
    expect(
      causal(made.hands("P3", "P2", 1).hands("P3", "P1", 1).hands("P1", "P2", 1).hands("P2", "P1", 1)),
    ).toEqual([]);
  });

  test("is violated by an answer before its question", () => {
    expect(causal(question().hands("P3", "P2", 1))).toMatchInlineSnapshot(`
      [
        "P3 was handed P2#1 at P3:2 before P1#1, which P2 had seen when it wrote it [P3:2 P2:3 P1:2]",
      ]
    `);
  });

  test("is violated along a chain: what the question's reader had read counts too", () => {
    const made = question().hands("P3", "P2", 1);
    // P3 wrote after it was handed P2#1, which follows P1#1, though P3 never was handed P1#1.
    made.hands("P3", "P3", 1).hands("P1", "P3", 1);
    expect(causal(made).at(-1)).toMatchInlineSnapshot(
      `"P1 was handed P3#1 at P1:3 before P2#1, which P3 had seen when it wrote it [P1:3 P3:3 P2:3]"`,
    );
  });

  test("is violated by a sender's second broadcast before its first", () => {
    const made = run().hands("P1", "P1", 1).hands("P1", "P1", 2).hands("P2", "P1", 2);
    expect(causal(made)).toHaveLength(1);
    expect(causal(made.hands("P2", "P1", 1))).toHaveLength(1);
  });

  test("is violated by a broadcast that nobody made", () => {
    expect(causal(run().hands("P2", "P1", 1))).toMatchInlineSnapshot(`
      [
        "P2 was handed P1#1 at P2:2, which P1 never broadcast [P2:2]",
      ]
    `);
  });

  test("looks at its own layer only", () => {
    expect(causal(question().hands("P3", "P2", 1, "link"))).toEqual([]);
  });
});

describe("all delivered", () => {
  test("holds when everybody, the writer too, has everything", () => {
    expect(all(question().hands("P3", "P2", 1).hands("P3", "P1", 1).hands("P1", "P2", 1))).toEqual([]);
  });

  test("is violated by who is without a broadcast at the end", () => {
    expect(all(question())).toMatchInlineSnapshot(`
      [
        "P3 never got P1#1, broadcast at P1:2, and nothing is left to happen [P1:2]",
        "P1 and P3 never got P2#1, broadcast at P2:3, and nothing is left to happen [P2:3]",
      ]
    `);
  });

  test("is violated by a writer that never got its own", () => {
    expect(all(run().hands("P2", "P1", 1).hands("P3", "P1", 1))).toHaveLength(1);
  });

  test("asks nothing of who crashed, and nothing for what a crashed process wrote", () => {
    expect(all(run().hands("P1", "P1", 1).hands("P2", "P1", 1).crash("P3"))).toEqual([]);
    expect(all(run().hands("P1", "P1", 1).hands("P2", "P1", 1).crash("P1"))).toEqual([]);
  });

  test("says nothing of a run that was cut short", () => {
    expect(toldOf(allDelivered("board"), question().trace("time-limit"))).toEqual([]);
  });
});
