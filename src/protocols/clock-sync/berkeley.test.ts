import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork, type Weather } from "../../../test/support/pure-network.js";
import { ClockCourse } from "../../clocks/index.js";
import { MILLISECOND, processNames, SECOND, type Duration, type ProcessId } from "../../core/index.js";
import { berkeley, berkeleyNarration, type BerkeleyOutput, type BerkeleyState } from "./berkeley.js";
import type { BerkeleyMessage } from "./berkeley-messages.js";
import type { BerkeleyOptions } from "./berkeley-options.js";

type Net = PureNetwork<BerkeleyState, BerkeleyMessage, never, BerkeleyOutput>;

const TEXTBOOK = [100.3, 102.5, 98.4, 101].map((seconds) => seconds * SECOND);

function group(
  options: Partial<BerkeleyOptions>,
  weather: Partial<Weather<BerkeleyMessage>> = {},
  n = 4,
): Net {
  return new PureNetwork(berkeley(options), processNames(n), { seed: 1, ...weather });
}

/** What each clock shows, less the time that passed. */
function clocksOf(net: Net, processes: readonly ProcessId[] = processNames(4)): Duration[] {
  return processes.map((process) => ClockCourse.read(net.state(process).course, net.now) - net.now);
}

/** What was told of that kind, with who told it. */
function outputs<Kind extends BerkeleyOutput["kind"]>(
  net: Net,
  kind: Kind,
): (Extract<BerkeleyOutput, { kind: Kind }> & { process: ProcessId })[] {
  return net.deeds.flatMap(({ process, effect }) => {
    if (effect.kind !== "output" || !isOf(effect.value, kind)) return [];
    return [{ ...effect.value, process }];
  });
}

function isOf<Kind extends BerkeleyOutput["kind"]>(
  output: BerkeleyOutput,
  kind: Kind,
): output is Extract<BerkeleyOutput, { kind: Kind }> {
  return output.kind === kind;
}

/** The corrections made, by process. */
function deltas(net: Net): Record<ProcessId, Duration> {
  const made = outputs(net, "clock").filter(({ cause }) => cause === "slew" || cause === "step");
  return Object.fromEntries(made.map(({ process, delta }) => [process, delta]));
}

