import { describe, expect, test } from "vitest";
import { processNames } from "../../core/index.js";
import {
  checkCompetition,
  entered,
  exited,
  Member,
  requested,
  sent,
  Story,
} from "../../../test/support/mutex.js";
import { roucairolCarvalho, roucairolCarvalhoNarration } from "./roucairol-carvalho.js";

const request = (timestamp: number) => ({ kind: "request" as const, timestamp });
const reply = (of: number, fence = 0) => ({ kind: "reply" as const, of, fence });

/** P2, which begins with P3's permission, inside with timestamp 1. */
function inside() {
  const member = new Member(roucairolCarvalho, "P2");
  member.acquire();
  member.receives("P1", reply(1));
  expect(member.state.status).toBe("inside");
  return member;
}

describe("from the source", () => {
  test("of two processes exactly one begins with the other's permission", () => {
    const processes = processNames(4);
    const permitted = processes.map((self) => new Member(roucairolCarvalho, self, processes).state.permitted);
    expect(permitted).toEqual([["P2", "P3", "P4"], ["P3", "P4"], ["P4"], []]);
  });

  test("a request goes only to those whose permission is missing", () => {
    const member = new Member(roucairolCarvalho, "P2");
    expect(member.acquire()).toEqual([requested([1, "P2"]), sent("P1", request(1))]);
    expect(member.receives("P1", reply(1))).toEqual([entered([1, "P2"], 1)]);
  });

  test("who has everybody's permission enters without a message, again and again", () => {
    const member = new Member(roucairolCarvalho, "P1");
    expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
    expect(member.release()).toEqual([exited([1, "P1"])]);
    expect(member.acquire()).toEqual([requested([2, "P1"]), entered([2, "P1"], 2)]);
  });

  test("a permission given is gone", () => {
    const member = new Member(roucairolCarvalho, "P1");
    expect(member.receives("P3", request(4))).toEqual([sent("P3", reply(4))]);
    expect(member.state.permitted).toEqual(["P2"]);
    expect(member.acquire()).toEqual([requested([5, "P1"]), sent("P3", request(5))]);
  });

  test("a process inside, or waiting with an earlier request, defers", () => {
    const busy = inside();
    expect(busy.receives("P3", request(1))).toEqual([]);
    expect(busy.release()).toEqual([exited([1, "P2"]), sent("P3", reply(1, 1))]);
    expect(busy.state).toMatchObject({ permitted: ["P1"], deferred: [], status: "idle" });
    const waiting = new Member(roucairolCarvalho, "P2");
    waiting.acquire();
    expect(waiting.receives("P3", request(1))).toEqual([]);
    expect(waiting.rules).toEqual(["rc.defer.earlier"]);
  });

  test("who waits and gives its permission to an earlier request asks for the other's, with the same timestamp", () => {
    const member = new Member(roucairolCarvalho, "P2");
    member.receives("P1", request(6));
    member.acquire();
    expect(member.receives("P3", request(2))).toEqual([sent("P3", reply(2)), sent("P3", request(7))]);
    expect(member.state.permitted).toEqual([]);
  });

  test("who waits for the other's permission anyway does not ask for it twice", () => {
    const member = new Member(roucairolCarvalho, "P3");
    member.receives("P1", request(6));
    member.acquire();
    expect(member.receives("P2", request(2))).toEqual([sent("P2", reply(2))]);
  });
});

test("a reply to another request than the own changes nothing", () => {
  const member = new Member(roucairolCarvalho, "P2");
  member.acquire();
  const before = member.state;
  expect(member.receives("P1", reply(2))).toEqual([]);
  expect(member.state).toBe(before);
});

test("after a restart it has nobody's permission, and its timestamps go on", () => {
  const member = inside();
  member.restarts();
  expect(member.state).toMatchObject({ status: "idle", permitted: [] });
  expect(member.acquire()).toContainEqual(sent("P3", request(2)));
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = new Member(roucairolCarvalho, "P2");
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.state).toBe(before);
});

test.each([2, 3, 8, 16])(
  "%d processes: the first entry of Pk costs 2(k-1) messages, the next ones none",
  (n) => {
    const story = new Story(roucairolCarvalho, n);
    const last = `P${n}`;
    for (let i = 0; i < 3; i++) {
      story.after("acquire", last);
      story.after("release", last);
    }
    expect(story.messages).toBe(2 * (n - 1));
  },
);

test("over links that reorder one at a time is inside, and all get in", () => {
  checkCompetition(roucairolCarvalho, {
    statusOf: (state) => state.status,
    duplicateMax: 0,
    narration: roucairolCarvalhoNarration,
    count: (packets, entries, n) => {
      expect(packets.length).toBeLessThanOrEqual(entries * 2 * (n - 1));
      expect(packets.length % 2).toBe(0);
    },
  });
});
