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
import { coordinator, coordinatorNarration } from "./coordinator.js";

const request = (number: number) => ({ kind: "request" as const, number });
const grant = (number: number, fence: number) => ({ kind: "grant" as const, number, fence });
const release = (number: number) => ({ kind: "release" as const, number });

/** The coordinator, P1, with P2 inside and P3 waiting. */
function busy() {
  const member = new Member(coordinator, "P1");
  expect(member.receives("P2", request(1))).toEqual([sent("P2", grant(1, 1))]);
  expect(member.receives("P3", request(1))).toEqual([]);
  return member;
}

describe("from the source", () => {
  test("a process asks the coordinator, enters when granted, and tells it when it leaves", () => {
    const member = new Member(coordinator, "P2");
    expect(member.acquire()).toEqual([requested([1, "P2"]), sent("P1", request(1))]);
    expect(member.receives("P1", grant(1, 7))).toEqual([entered([1, "P2"], 7)]);
    expect(member.release()).toEqual([exited([1, "P2"]), sent("P1", release(1))]);
  });

  test("the coordinator grants one at a time, in order of arrival", () => {
    const member = busy();
    expect(member.receives("P2", release(1))).toEqual([sent("P3", grant(1, 2))]);
    expect(member.receives("P3", release(1))).toEqual([]);
    expect(member.state.desk).toMatchObject({ holder: null, queue: [], grants: 2 });
  });

  test("the coordinator's own requests go through the same queue, without messages", () => {
    const member = busy();
    expect(member.acquire()).toEqual([requested([1, "P1"])]);
    member.receives("P2", release(1));
    expect(member.receives("P3", release(1))).toEqual([entered([1, "P1"], 3)]);
    expect(member.release()).toEqual([exited([1, "P1"])]);
  });

  test.each([2, 3, 8, 16])(
    "%d processes need 3 messages for an entry, none for the coordinator's own",
    (n) => {
      const story = new Story(coordinator, n);
      story.after("acquire", `P${n}`);
      story.after("release", `P${n}`);
      expect(story.messages).toBe(3);
      story.after("acquire", "P1");
      expect(story.messages).toBe(3);
    },
  );
});

describe("beyond the source", () => {
  test("a release of one request frees no other", () => {
    const member = busy();
    expect(member.receives("P3", release(0))).toEqual([]);
    expect(member.receives("P2", release(0))).toEqual([]);
    expect(member.rules).toEqual(["coordinator.not-theirs"]);
    expect(member.state.desk?.holder).toEqual([1, "P2"]);
  });

  test("a request that comes again, or after it is over, is not queued", () => {
    const member = busy();
    for (const process of ["P2", "P3"]) member.receives(process, request(1));
    member.receives("P3", release(1));
    member.receives("P3", request(1));
    expect(member.state.desk).toMatchObject({ holder: [1, "P2"], queue: [] });
  });

  test("a grant that comes again is ignored inside, and given back when it is over", () => {
    const member = new Member(coordinator, "P2");
    member.acquire();
    member.receives("P1", grant(1, 1));
    expect(member.receives("P1", grant(1, 1))).toEqual([]);
    member.release();
    expect(member.receives("P1", grant(1, 1))).toEqual([sent("P1", release(1))]);
    expect(member.rules).toEqual(["coordinator.decline"]);
  });

  test("the coordinator comes back with the holder and the queue it had, and repeats the grant", () => {
    const member = busy();
    expect(member.restarts()).toEqual([sent("P2", grant(1, 1))]);
    expect(member.state.desk).toMatchObject({ holder: [1, "P2"], queue: [[1, "P3"]], grants: 1 });
    expect(member.receives("P2", release(1))).toEqual([sent("P3", grant(1, 2))]);
  });

  test("a coordinator that crashed inside is not inside when it comes back", () => {
    const member = new Member(coordinator, "P1");
    member.acquire();
    member.receives("P3", request(1));
    expect(member.restarts()).toEqual([sent("P3", grant(1, 2))]);
  });

  test("a process that crashed gives back whatever it had", () => {
    const member = new Member(coordinator, "P2");
    member.acquire();
    expect(member.restarts()).toEqual([sent("P1", release(1))]);
    expect(member.acquire()).toContainEqual(sent("P1", request(2)));
  });
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = new Member(coordinator, "P2");
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.state).toBe(before);
});

test("alone, a process enters at once", () => {
  const member = new Member(coordinator, "P1", ["P1"]);
  expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
});

test("whatever the network reorders and repeats, one at a time is inside, and all get in", () => {
  checkCompetition(coordinator, {
    statusOf: (state) => state.status,
    narration: coordinatorNarration,
    count: (packets) => expect(packets.length % 3).toBe(0),
  });
});
