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
import { fifo, fifoNarration } from "../links/index.js";
import { maekawa, maekawaNarration } from "./maekawa.js";
import { parseQuorums } from "./quorums.js";

const request = (of: number) => ({ kind: "request" as const, of });
const grant = (of: number, fence = 0) => ({ kind: "grant" as const, of, fence });
const fail = (of: number) => ({ kind: "fail" as const, of });
const inquire = (of: number) => ({ kind: "inquire" as const, of });
const relinquish = (of: number) => ({ kind: "relinquish" as const, of });
const release = (of: number, fence = 1) => ({ kind: "release" as const, of, fence });

const seven = processNames(7);
/** P2 asks P2, P3 and P5. */
const member = () => new Member(maekawa(seven), "P2", seven);

describe("as an arbiter", () => {
  test("grants the first, and tells a later request to wait", () => {
    const arbiter = member();
    expect(arbiter.receives("P4", request(2))).toEqual([sent("P4", grant(2))]);
    expect(arbiter.receives("P5", request(3))).toEqual([sent("P5", fail(3))]);
    expect(arbiter.receives("P4", release(2))).toEqual([sent("P5", grant(3, 1))]);
  });

  test("asks the holder to give way to an earlier request, once", () => {
    const arbiter = member();
    arbiter.receives("P6", request(5));
    expect(arbiter.receives("P7", request(3))).toEqual([sent("P6", inquire(5))]);
    // Sanders: whoever was first in the queue is told that it is not any more.
    expect(arbiter.receives("P1", request(2))).toEqual([sent("P7", fail(3))]);
    expect(arbiter.receives("P3", request(4))).toEqual([sent("P3", fail(4))]);
    expect(arbiter.receives("P6", relinquish(5))).toEqual([sent("P1", grant(2))]);
    expect(arbiter.state.queue.map(({ stamp }) => stamp)).toEqual([
      [3, "P7"],
      [4, "P3"],
      [5, "P6"],
    ]);
    expect(arbiter.receives("P1", release(2))).toEqual([sent("P7", grant(3, 1))]);
  });

  test("who gives way, or leaves, without having been granted frees nothing", () => {
    const arbiter = member();
    arbiter.receives("P6", request(5));
    arbiter.receives("P7", request(6));
    expect(arbiter.receives("P7", relinquish(6))).toEqual([]);
    expect(arbiter.receives("P7", release(6))).toEqual([]);
    expect(arbiter.receives("P6", release(4))).toEqual([]);
    expect(arbiter.rules).toEqual(["maekawa.stale"]);
    expect(arbiter.state.holder).toEqual([5, "P6"]);
  });
});

describe("as one that wants to enter", () => {
  test("asks its quorum, itself without a message, and enters with all grants", () => {
    const one = member();
    expect(one.acquire()).toEqual([requested([1, "P2"]), sent("P3", request(1)), sent("P5", request(1))]);
    expect(one.receives("P5", grant(1, 4))).toEqual([]);
    expect(one.receives("P3", grant(1, 2))).toEqual([entered([1, "P2"], 5)]);
    expect(one.release()).toEqual([exited([1, "P2"]), sent("P3", release(1, 5)), sent("P5", release(1, 5))]);
  });

  test("gives way when it waits behind another somewhere, at once or as soon as it learns of that", () => {
    const early = member();
    early.acquire();
    early.receives("P3", fail(1));
    early.receives("P5", grant(1));
    expect(early.receives("P5", inquire(1))).toEqual([sent("P5", relinquish(1))]);
    const late = member();
    late.acquire();
    late.receives("P5", grant(1));
    expect(late.receives("P5", inquire(1))).toEqual([]);
    expect(late.rules).toEqual(["maekawa.hope"]);
    expect(late.receives("P3", fail(1))).toEqual([sent("P5", relinquish(1))]);
    expect(late.state.grants).toEqual(["P2"]);
  });

  test("inside, it does not give way: the release answers", () => {
    const one = member();
    one.acquire();
    one.receives("P5", grant(1));
    one.receives("P3", grant(1));
    expect(one.receives("P5", inquire(1))).toEqual([]);
    expect(one.receives("P3", fail(1))).toEqual([]);
    expect(one.state.status).toBe("inside");
  });

  test("what is about an earlier request changes nothing", () => {
    const one = member();
    one.acquire();
    const before = one.state;
    for (const message of [grant(7), fail(7), inquire(7)]) expect(one.receives("P3", message)).toEqual([]);
    expect(one.state).toBe(before);
  });
});

test.each([
  [3, 3],
  [7, 6],
  [13, 9],
])("of %i processes an entry without competitors costs 3(K-1) = %i messages", (n, cost) => {
  const processes = processNames(n);
  const story = new Story(fifo(maekawa(processes)), n);
  story.after("acquire", "P3");
  story.after("release", "P3");
  expect(story.messages).toBe(cost);
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const one = member();
  expect(one.release()).toEqual([]);
  expect(one.rules).toEqual(["mutex.not-inside"]);
  one.acquire();
  const before = one.state;
  expect(one.acquire()).toEqual([]);
  expect(one.state).toBe(before);
});

test("quorums that do not meet are refused", () => {
  const four = processNames(4);
  const quorums = { P1: ["P1"], P2: ["P2"], P3: ["P3"], P4: ["P4"] };
  expect(() => maekawa(four, quorums)).toThrow(/do not intersect/);
});

test.each([2, 3, 4, 5, 6, 7])("of %i processes one at a time is inside, and all get in", (n) => {
  const processes = processNames(n);
  checkCompetition(fifo(maekawa(processes)), {
    statusOf: (state) => state.inner.status,
    processes: n,
    narration: { ...fifoNarration, ...maekawaNarration },
  });
});

test("a triangle of quorums without a process of its own works as well", () => {
  const processes = processNames(3);
  checkCompetition(fifo(maekawa(processes, parseQuorums("P2 P3 | P1 P3 | P1 P2", processes))), {
    statusOf: (state) => state.inner.status,
    processes: 3,
    narration: { ...fifoNarration, ...maekawaNarration },
  });
});
