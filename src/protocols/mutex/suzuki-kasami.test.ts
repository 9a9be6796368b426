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
import { suzukiKasami, suzukiKasamiNarration, type SuzukiKasamiToken } from "./suzuki-kasami.js";

const request = (number: number) => ({ kind: "request" as const, number });
const token = (fields: Partial<SuzukiKasamiToken> = {}) => ({
  kind: "token" as const,
  token: { epoch: 0, passes: 1, entries: 0, served: {}, queue: [], ...fields },
});

describe("from the source", () => {
  test("the first process begins with the token, and enters without a message", () => {
    const member = new Member(suzukiKasami(), "P1");
    expect(member.acquire()).toEqual([requested([1, "P1"]), entered([1, "P1"], 1)]);
    expect(member.rules).toEqual(["sk.enter.kept"]);
  });

  test("who lacks it asks everybody with its next number", () => {
    const member = new Member(suzukiKasami(), "P2");
    expect(member.acquire()).toEqual([requested([1, "P2"]), sent("P1", request(1)), sent("P3", request(1))]);
  });

  test("an idle holder passes the token on at once", () => {
    const member = new Member(suzukiKasami(), "P1");
    expect(member.receives("P3", request(1))).toEqual([sent("P3", token())]);
    expect(member.state.token).toBeNull();
  });

  test("a request that was served already does not move the token", () => {
    const member = new Member(suzukiKasami(), "P2");
    member.acquire();
    member.receives("P1", token({ served: { P3: 4 } }));
    member.release();
    expect(member.receives("P3", request(4))).toEqual([]);
    expect(member.rules).toEqual(["sk.stale"]);
    expect(member.receives("P3", request(5))).toEqual([
      sent("P3", token({ passes: 2, entries: 1, served: { P2: 1, P3: 4 } })),
    ]);
  });

  test("an old request that comes late does not hide a newer one", () => {
    const member = new Member(suzukiKasami(), "P1");
    member.acquire();
    member.receives("P3", request(2));
    member.receives("P3", request(1));
    expect(member.state.requests).toEqual({ P1: 1, P3: 2 });
  });

  test("at the exit everybody who waits is queued once, and the head gets the token", () => {
    const member = new Member(suzukiKasami(), "P2", ["P1", "P2", "P3", "P4"]);
    member.acquire();
    member.receives("P1", token({ queue: ["P4"] }));
    member.receives("P3", request(1));
    member.receives("P4", request(1));
    expect(member.release()).toEqual([
      exited([1, "P2"]),
      sent("P4", token({ passes: 2, entries: 1, served: { P2: 1 }, queue: ["P3"] })),
    ]);
  });

  test("the example: the token is idle at P1, P2 asks; 2 requests and the token make n messages", () => {
    const story = new Story(suzukiKasami(), 3);
    expect(story.after("acquire", "P2")).toEqual(["P2 requested", "P2 entered"]);
    expect(story.messages).toBe(3);
    expect(story.after("acquire", "P1", "P3")).toEqual(["P1 requested", "P3 requested"]);
    expect(story.after("release", "P2")).toEqual(["P2 exited", "P1 entered"]);
    expect(story.after("release", "P1")).toEqual(["P1 exited", "P3 entered"]);
    expect(story.messages).toBe(9);
  });
});

