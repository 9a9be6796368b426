import { describe, expect, test } from "vitest";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork, type Weather } from "../../../test/support/pure-network.js";
import { ClockCourse } from "../../clocks/index.js";
import { MILLISECOND, placeOf, processNames, SECOND, step, type Protocol } from "../../core/index.js";
import { cristian, cristianNarration, type CristianState } from "./cristian.js";
import type { KeptClock } from "./kept-clock.js";
import { ntp, ntpNarration, type NtpState } from "./ntp.js";
import { sampleOf, type TimeMessage, type TimeOutput } from "./time-server.js";

const BAD = { kind: "reply", seq: 1, sent: 0 } as const;

/** What no server says, or not in this way. */
const NONSENSE: readonly unknown[] = [
  { ...BAD, received: Number.NaN, answered: 0 },
  { ...BAD, received: 0, answered: 2 ** 63 },
  { ...BAD, seq: 0.5, received: 0, answered: 0 },
  { kind: "request", seq: 1, sent: "now" },
  { kind: "bribe", seq: 1, sent: 0 },
  null,
];

function network<State extends KeptClock>(
  protocol: Protocol<State, TimeMessage, never, TimeOutput>,
  n: number,
  weather: Partial<Weather<TimeMessage>> = {},
): PureNetwork<State, TimeMessage, never, TimeOutput> {
  return new PureNetwork(protocol, processNames(n), { seed: 1, ...weather });
}

function clocksOf(net: PureNetwork<KeptClock, TimeMessage, never, TimeOutput>, n: number): number[] {
  return processNames(n).map((name) => ClockCourse.read(net.state(name).course, net.now) - net.now);
}

test("RFC 5905, §8: 1000, 1065, 1070, 1035 make θ = 50 and δ = 30; the truth is at most 15 away", () => {
  expect(sampleOf(1_000, 1_065, 1_070, 1_035)).toEqual({ offset: 50, delay: 30 });
  // Really 20 there and 10 back: the other is 45 ahead, and the error is half the difference.
  expect(sampleOf(0, 45 + 20, 45 + 20, 30).offset - 45).toBe(5);
});

describe("Cristian", () => {
  /** P2 at 10.000 s, its request under way since then, and what it says when the reply has come at `back`. */
  function reply(back: number, answered: number) {
    const protocol = cristian({
      clocks: [0, 10 * SECOND],
      delayMin: 4 * MILLISECOND,
      patience: 50 * MILLISECOND,
    });
    const place = placeOf(["P1", "P2"], "P2");
    const around = { place, incarnation: 0, pick: () => 0 };
    const started = step(protocol, undefined, { kind: "start" }, { ...around, now: 0 });
    const message = { kind: "reply", seq: 1, sent: 10 * SECOND, received: answered, answered } as const;
    return step(protocol, started.state, { kind: "message", from: "P1", message }, { ...around, now: back });
  }

  test("§3.2: T0 = 10.000, T1 = 10.020, Ts = 10.160, least delay 4 ms: it is 10.170 ± 6 ms", () => {
    const { effects } = reply(20 * MILLISECOND, 10_160 * MILLISECOND);
    const found = effects.find(({ kind }) => kind === "output");
    const offset = 150 * MILLISECOND;
    expect(found).toMatchObject({
      value: { average: offset, clocks: [{}, { process: "P1", offset, error: 6 * MILLISECOND }] },
    });
  });

  test("a reply that took longer than 2U is not taken, and the client asks again", () => {
    const { effects } = reply(51 * MILLISECOND, 10_160 * MILLISECOND);
    const done = effects.map((effect) => (effect.kind === "explain" ? effect.rule : effect.kind));
    expect(done.filter((kind) => kind !== "set-timer" && kind !== "save")).toEqual([
      "cr.late",
      "cr.ask",
      "send",
    ]);
  });

  test("without faults everybody gets the server's time exactly, for two messages a round", () => {
    const net = network<CristianState>(cristian({ clocks: [100, 7_000, -9_000], rounds: 3 }), 3);
    expect(net.run()).toBe("quiescent");
    expect(clocksOf(net, 3)).toEqual([100, 100, 100]);
    expect(processNames(3).flatMap((name) => net.sent(name))).toHaveLength(2 * 2 * 3);
    checkNarrated(net.deeds, cristianNarration);
  });

  test("a server that does not answer is given up until the next round", () => {
    const net = network<CristianState>(cristian({ rounds: 2 }), 2, { drops: ({ from }) => from === "P1" });
    expect(net.run()).toBe("quiescent");
    expect(net.explained("P2", "cr.silent")).toEqual([
      { peer: "P1", tries: 5 },
      { peer: "P1", tries: 5 },
    ]);
    checkNarrated(net.deeds, cristianNarration);
  });

  test.each(NONSENSE)("does not believe %j", (message) => {
    const net = network<CristianState>(cristian(), 2, { drops: ({ from }) => from === "P1" });
    // Not what the type allows: it came over a network.
    net.inject("P1", "P2", message as TimeMessage, 1);
    net.run({ until: 1 });
    expect(net.explained("P2", "time.nonsense")).toHaveLength(1);
    expect(net.state("P2").applied).toEqual([0, 0]);
  });
});

describe("NTP", () => {
  test("three servers against one that is an hour off: it is found out, and moves nobody", () => {
    const clocks = [0, 0, 0, 3_600 * SECOND, 5_000];
    const net = network<NtpState>(ntp({ clocks, servers: 4, rounds: 2 }), 5);
    expect(net.run()).toBe("quiescent");
    expect(clocksOf(net, 5)).toEqual([0, 0, 0, 3_600 * SECOND, 0]);
    expect(net.explained("P5", "ntp.falseticker")[0]).toEqual({ servers: ["P4 (+3599.995 s)"] });
    checkNarrated(net.deeds, ntpNarration);
  });

  test("two against two: no majority, so the clock is left alone", () => {
    const net = network<NtpState>(ntp({ clocks: [0, 0, 9_000_000, 9_000_000, 5], servers: 4, rounds: 1 }), 5);
    net.run();
    expect(net.explained("P5", "ntp.no-majority")).toEqual([{ heard: 4 }]);
    expect(clocksOf(net, 5)[4]).toBe(5);
    checkNarrated(net.deeds, ntpNarration);
  });

  test("a reply that comes twice, or to an earlier request, does not count", () => {
    const net = network<NtpState>(ntp({ servers: 1, rounds: 1 }), 2, { drops: ({ from }) => from === "P1" });
    const late = { kind: "reply", seq: 7, sent: 0, received: 9_000, answered: 9_000 } as const;
    net.inject("P1", "P2", late, 1);
    net.run({ until: 2 });
    expect(net.explained("P2", "ntp.bogus")).toEqual([{ peer: "P1", seq: 7 }]);
    expect(net.state("P2").sources[0]?.samples).toEqual([]);
  });

  test.each(NONSENSE)("does not believe %j", (message) => {
    const net = network<NtpState>(ntp({ servers: 1 }), 2, { drops: ({ from }) => from === "P1" });
    // Not what the type allows: it came over a network.
    net.inject("P1", "P2", message as TimeMessage, 1);
    net.run({ until: 1 });
    expect(net.explained("P2", "time.nonsense")).toHaveLength(1);
  });

  test("no servers, and a period too short for a reply, are refused", () => {
    expect(() => ntp({ servers: 0 })).toThrow(/0 servers/);
    expect(() => ntp({ period: 10, patience: 10 })).toThrow(/do not fit/);
    expect(() => cristian({ rounds: -1 })).toThrow(/rounds is -1/);
  });
});