describe("from the source", () => {
  test.each([
    [5 * SECOND, [250_000, -1_950_000, 2_150_000, -450_000], 100_550_000],
    [2_500 * MILLISECOND, [966_667, -1_233_333, 2_866_667, 266_667], 101_266_667],
    [SECOND, [350_000, -1_850_000, 2_250_000, -350_000], 100_650_000],
  ])("§3.3: the textbook's clocks, γ = %d µs", (gamma, expected, time) => {
    const net = group({ clocks: TEXTBOOK, rounds: 1, gamma });
    expect(net.run()).toBe("quiescent");
    expect(deltas(net)).toEqual(Object.fromEntries(processNames(4).map((name, i) => [name, expected[i]])));
    expect(clocksOf(net)).toEqual([time, time, time, time]);
  });

  test.each([2, 3, 4, 7])("§II: a round of %d clocks with m samples costs (2m+2)(n-1) messages", (n) => {
    for (const samples of [1, 5]) {
      const net = group({ rounds: 2, samples }, {}, n);
      net.run();
      const kinds = processNames(n).flatMap((process) => net.sent(process).map(({ kind }) => kind));
      const ofRounds = kinds.filter((kind) => ["poll", "answer", "adjust", "ack"].includes(kind));
      expect(ofRounds).toHaveLength(2 * (2 * samples + 2) * (n - 1));
    }
  });

  test("§II: one that is left out of the average is corrected all the same", () => {
    const net = group({ clocks: [0, 1, 2, 3_600 * SECOND], rounds: 1 });
    net.run();
    expect(outputs(net, "round")[0]).toMatchObject({ averaged: ["P1", "P2", "P3"], average: 1 });
    expect(deltas(net)["P4"]).toBe(1 - 3_600 * SECOND);
  });

  test("election: a living master tells the candidate to quit, and stays", () => {
    const net = group({ rounds: 3 });
    net.run({ until: 300 * MILLISECOND });
    net.inject("P3", "P1", { kind: "election", epoch: 3 });
    net.run({ until: 305 * MILLISECOND });
    expect(net.sent("P1").at(-1)).toEqual({ kind: "quit", epoch: 1, master: "P1" });
    expect(net.state("P1").role.kind).toBe("master");
  });

  test("election: a slave accepts the first candidate and refuses the others, until the first had its time", () => {
    const net = group({}, { drops: ({ from }) => from === "P1" });
    net.inject("P2", "P4", { kind: "election", epoch: 2 });
    net.inject("P3", "P4", { kind: "election", epoch: 3 });
    net.inject("P2", "P4", { kind: "election", epoch: 2 });
    net.inject("P3", "P4", { kind: "election", epoch: 3 }, 500 * MILLISECOND);
    net.run({ until: 500 * MILLISECOND });
    expect(net.sent("P4").map(({ kind }) => kind)).toEqual(["accept", "refuse", "accept", "accept"]);
  });

  test("election: a candidate that is refused withdraws", () => {
    const net = group({});
    net.inject("P2", "P1", { kind: "refuse", epoch: 1 });
    net.run({ until: 300 * MILLISECOND });
    expect(net.state("P1").role).toMatchObject({ kind: "slave", promised: null });
    expect(net.explained("P1", "bk.win")).toEqual([]);
  });

  test("a master that is lost is replaced, and the rounds go on to the last", () => {
    const net = group({ rounds: 5 });
    net.crash("P1", 1_500 * MILLISECOND);
    expect(net.run()).toBe("quiescent");
    const masters = outputs(net, "master").map(({ process }) => process);
    expect(masters[0]).toBe("P1");
    expect(masters.length).toBeGreaterThan(1);
    for (const process of ["P2", "P3", "P4"]) expect(net.state(process).applied[1]).toBe(5);
  });

  test("conflict: when a partition heals, the master of the earlier epoch yields to the later one's", () => {
    let parted = true;
    const side = (process: ProcessId): boolean => process === "P1" || process === "P2";
    const net = group({ rounds: 20 }, { drops: ({ from, to }) => parted && side(from) !== side(to) });
    net.run({ until: 8 * SECOND });
    const masters = () => processNames(4).filter((process) => net.state(process).role.kind === "master");
    expect(masters()).toHaveLength(2);
    parted = false;
    net.run({ until: 11 * SECOND });
    expect(masters()).toHaveLength(1);
    expect(net.explained("P1", "bk.yield")).toHaveLength(1);
    expect(new Set(processNames(4).map((process) => net.state(process).epoch)).size).toBe(1);
    checkNarrated(net.deeds, berkeleyNarration);
  });
});

