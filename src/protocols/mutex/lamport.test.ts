import { describe, expect, test } from "vitest";
import {
  checkCompetition,
  entered,
  exited,
  Member,
  requested,
  sent,
  Story,
} from "../../../test/support/mutex.js";
import { fifo, fifoNarration } from "../links/index.js";
import { lamport, lamportNarration } from "./lamport.js";

const message = (kind: "request" | "acknowledge" | "release", timestamp: number) => ({ kind, timestamp });

/** P2 inside with timestamp 1. */
function inside() {
  const member = new Member(lamport, "P2");
  member.acquire();
  member.receives("P1", message("acknowledge", 3));
  member.receives("P3", message("acknowledge", 3));
  expect(member.state.status).toBe("inside");
  return member;
}

describe("from the source", () => {
  test("rule 1: a request goes to everybody else and into the own queue", () => {
    const member = new Member(lamport, "P2");
    expect(member.acquire()).toEqual([
      requested([1, "P2"]),
      sent("P1", message("request", 1)),
      sent("P3", message("request", 1)),
    ]);
    expect(member.state).toMatchObject({ status: "waiting", queue: [[1, "P2"]] });
  });

  test("rule 2: a request is queued and acknowledged with a later timestamp, whatever the process does", () => {
    const idle = new Member(lamport, "P2");
    expect(idle.receives("P1", message("request", 7))).toEqual([sent("P1", message("acknowledge", 9))]);
    expect(idle.state.queue).toEqual([[7, "P1"]]);
    const busy = inside();
    expect(busy.receives("P3", message("request", 2))).toEqual([sent("P3", message("acknowledge", 7))]);
    expect(busy.state.status).toBe("inside");
  });

  test("rule 3: the own request leaves every queue at the exit", () => {
    const member = inside();
    member.receives("P3", message("request", 4));
    expect(member.release()).toEqual([
      exited([1, "P2"]),
      sent("P1", message("release", 8)),
      sent("P3", message("release", 8)),
    ]);
    expect(member.state.queue).toEqual([[4, "P3"]]);
  });

  test("rule 4: a release takes the sender's request out of the queue", () => {
    const member = new Member(lamport, "P2");
    member.receives("P1", message("request", 1));
    member.receives("P3", message("request", 1));
    member.receives("P1", message("release", 5));
    expect(member.state.queue).toEqual([[1, "P3"]]);
  });

  test("rule 5: it enters when its request is first and everybody has sent something later", () => {
    const member = new Member(lamport, "P2");
    member.acquire();
    expect(member.receives("P1", message("acknowledge", 3))).toEqual([]);
    // A request with a later stamp says as much as an acknowledgement.
    expect(member.receives("P3", message("request", 1))).toEqual([
      sent("P3", message("acknowledge", 6)),
      entered([1, "P2"], 4),
    ]);
  });

  test("rule 5: an earlier request goes first, however much was heard", () => {
    const member = new Member(lamport, "P2");
    member.acquire();
    member.receives("P1", message("request", 1));
    member.receives("P1", message("acknowledge", 4));
    expect(member.receives("P3", message("acknowledge", 3))).toEqual([]);
    expect(member.rules).toEqual(["lamport.wait"]);
    expect(member.receives("P1", message("release", 9))).toEqual([entered([1, "P2"])]);
  });

  test("the example: P1 and P2 ask with timestamp 1; P1 first, then P2; 12 messages", () => {
    const story = new Story(fifo(lamport), 3);
    expect(story.after("acquire", "P1", "P2")).toEqual(["P1 requested", "P2 requested", "P1 entered"]);
    expect(story.after("release", "P1")).toEqual(["P1 exited", "P2 entered"]);
    expect(story.after("release", "P2")).toEqual(["P2 exited"]);
    expect(story.messages).toBe(12);
  });
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = new Member(lamport, "P2");
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.rules).toEqual(["mutex.already"]);
  expect(member.state).toBe(before);
});

test("alone, a process enters at once", () => {
  const member = new Member(lamport, "P1", ["P1"]);
  expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
});

test.each([2, 3, 8, 16])("%d processes need 3(n-1) messages per entry", (n) => {
  const story = new Story(fifo(lamport), n);
  story.after("acquire", "P2");
  story.after("release", "P2");
  expect(story.messages).toBe(3 * (n - 1));
});

test("over FIFO links one at a time is inside, and all get in", () => {
  checkCompetition(fifo(lamport), {
    statusOf: (state) => state.inner.status,
    narration: { ...fifoNarration, ...lamportNarration },
    count: (packets, entries, n) => expect(packets).toHaveLength(entries * 3 * (n - 1)),
  });
});