describe("a lost token", () => {
  const P1 = { kind: "absent" as const, epoch: 4, note: { requested: 3, served: 3 } };
  const P3 = { kind: "absent" as const, epoch: 4, note: { requested: 2, served: 1 } };
  const waiting = () => {
    const member = new Member(suzukiKasami({ patience: 100 }), "P2");
    member.acquire();
    expect(member.fires("patience")).toEqual(
      ["P1", "P3"].map((peer) =>
        sent(peer, { kind: "enquiry", epoch: 4, note: { requested: 1, served: 0 } }),
      ),
    );
    return member;
  };

  test("is made anew when everybody has said that it is not there, with a larger fencing token", () => {
    const member = waiting();
    expect(member.receives("P1", P1)).toEqual([]);
    expect(member.receives("P3", P3)).toEqual([entered([1, "P2"], 4 * 2 ** 32 + 1)]);
    // P3 has told that it waits; P1 has told that it does not.
    expect(member.release()).toMatchObject([{ kind: "output" }, { to: "P3", message: { kind: "token" } }]);
  });

  test("is not made anew while one has not answered, or says that it is there", () => {
    const member = waiting();
    member.receives("P1", P1);
    member.receives("P1", P1);
    expect(member.state.status).toBe("waiting");
    member.receives("P3", { kind: "present", epoch: 4 });
    member.receives("P3", P3);
    expect(member.state).toMatchObject({ status: "waiting", census: null });
  });

  test("is refused where a newer epoch was promised, also after a restart", () => {
    const member = new Member(suzukiKasami(), "P3");
    const enquiry = { kind: "enquiry" as const, epoch: 4, note: { requested: 1, served: 0 } };
    expect(member.receives("P2", enquiry)).toMatchObject([{ to: "P2", message: { kind: "absent" } }]);
    for (const again of [false, true]) {
      if (again) member.restarts();
      member.acquire();
      expect(member.receives("P1", token())).toEqual([]);
      expect(member.rules).toEqual(["token.refuse.old"]);
    }
    expect(member.receives("P1", token({ epoch: 4 }))).toMatchObject([{ kind: "output" }]);
  });

  test("an epoch promised once is not promised again: its token may have been here and gone", () => {
    const member = new Member(suzukiKasami(), "P3");
    const enquiry = { kind: "enquiry" as const, epoch: 4, note: { requested: 1, served: 0 } };
    member.receives("P2", enquiry);
    member.restarts();
    expect(member.receives("P2", enquiry)).toEqual([sent("P2", { kind: "superseded", epoch: 4 })]);
  });

  test("whoever has it says so and carries it on in the new epoch, to who asked if it is idle", () => {
    const member = new Member(suzukiKasami(), "P1");
    const enquiry = { kind: "enquiry" as const, epoch: 4, note: { requested: 1, served: 0 } };
    expect(member.receives("P2", enquiry)).toEqual([
      sent("P2", { kind: "present", epoch: 4 }),
      sent("P2", token({ epoch: 4 })),
    ]);
  });

  test("that comes again, even to a new incarnation, is not a second one", () => {
    const member = new Member(suzukiKasami(), "P2");
    member.acquire();
    member.receives("P1", token());
    member.receives("P3", request(1));
    member.release();
    for (const again of [false, true]) {
      if (again) member.restarts();
      expect(member.receives("P1", token())).toEqual([]);
      expect(member.rules).toEqual(["token.refuse.again"]);
    }
  });

  test("does not come back with the process that had it", () => {
    const member = new Member(suzukiKasami(), "P1");
    member.acquire();
    member.restarts();
    expect(member.state).toMatchObject({ status: "idle", token: null, requests: { P1: 1 } });
  });
});

test("asking twice and leaving without being inside are explained, and change nothing", () => {
  const member = new Member(suzukiKasami(), "P2");
  expect(member.release()).toEqual([]);
  expect(member.rules).toEqual(["mutex.not-inside"]);
  member.acquire();
  const before = member.state;
  expect(member.acquire()).toEqual([]);
  expect(member.state).toBe(before);
});

test.each([2, 3, 8, 16])("%d processes need n messages for an entry, or none where the token is", (n) => {
  const story = new Story(suzukiKasami(), n);
  for (let i = 0; i < 3; i++) {
    story.after("acquire", "P2");
    story.after("release", "P2");
  }
  expect(story.messages).toBe(n);
});

test("over links that reorder and repeat, one at a time is inside, and all get in", () => {
  checkCompetition(suzukiKasami(), {
    statusOf: (state) => state.status,
    narration: suzukiKasamiNarration,
    count: (packets, _, n) => expect(packets.length % n).toBe(0),
  });
});

test("impatience slows nobody for ever, and never makes two tokens", () => {
  checkCompetition(suzukiKasami({ patience: 1_000 }), {
    statusOf: (state) => state.status,
    narration: suzukiKasamiNarration,
  });
});
