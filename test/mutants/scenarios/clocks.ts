import type { EncodedStamp, HybridTime, LamportStamp } from "../../../src/clocks/index.js";
import type { Scenario } from "../mutant.js";

type Clocks = typeof import("../../../src/clocks/index.js");

/** The scenarios of all logical clocks and of the adjustable one: small, fixed runs. */
export const scenarios: readonly Scenario[] = [
  scenario(
    "clocks/lamport-condition",
    "what happened before has the smaller Lamport time",
    ({ LamportClock }) => {
      // Q is behind P when it hears of it, and P is ahead of Q.
      const m = LamportClock.send(LamportClock.tick(0), "P");
      const received = LamportClock.receive(0, m.stamp[0]);
      less(m.time, received, "Q's receipt of m after P's send");
      const r = LamportClock.send(received, "Q");
      less(received, r.time, "Q's send after its receipt");
      const ahead = LamportClock.tick(LamportClock.tick(LamportClock.tick(m.time)));
      less(ahead, LamportClock.receive(ahead, r.stamp[0]), "P's receipt after its own local events");
    },
  ),
  scenario(
    "clocks/lamport-total-order",
    "different stamps are never equal in the total order",
    ({ LamportClock }) => {
      const names = ["P1", "P2", "P3"];
      const p1: LamportStamp = [3, "P1"];
      const p2: LamportStamp = [3, "P2"];
      if (!(LamportClock.compare(p1, p2, names) < 0 && LamportClock.compare(p2, p1, names) > 0)) {
        throw new Error("neither of the requests [3, P1] and [3, P2] is first");
      }
    },
  ),
  scenario(
    "clocks/vector-is-happened-before",
    "a vector is smaller exactly when its event happened before",
    ({ VectorClock }) => {
      const [a, b, c] = [0, 1, 2];
      const zero = VectorClock.zero(3);
      const aSends = VectorClock.tick(zero, a);
      const bSends = VectorClock.tick(zero, b);
      const cHearsA = VectorClock.receive(zero, aSends, c);
      const cHearsB = VectorClock.receive(cHearsA, bSends, c);
      same(VectorClock.compare(aSends, bSends), "concurrent", "A's send and B's");
      same(VectorClock.compare(aSends, cHearsA), "before", "A's send and its receipt");
      same(VectorClock.compare(bSends, cHearsA), "concurrent", "B's send and C's first receipt");
      same(VectorClock.compare(cHearsA, cHearsB), "before", "C's receipts");
      same(VectorClock.compare(aSends, cHearsB), "before", "A's send and C's second receipt");
      same(VectorClock.compare(bSends, cHearsB), "before", "B's send and its receipt");
    },
  ),
  scenario(
    "clocks/absent-counts-zero",
    "a member that a clock does not list counts zero there",
    ({ SparseVectorClock: { compare } }) => {
      same(compare({ P1: 1 }, { P1: 1, P2: 2 }), "before", "{P1: 1} and {P1: 1, P2: 2}");
      same(compare({ P1: 1 }, { P2: 1 }), "concurrent", "{P1: 1} and {P2: 1}");
    },
  ),
  scenario(
    "clocks/stamp-is-a-copy",
    "what a message carries does not change after its send",
    ({ LiveVector }) => {
      const live = new LiveVector(2, 0);
      live.tick();
      const stamp = live.copy();
      live.tick();
      same(stamp, [1, 0], "the stamp of P1's first event, after its second");
    },
  ),
  scenario(
    "clocks/live-follows-plain",
    "a host's vector goes as the plain rules go",
    ({ LiveVector, VectorClock }) => {
      const live = new LiveVector(3, 2);
      let plain = VectorClock.zero(3);
      for (const stamp of [
        [4, 1, 0],
        [2, 6, 1],
        [5, 0, 0],
      ]) {
        plain = VectorClock.receive(plain, stamp, 2);
        same(live.receive(stamp), plain[2], `the number of the receipt of [${stamp.join()}]`);
        same(live.copy(), plain, `the clock after [${stamp.join()}]`);
      }
    },
  ),
  scenario(
    "clocks/poison-is-refused",
    "a stamp that no honest peer sends leaves the clock as it was",
    ({ LiveVector, JUMP_MAX }) => {
      const live = new LiveVector(2, 0);
      live.tick();
      for (const stamp of [
        [1, JUMP_MAX + 1],
        [2, 0],
        [1, NaN],
        [1, -1],
        [1, 0.5],
        [1, 2 ** 53],
        [1, 0, 1],
      ]) {
        refused(() => live.receive(stamp), `the stamp [${stamp.join()}]`);
        same(live.copy(), [1, 0], `the clock after [${stamp.join()}]`);
      }
      live.receive([1, JUMP_MAX]);
    },
  ),
  scenario(
    "clocks/lives-are-told-apart",
    "events of two lives of a process without memory are not mistaken for one another",
    ({ SparseVectorClock: { ZERO, memberKey, tick, compare } }) => {
      const first = tick(ZERO, memberKey("P1", 0));
      const second = tick(ZERO, memberKey("P1", 1));
      same(compare(first, second), "concurrent", "the first events of P1's two lives");
    },
  ),
  scenario(
    "clocks/pruned-when-stable",
    "leaving a member out never makes ordered events look concurrent",
    ({ SparseVectorClock: { prune, receive, tick, compare } }) => {
      // P3 left after its first event; P1 has heard of it, P2 has not, and P3's message is still on its way to P2.
      const fromP3 = tick({}, "P3");
      const p1 = receive({}, fromP3, "P1");
      const kept = prune(p1, "P3", 1, [p1, {}]);
      same(compare(fromP3, kept), "before", "P3's last event and P1's receipt of it");
      same(prune(p1, "P3", 1, [p1, receive({}, fromP3, "P2")]), { P1: 1 }, "the clock once all have seen it");
    },
  ),
  scenario(
    "clocks/differences-equal-whole",
    "on FIFO links a rebuilt stamp is the sender's whole vector",
    (clocks) => {
      const [p0, p1, p2] = group(clocks);
      p0.hears(p2, p2.sends(p0), "P2's message");
      p1.hears(p0, p0.sends(p1), "P0's message a");
      p1.hears(p0, p0.sends(p1), "P0's message b");
      same(p1.live.copy(), [3, 2, 1], "P1's clock");
      p2.hears(p0, p0.sends(p2), "P0's first message to P2");
      p2.hears(p1, p1.sends(p2), "P1's first message to P2");
    },
  ),
  scenario(
    "clocks/overtaken-difference",
    "a difference that overtook its base is refused or right",
    (clocks) => {
      const [p0, p1, p2] = group(clocks);
      p0.hears(p2, p2.sends(p0), "P2's message");
      const a = p0.sends(p1);
      const b = p0.sends(p1);
      try {
        p1.hears(p0, b, "P0's message b, before a,");
      } catch (error) {
        if (!(error instanceof clocks.ClockError)) throw error;
      }
      p1.hears(p0, a, "P0's message a");
    },
  ),
  scenario("clocks/reconnection", "after both ends start over nothing is missing", (clocks) => {
    const [p0, p1, p2] = group(clocks);
    p0.hears(p2, p2.sends(p0), "P2's message");
    p0.sends(p1);
    p0.compressor.reset(1);
    p1.links[0]?.reset();
    p1.hears(p0, p0.sends(p1), "P0's first message on the new link");
  }),
  scenario(
    "clocks/known-to-all",
    "an event is known to all exactly when word of it has come round",
    ({ MatrixClock }) => {
      const [a, b, c] = [0, 1, 2];
      const aSends = MatrixClock.tick(MatrixClock.zero(3), a);
      const bHears = MatrixClock.receive(MatrixClock.zero(3), aSends, b, a);
      same(
        MatrixClock.knownToAll(bHears, a),
        0,
        "A's events known to all, says B, while C has heard nothing",
      );
      const bSends = MatrixClock.tick(bHears, b);
      const cHears = MatrixClock.receive(MatrixClock.zero(3), bSends, c, b);
      same(
        MatrixClock.knownToAll(cHears, a),
        1,
        "A's events known to all, says C, which heard of it through B",
      );
    },
  ),
  scenario(
    "clocks/hybrid-example",
    "l and c go as in the worked example",
    ({ HybridClock: { ZERO, tick, receive } }) => {
      const m = tick(ZERO, 10);
      const bHears = receive(tick(ZERO, 3), m, 4, 1000);
      const r = tick(bHears, 5);
      const aHears = receive(m, r, 10, 1000);
      same(
        [m, bHears, r, aHears, tick(aHears, 11)].map(({ l, c }) => [l, c]),
        [
          [10, 0],
          [10, 1],
          [10, 2],
          [10, 3],
          [11, 0],
        ],
        "the stamps of A and B",
      );
    },
  ),
  scenario(
    "clocks/hybrid-receipt",
    "a receipt is later than its send and than the own clock's past, and l is not behind the physical clock",
    ({ HybridClock: { receive, compare } }) => {
      for (const pt of [9, 10, 11]) {
        const own: HybridTime = { l: 10, c: 2 };
        const theirs: HybridTime = { l: 10, c: 5 };
        const received = receive(own, theirs, pt, 1000);
        for (const past of [own, theirs]) {
          if (compare(past, received) < 0) continue;
          throw new Error(
            `a receipt at ${pt} is (${received.l},${received.c}), not after (${past.l},${past.c})`,
          );
        }
        less(pt - 1, received.l, `l at physical time ${pt}`);
      }
    },
  ),
  scenario(
    "clocks/hybrid-guard",
    "a stamp from the far future is refused",
    ({ HybridClock: { ZERO, receive } }) => {
      refused(() => receive(ZERO, { l: 1_000_000, c: 0 }, 10, 1000), "a stamp one second ahead");
      same(receive(ZERO, { l: 1010, c: 0 }, 10, 1000), { l: 1010, c: 1 }, "a stamp at the bound");
    },
  ),
  scenario(
    "clocks/adjusted-often",
    "a reading does not depend on how often the clock was touched",
    ({ ClockCourse: { PERFECT, setDrift, read } }) => {
      let touched = setDrift(PERFECT, 100, 0);
      for (let at = 5_000; at <= 1_000_000; at += 5_000) touched = setDrift(touched, 100, at);
      same(read(touched, 1_000_000), 1_000_100, "a clock of +100 ppm after a second");
    },
  ),
  scenario(
    "clocks/slew-ends",
    "a slew adds its correction and no more",
    ({ ClockCourse: { PERFECT, slew, read } }) => {
      const clock = slew(PERFECT, 300, 1000, 0);
      same(read(clock, 200_000), 200_200, "a slew of 300 µs at 1000 ppm after 0.2 s");
      same(read(clock, 10_000_000), 10_000_300, "a slew of 300 µs at 1000 ppm after 10 s");
    },
  ),
];

