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
import { tokenRing, tokenRingNarration, type RingToken } from "./token-ring.js";

const token = (fields: Partial<RingToken> = {}) => ({
  kind: "token" as const,
  token: { epoch: 0, passes: 1, entries: 0, unused: 0, ...fields },
});
const wake = (origin: string) => ({ kind: "wake" as const, origin });

describe("from the source", () => {
  test("the token goes to the next on the ring, and from the last to the first", () => {
    const member = new Member(tokenRing(), "P3");
    member.acquire();
    expect(member.receives("P2", token())).toEqual([entered([1, "P3"], 1)]);
    expect(member.release()).toEqual([exited([1, "P3"]), sent("P1", token({ passes: 2, entries: 1 }))]);
  });

  test("who does not need it passes it on", () => {
    const member = new Member(tokenRing(), "P2");
    expect(member.receives("P1", token())).toEqual([sent("P3", token({ passes: 2, unused: 1 }))]);
  });

  test("all of n processes that wait are served in one round, with a token message each", () => {
    const story = new Story(tokenRing(), 4);
    story.after("acquire", "P1", "P2", "P3", "P4");
    const before = story.messages;
    for (const process of ["P1", "P2", "P3"]) story.after("release", process);
    expect(story.messages - before).toBe(3);
  });
});

describe("a token that nobody needs", () => {
  test("rests after a whole round", () => {
    const member = new Member(tokenRing(), "P2");
    expect(member.receives("P1", token({ unused: 3 }))).toEqual([]);
    expect(member.rules).toEqual(["ring.rest"]);
  });

  test("is woken by a question, which goes round until it meets it", () => {
    const between = new Member(tokenRing(), "P2");
    expect(between.receives("P1", wake("P3"))).toEqual([sent("P3", wake("P3"))]);
    const holder = new Member(tokenRing(), "P1");
    expect(holder.receives("P3", wake("P3"))).toEqual([sent("P2", token())]);
  });

  test("does not rest where a question has passed that it has not overtaken yet", () => {
    const member = new Member(tokenRing(), "P2");
    member.receives("P1", wake("P3"));
    expect(member.receives("P1", token({ unused: 3 }))).toEqual([
      sent("P3", token({ passes: 2, unused: 1 })),
    ]);
  });

  test("needs no second question where somebody waits already", () => {
    const member = new Member(tokenRing(), "P2");
    member.acquire();
    expect(member.receives("P1", wake("P3"))).toEqual([]);
    expect(member.receives("P1", wake("P2"))).toEqual([]);
    expect(member.rules).toEqual(["ring.round"]);
  });

  test("lets its holder in at once", () => {
    const member = new Member(tokenRing(), "P1");
    expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
  });
});

describe("a lost token", () => {
  test("is made anew when everybody has said that it is not there", () => {
    const member = new Member(tokenRing({ patience: 100 }), "P2");
    member.acquire();
    expect(member.fires("patience")).toHaveLength(2);
    member.receives("P1", { kind: "absent", epoch: 4, note: null });
    expect(member.receives("P3", { kind: "absent", epoch: 4, note: null })).toEqual([
      entered([1, "P2"], 4 * 2 ** 32 + 1),
    ]);
  });

  test("is refused when it turns up after all, also by a new incarnation", () => {
    const member = new Member(tokenRing(), "P3");
    member.receives("P2", { kind: "enquiry", epoch: 4, note: null });
    expect(member.receives("P2", token())).toEqual([]);
    expect(member.rules).toEqual(["token.refuse.old"]);
    member.restarts();
    expect(member.receives("P2", token())).toEqual([]);
    expect(member.receives("P2", token({ epoch: 4 }))).toHaveLength(1);
    expect(member.receives("P2", token({ epoch: 4 }))).toEqual([]);
    expect(member.rules).toEqual(["token.refuse.again"]);
  });

  test("that only rests goes round in the new epoch", () => {
    const member = new Member(tokenRing(), "P1");
    expect(member.receives("P3", { kind: "enquiry", epoch: 5, note: null })).toEqual([
      sent("P3", { kind: "present", epoch: 5 }),
      sent("P2", token({ epoch: 5 })),
    ]);
  });
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = new Member(tokenRing(), "P2");
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.state).toBe(before);
});

test("alone, a process enters again and again", () => {
  const member = new Member(tokenRing(), "P1", ["P1"]);
  member.acquire();
  expect(member.release()).toEqual([exited([1, "P1"])]);
  expect(member.acquire()).toEqual([requested([2, "P1"]), entered([2, "P1"], 2)]);
});

test("whatever the network reorders and repeats, one at a time is inside, and all get in", () => {
  checkCompetition(tokenRing(), {
    statusOf: (state) => state.status,
    narration: tokenRingNarration,
    count: (packets, entries, n) => expect(packets.length).toBeLessThanOrEqual(entries * 4 * n),
  });
});

test("impatience slows nobody for ever, and never makes two tokens", () => {
  checkCompetition(tokenRing({ patience: 1_000 }), {
    statusOf: (state) => state.status,
    narration: tokenRingNarration,
  });
});
