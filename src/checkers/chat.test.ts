import { describe, expect, test } from "vitest";
import { chatCompetition, chatComplete, chatHonest, chatNoGap, chatOneOrder } from "./chat.js";
import { MutexRun, toldOf, witnessOf } from "./hand-made.test-helper.js";

/** Writes runs of a chat by hand: P1 serves, P2 and P3 talk. */
class ChatRun extends MutexRun {
  says(process: string, seq: number): this {
    return this.output(process, { kind: "posting", author: process, seq, text: `m${seq}` });
  }

  learns(process: string, kind: "posted" | "failed" | "unknown", seq: number): this {
    return this.output(process, { kind, author: process, seq });
  }

  gets(process: string, place: number, author: string, seq: number): this {
    const message = { author, seq, name: author, text: `m${seq}`, at: 0 };
    this.event(process, { kind: "deliver", layer: "chat", from: "P1", sequence: place, message });
    return this;
  }
}

/** P2 says one thing, and both get it. */
const good = (): ChatRun =>
  new ChatRun().says("P2", 1).gets("P2", 1, "P2", 1).learns("P2", "posted", 1).gets("P3", 1, "P2", 1);

test("all hold for a run in which all is well", () => {
  for (const checker of [chatOneOrder, chatNoGap, chatHonest, chatComplete]) {
    expect(toldOf(checker, good().trace())).toEqual([]);
  }
});

describe("one order", () => {
  test("is violated by two messages at one place, and by one message at two", () => {
    const run = good().says("P3", 1).gets("P2", 2, "P3", 1).gets("P3", 2, "P2", 1);
    expect(toldOf(chatOneOrder, run.trace())).toMatchInlineSnapshot(`
      [
        "message 2 is P3#1 "m1" at P2:5 and P2#1 "m1" at P3:4 [P3:4 P2:5]",
        "P2#1 "m1" is message 1 and message 2 as well [P3:4 P2:3]",
      ]
    `);
  });
});

describe("no gap", () => {
  test("is violated by a gap and a repeat, and begins anew with a member that has lost its memory", () => {
    expect(toldOf(chatNoGap, good().gets("P3", 3, "P2", 3).gets("P2", 1, "P2", 1).trace()))
      .toMatchInlineSnapshot(`
      [
        "P3 was handed message 3 at P3:3, when 2 was next [P3:3 P3:2]",
        "P2 was handed message 1 at P2:5, when 2 was next [P2:5 P2:3]",
      ]
    `);
    const restarted = good().crash("P3").restart("P3").gets("P3", 1, "P2", 1);
    expect(toldOf(chatNoGap, restarted.trace())).toEqual([]);
    const server = good().crash("P1").restart("P1").gets("P3", 1, "P2", 1);
    expect(toldOf(chatNoGap, server.trace())).toHaveLength(1);
  });
});

describe("honesty", () => {
  test("is violated by a failed message in the room, an acknowledged one that is not, and a second outcome", () => {
    const run = new ChatRun()
      .says("P2", 1)
      .learns("P2", "failed", 1)
      .gets("P3", 1, "P2", 1)
      .says("P2", 2)
      .learns("P2", "posted", 2)
      .says("P2", 3)
      .learns("P2", "unknown", 3)
      .learns("P2", "posted", 3)
      .gets("P3", 2, "P2", 3)
      .gets("P3", 3, "P3", 9);
    expect(toldOf(chatHonest, run.trace())).toMatchInlineSnapshot(`
      [
        "P2#3 was unknown at P2:7 and posted at P2:8 [P2:8 P2:7]",
        "P3#9 "m9" at P3:4 was posted by nobody [P3:4]",
        "P2#1 failed at P2:3, and yet it is in the room at P3:2 [P2:3 P3:2]",
        "P2#2 was acknowledged at P2:5, and nobody ever gets it [P2:5]",
      ]
    `);
  });

  test("allows an unknown message to be in the room, or not", () => {
    const run = good().says("P2", 2).learns("P2", "unknown", 2).says("P2", 3).learns("P2", "unknown", 3);
    expect(toldOf(chatHonest, run.gets("P2", 2, "P2", 2).gets("P3", 2, "P2", 2).trace())).toEqual([]);
  });
});

describe("completeness", () => {
  test("is violated by a member that lacks messages, and by a post without an outcome", () => {
    const run = good().says("P2", 2).gets("P2", 2, "P2", 2);
    expect(toldOf(chatComplete, run.trace())).toMatchInlineSnapshot(`
      [
        "P3 has 1 of 2 messages, and nothing is left to happen []",
        "its author never learns what became of P2#2, posted at P2:5 [P2:5]",
      ]
    `);
  });

  test("asks nothing of whoever is down, and nothing of anybody without a server", () => {
    expect(toldOf(chatComplete, good().crash("P3").trace())).toEqual([]);
    expect(toldOf(chatComplete, good().says("P2", 2).crash("P1").trace())).toEqual([]);
  });
});

test("two posts met when one came before the other had its outcome", () => {
  expect(witnessOf(chatCompetition, good().says("P3", 1).trace())).toBeUndefined();
  expect(witnessOf(chatCompetition, good().says("P3", 1).says("P2", 2).trace())).toBe("P2:5");
});