describe("beyond the paper", () => {
  test("what a process has corrected survives its crash, the rest of the slew included", () => {
    const net = group({ clocks: TEXTBOOK, rounds: 1 });
    net.run({ until: 3 * SECOND });
    net.crash("P3");
    net.restart("P3", net.now + SECOND);
    expect(net.run()).toBe("quiescent");
    expect(clocksOf(net)).toEqual([100_550_000, 100_550_000, 100_550_000, 100_550_000]);
  });

  test.each([
    { kind: "adjust", round: 1, epoch: 1, delta: Number.NaN },
    { kind: "adjust", round: 1, epoch: 1, delta: 2 ** 63 },
    { kind: "adjust", round: 1.5, epoch: 1, delta: 0 },
    { kind: "adjust", round: 1, epoch: Number.POSITIVE_INFINITY, delta: 0 },
    { kind: "adjust", round: 1, epoch: 5 + 4 * 2 ** 40, delta: 0 },
    { kind: "adjust", round: 1, epoch: 2, delta: 0 },
    { kind: "poll", round: 1, sample: 1, epoch: 1, sent: -(2 ** 63) },
    { kind: "answer", round: 1, sample: 1, epoch: 1, sent: 0, received: Number.NaN, answered: 0 },
    { kind: "quit", epoch: 2, master: "P9" },
    { kind: "bribe", epoch: 1 },
    null,
    7,
  ])("nonsense from a peer is reported and changes nothing: %j", (message) => {
    const protocol = berkeley();
    const place = { self: "P2", processes: processNames(4), peers: ["P1", "P3", "P4"] };
    const told: string[] = [];
    const net = group({});
    const state = net.state("P2");
    // Not what the type allows: it came over a network.
    const next = protocol.onMessage(state, "P1", message as BerkeleyMessage, {
      ...place,
      incarnation: 0,
      now: 0,
      explain: (rule: string) => void told.push(rule),
      send: forbidden,
      broadcast: forbidden,
      setTimer: forbidden,
      cancelTimer: forbidden,
      save: forbidden,
      output: forbidden,
      deliver: forbidden,
      choose: (_name, [first]) => first as never,
    });
    expect(next).toBe(state);
    expect(told).toEqual(["bk.nonsense"]);
  });

  test("a peer that lies by an hour moves nobody", () => {
    const net = group({ clocks: [0, 1_000, 2_000, 3_600 * SECOND], rounds: 4 });
    net.run();
    expect(clocksOf(net, ["P1", "P2", "P3"])).toEqual([1_000, 1_000, 1_000]);
    expect(net.explained("P1", "bk.far")[0]).toEqual({ far: ["P4 (+3600 s)"] });
  });

  test.each([
    [{ gamma: -1 }, /γ is -1/],
    [{ slewPpm: 1_000_000 }, /ppm of slewing/],
    [{ samples: 0 }, /0 samples/],
    [{ period: 100, patience: 100 }, /do not fit into a period/],
    [{ rounds: 0.5 }, /0.5 rounds/],
  ] as const)("what no group could do is refused: %j", (options, reason) => {
    expect(() => berkeley(options)).toThrow(reason);
  });
});

test("whatever the network does, clocks never run backward, an epoch has one master, and it comes to rest", () => {
  const storm = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 2, max: 5 }),
    loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
    duplicate: fc.double({ min: 0, max: 0.3, noNaN: true }),
    slowest: fc.nat(60 * MILLISECOND),
    clocks: fc.array(fc.nat(30 * SECOND), { minLength: 5, maxLength: 5 }),
    crashAt: fc.nat(4 * SECOND),
    restarts: fc.boolean(),
  });
  fc.assert(
    fc.property(storm, ({ seed, n, loss, duplicate, slowest, clocks, crashAt, restarts }) => {
      const processes = processNames(n);
      const net = group({ clocks, rounds: 4 }, { seed, loss, duplicate, delay: [100, 100 + slowest] }, n);
      net.crash("P1", crashAt);
      if (restarts) net.restart("P1", crashAt + SECOND);
      const shown = new Map<ProcessId, number>();
      let ended = false;
      while (!ended) {
        ended = net.run({ stepsMax: 1 }) === "quiescent";
        for (const process of processes) {
          if (process === "P1") continue;
          const reading = ClockCourse.read(net.state(process).course, net.now);
          const stepped = (shown.get(process) ?? 0) - reading > 20 * SECOND;
          if (!stepped) expect(reading).toBeGreaterThanOrEqual(shown.get(process) ?? 0);
          shown.set(process, reading);
        }
      }
      const epochs = outputs(net, "master").map(({ epoch }) => epoch);
      expect(new Set(epochs).size).toBe(epochs.length);
      for (const process of processes) {
        if (process === "P1" && !restarts) continue;
        expect(net.state(process).applied[1]).toBe(4);
      }
      checkNarrated(net.deeds, berkeleyNarration);
    }),
    { numRuns: 60 },
  );
});

function forbidden(): never {
  throw new Error("nonsense had an effect");
}
