import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histories, type History } from "../../test/support/random-history.js";
import { ClockCompressor, ClockDecompressor, LiveVector, type EncodedStamp } from "./index.js";

/** A process as a host runs it: one vector, one compressor, a decompressor per incoming link. */
class Process {
  readonly live: LiveVector;
  readonly compressor: ClockCompressor;
  readonly links: ClockDecompressor[];

  constructor(
    readonly processes: number,
    readonly self: number,
  ) {
    this.live = new LiveVector(processes, self);
    this.compressor = new ClockCompressor(this.live);
    this.links = Array.from({ length: processes }, (_, k) => new ClockDecompressor(processes, k));
  }

  send(to: number): EncodedStamp {
    this.live.tick();
    return this.compressor.encode(to);
  }

  /** Gives the stamp that it rebuilt. */
  receive(from: number, stamp: EncodedStamp): number[] {
    const whole = this.links[from]?.decode(stamp) ?? [];
    this.live.receive(whole);
    return whole;
  }
}

function group(processes: number): [Process, Process, Process] {
  return [new Process(processes, 0), new Process(processes, 1), new Process(processes, 2)];
}

describe("logical-clocks.md §2.2", () => {
  test("the example: P0 sends a={0:2,2:1} and b={0:3} to P1, which ends at [2,1,1] and [3,2,1]", () => {
    const [p0, p1, p2] = group(3);
    p0.receive(2, p2.send(0));
    const a = p0.send(1);
    const b = p0.send(1);
    expect(a).toEqual({ kind: "changes", since: 0, entries: [0, 2, 2, 1] });
    expect(b).toEqual({ kind: "changes", since: 2, entries: [0, 3] });
    p1.receive(0, a);
    expect(p1.live.copy()).toEqual([2, 1, 1]);
    p1.receive(0, b);
    expect(p1.live.copy()).toEqual([3, 2, 1]);
  });

  test("swapped, the paper's rules would leave P1 at [3,1,0] after b, which misses P2's event", () => {
    const b = [0, 3];
    const p1 = [0, 0, 0];
    p1[1] = 1;
    for (let i = 0; i < b.length; i += 2) p1[b[i] ?? 0] = b[i + 1] ?? 0;
    expect(p1).toEqual([3, 1, 0]);
  });

  test("swapped, the difference that lost its base is refused instead, and the clock is unchanged", () => {
    const [p0, p1, p2] = group(3);
    p0.receive(2, p2.send(0));
    const a = p0.send(1);
    const b = p0.send(1);
    expect(() => p1.receive(0, b)).toThrow(expect.objectContaining({ code: "clock-rejected" }));
    expect(p1.live.copy()).toEqual([0, 0, 0]);
    expect(p1.receive(0, a)).toEqual([2, 0, 1]);
    expect(p1.receive(0, b)).toEqual([3, 0, 1]);
  });

  test("on FIFO links every rebuilt stamp is the one that was sent whole, and all clocks agree", () => {
    let saved = 0;
    fc.assert(
      fc.property(histories({ fifo: true, eventsMax: 60 }), (history) => {
        const run = shadowed(history);
        for (const { rebuilt, sent } of run.received) expect(rebuilt).toEqual(sent);
        expect(run.compressed).toEqual(run.shadow);
        saved += run.entriesSaved;
      }),
      { numRuns: 300 },
    );
    expect(saved).toBeGreaterThan(1000);
  });

  test("on other links a difference is refused or right, never misread", () => {
    let refused = 0;
    fc.assert(
      fc.property(histories({ fifo: false, eventsMax: 60 }), (history) => {
        const run = shadowed(history);
        for (const { rebuilt, sent } of run.received) {
          if (rebuilt === undefined) refused++;
          else expect(rebuilt).toEqual(sent);
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe("where a link is not FIFO and lossless", () => {
  test("a message held back carries its vector whole, and the sequence goes on around it", () => {
    const [p0, p1] = group(3);
    const first = p0.send(1);
    p0.live.tick();
    const held = p0.live.copy();
    const second = p0.send(1);
    expect(p1.receive(0, first)).toEqual([1, 0, 0]);
    expect(p1.receive(0, second)).toEqual([3, 0, 0]);
    expect(p1.receive(0, p0.compressor.encodeWhole(held))).toEqual([2, 0, 0]);
    expect(p1.receive(0, p0.send(1))).toEqual([4, 0, 0]);
  });

  test("a whole vector does not alias the stamp it was made from", () => {
    const [p0] = group(3);
    p0.live.tick();
    const stamp = p0.live.copy();
    const encoded = p0.compressor.encodeWhole(stamp);
    stamp[0] = 99;
    expect(encoded.entries).toEqual([1, 0, 0]);
  });

  test("after a reconnection both ends start over, and nothing is missing", () => {
    const [p0, p1, p2] = group(3);
    p0.receive(2, p2.send(0));
    p1.receive(0, p0.send(1));
    const lost = p0.send(1);
    expect(lost.entries).toEqual([0, 3]);
    p0.compressor.reset(1);
    p1.links[0]?.reset();
    expect(p1.receive(0, p0.send(1))).toEqual([4, 0, 1]);
  });

  test("a reset of one link leaves the others in sequence", () => {
    const [p0, , p2] = group(3);
    p2.receive(0, p0.send(2));
    p0.compressor.reset(1);
    expect(p2.receive(0, p0.send(2))).toEqual([2, 0, 0]);
  });

  test("a loss without reset is noticed at the next message", () => {
    const [p0, p1] = group(3);
    p1.receive(0, p0.send(1));
    p0.send(1);
    expect(() => p1.receive(0, p0.send(1))).toThrow(/builds upon event 2 .* was event 1/);
  });

  test("a duplicate is refused", () => {
    const [p0, p1] = group(3);
    const once = p0.send(1);
    p1.receive(0, once);
    expect(() => p1.receive(0, once)).toThrow(expect.objectContaining({ code: "clock-rejected" }));
  });
});

test("what a restarted process knew reaches each peer again", () => {
  const live = new LiveVector(3, 0, { start: [5, 2, 0] });
  const compressor = new ClockCompressor(live);
  live.tick();
  expect(compressor.encode(1)).toEqual({ kind: "changes", since: 0, entries: [0, 6, 1, 2] });
  live.tick();
  expect(compressor.encode(1)).toEqual({ kind: "changes", since: 6, entries: [0, 7] });
});

describe("an encoded stamp that no honest peer sends is refused, and the link's state is unchanged", () => {
  test.each<[string, EncodedStamp]>([
    ["an unknown member", { kind: "changes", since: 1, entries: [0, 2, 3, 1] }],
    ["a negative index", { kind: "changes", since: 1, entries: [-1, 1, 0, 2] }],
    ["a fractional index", { kind: "changes", since: 1, entries: [0, 2, 0.5, 1] }],
    ["an index twice", { kind: "changes", since: 1, entries: [0, 2, 0, 3] }],
    ["an index without a value", { kind: "changes", since: 1, entries: [0, 2, 1] }],
    ["a value that is no count", { kind: "changes", since: 1, entries: [0, NaN] }],
    ["a value that falls", { kind: "changes", since: 1, entries: [0, 1] }],
    ["no new event of the sender", { kind: "changes", since: 1, entries: [2, 4] }],
    ["a base that never was", { kind: "changes", since: NaN, entries: [0, 2] }],
    ["a whole vector of another group", { kind: "whole", entries: [2, 0] }],
    ["a whole vector with a fraction", { kind: "whole", entries: [2, 0, 0.5] }],
  ])("%s", (_, poisoned) => {
    const link = new ClockDecompressor(3, 0);
    link.decode({ kind: "changes", since: 0, entries: [0, 1] });
    expect(() => link.decode(poisoned)).toThrow(expect.objectContaining({ code: "clock-rejected" }));
    expect(link.decode({ kind: "changes", since: 1, entries: [0, 2] })).toEqual([2, 0, 0]);
  });
});

interface ShadowedRun {
  readonly received: { readonly rebuilt: number[] | undefined; readonly sent: number[] }[];
  readonly compressed: number[][];
  readonly shadow: number[][];
  readonly entriesSaved: number;
}

/** Runs a history twice at once: with differences on the links, and with whole vectors beside them. */
function shadowed({ processes, events }: History): ShadowedRun {
  const members = Array.from({ length: processes }, (_, self) => new Process(processes, self));
  const shadow = members.map(({ self }) => new LiveVector(processes, self));
  const sent = new Map<number, { encoded: EncodedStamp; whole: number[] }>();
  const received: ShadowedRun["received"] = [];
  let entriesSaved = 0;
  events.forEach((event, e) => {
    const member = members[event.process];
    const own = shadow[event.process];
    if (member === undefined || own === undefined) return;
    if (event.kind === "local") {
      member.live.tick();
      own.tick();
    } else if (event.kind === "send") {
      own.tick();
      const encoded = member.send(event.to);
      entriesSaved += processes - encoded.entries.length / 2;
      sent.set(e, { encoded, whole: own.copy() });
    } else {
      const message = sent.get(event.send);
      if (message === undefined) return;
      const before = member.live.copy();
      let rebuilt: number[] | undefined;
      try {
        rebuilt = member.receive(event.from, message.encoded);
      } catch {
        // What a refused message knew is lost to the compressed run; only its stamps are compared from here on.
        expect(member.live.copy()).toEqual(before);
        member.live.receive(message.whole);
      }
      own.receive(message.whole);
      received.push({ rebuilt, sent: message.whole });
    }
  });
  return {
    received,
    compressed: members.map(({ live }) => live.copy()),
    shadow: shadow.map((live) => live.copy()),
    entriesSaved,
  };
}