function scenario(name: string, claim: string, check: (clocks: Clocks) => void): Scenario {
  return {
    name,
    claim,
    async run(root) {
      check((await import(new URL("clocks/index.js", root).href)) as Clocks);
    },
  };
}

/** Three processes as a host runs them, with whole stamps beside the differences. */
function group(clocks: Clocks): [Member, Member, Member] {
  return [new Member(clocks, 0), new Member(clocks, 1), new Member(clocks, 2)];
}

interface Sent {
  readonly encoded: EncodedStamp;
  readonly whole: readonly number[];
}

class Member {
  readonly self: number;
  readonly live: InstanceType<Clocks["LiveVector"]>;
  readonly compressor: InstanceType<Clocks["ClockCompressor"]>;
  readonly links: readonly InstanceType<Clocks["ClockDecompressor"]>[];

  constructor(clocks: Clocks, self: number) {
    this.self = self;
    this.live = new clocks.LiveVector(3, self);
    this.compressor = new clocks.ClockCompressor(this.live);
    this.links = [0, 1, 2].map((from) => new clocks.ClockDecompressor(3, from));
  }

  sends(to: Member): Sent {
    this.live.tick();
    return { encoded: this.compressor.encode(to.self), whole: this.live.copy() };
  }

  hears(from: Member, { encoded, whole }: Sent, what: string): void {
    const rebuilt = this.links[from.self]?.decode(encoded) ?? [];
    same(rebuilt, whole, `the stamp of ${what}`);
    this.live.receive(rebuilt);
  }
}

function same(got: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(got), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is}, and should be ${should}`);
}

function less(smaller: number, larger: number, what: string): void {
  if (!(smaller < larger)) throw new Error(`${what}: ${smaller} is not less than ${larger}`);
}

function refused(attempt: () => unknown, what: string): void {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Error && error.name === "ClockError") return;
    throw error;
  }
  throw new Error(`${what} was accepted`);
}
