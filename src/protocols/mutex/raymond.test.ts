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
import { raymond, raymondNarration, treeDiameter } from "./raymond.js";

const request = { kind: "request" as const };
const privilege = (passes = 1, entries = 0) => ({ kind: "privilege" as const, passes, entries });
/** P2 stands between P1, which has the privilege, and P3. */
const middle = () => new Member(raymond("line"), "P2");

describe("from the source", () => {
  test("the privilege begins at the first process, and everybody points in its direction", () => {
    const holders = (shape: string) =>
      ["P1", "P2", "P3", "P4"].map(
        (self) => new Member(raymond(shape), self, ["P1", "P2", "P3", "P4"]).state.holder,
      );
    expect(holders("line")).toEqual(["P1", "P1", "P2", "P3"]);
    expect(holders("star")).toEqual(["P1", "P1", "P1", "P1"]);
    expect(holders("binary")).toEqual(["P1", "P1", "P1", "P2"]);
  });

  test("who has the privilege and nobody before it enters at once", () => {
    const member = new Member(raymond(), "P1");
    expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
  });

  test("who lacks it asks its neighbour in that direction, once for all that wait", () => {
    const member = middle();
    expect(member.receives("P3", request)).toEqual([sent("P1", request)]);
    expect(member.acquire()).toEqual([requested([1, "P2"])]);
    expect(member.state).toMatchObject({ queue: ["P3", "P2"], asked: true });
  });

  test("the privilege goes to the head of the queue, followed by a request when others wait", () => {
    const member = middle();
    member.receives("P3", request);
    member.acquire();
    expect(member.receives("P1", privilege(1, 5))).toEqual([
      sent("P3", privilege(2, 5)),
      sent("P3", request),
    ]);
    expect(member.state).toMatchObject({ holder: "P3", queue: ["P2"], asked: true });
    expect(member.receives("P3", privilege(3, 6))).toEqual([entered([1, "P2"], 7)]);
  });

  test("at the exit it goes on to whoever is next, and stays when nobody is", () => {
    const member = middle();
    member.acquire();
    member.receives("P1", privilege());
    expect(member.receives("P3", request)).toEqual([]);
    expect(member.release()).toEqual([exited([1, "P2"]), sent("P3", privilege(2, 1))]);
    const alone = new Member(raymond(), "P1");
    alone.acquire();
    alone.release();
    expect(alone.state).toMatchObject({ holder: "P1", status: "idle" });
  });

  test.each([
    ["star", 4],
    ["binary", 8],
    ["line", 12],
  ])("the example: the farthest of 7 processes in a %s pays at most %i messages", (shape, most) => {
    const names = Array.from({ length: 7 }, (_, i) => `P${i + 1}`);
    const costs = names.flatMap((first) =>
      names.map((second) => {
        const story = new Story(raymond(shape), 7);
        story.after("acquire", first);
        story.after("release", first);
        const before = story.messages;
        story.after("acquire", second);
        return story.messages - before;
      }),
    );
    expect(Math.max(...costs)).toBe(most);
    expect(2 * treeDiameter(shape, 7)).toBe(most);
  });
});

test.each(["binary", "star", "line"])("the diameter of a %s is what walking it gives", (shape) => {
  for (let n = 1; n <= 20; n++) {
    const parent = (place: number) =>
      shape === "line" ? place - 1 : shape === "star" ? 0 : (place - 1) >> 1;
    const ancestors = (place: number): number[] => (place === 0 ? [0] : [place, ...ancestors(parent(place))]);
    const places = Array.from({ length: n }, (_, place) => place);
    const distances = places.flatMap((a) =>
      places.map((b) => {
        const below = ancestors(b);
        const meeting = ancestors(a).findIndex((place) => below.includes(place));
        return meeting + below.indexOf(ancestors(a)[meeting] ?? 0);
      }),
    );
    expect([n, treeDiameter(shape, n)]).toEqual([n, Math.max(...distances)]);
  }
});

test("another shape is refused with those there are", () => {
  expect(() => raymond("stra")).toThrow(/unknown tree "stra"; did you mean "star"/);
});

test("a privilege that comes again, even to a new incarnation, is not a second one", () => {
  const member = middle();
  member.acquire();
  member.receives("P1", privilege());
  member.release();
  expect(member.receives("P1", privilege())).toEqual([]);
  expect(member.rules).toEqual(["raymond.refuse"]);
  member.restarts();
  expect(member.receives("P1", privilege())).toEqual([]);
  expect(member.state.holder).toBeNull();
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = middle();
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.state).toBe(before);
});

test.each(["binary", "star", "line"])("in a %s one at a time is inside, and all get in", (shape) => {
  checkCompetition(raymond(shape), {
    statusOf: (state) => state.status,
    duplicateMax: 0.3,
    narration: raymondNarration,
    count: (packets, entries, n) => {
      expect(packets.length).toBeLessThanOrEqual(entries * 2 * treeDiameter(shape, n));
      expect(packets.filter(({ message }) => JSON.stringify(message).includes("request")).length * 2).toBe(
        packets.length,
      );
    },
  });
});
