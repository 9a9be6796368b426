import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

type Core = typeof import("../../../src/core/index.js");
type Protocols = typeof import("../../../src/protocols/index.js");

function from<Module>(root: string, layer: string): Promise<Module> {
  return import(new URL(`${layer}/index.js`, root).href);
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

export const scenarios: readonly Scenario[] = [
  {
    name: "berkeley/bad-network",
    claim:
      "over a network that delays, loses and doubles, clocks are measured, averaged and kept within the bound",
    run: (root) =>
      allSeedsPass(root, {
        lab: "berkeley",
        processes: 4,
        seeds: 60,
        faults: "delay 1..20ms, loss 5%, duplicate 20%",
        options: { rounds: 5 },
      }),
  },
  {
    name: "berkeley/quiet-network",
    claim: "without faults every round corrects every clock, at its cost, and no clock runs backward",
    run: (root) =>
      allSeedsPass(root, { lab: "berkeley", processes: 4, seeds: 20, faults: "", options: { rounds: 3 } }),
  },
  {
    name: "berkeley/paused-master",
    claim: "answers that waited for a master that was paused do not count",
    run: (root) =>
      allSeedsPass(root, {
        lab: "berkeley",
        processes: 3,
        seeds: 20,
        faults: "delay 5..20ms, pause P1 at 1205ms..1600ms",
        options: { rounds: 3, samples: 1 },
      }),
  },
  {
    name: "berkeley/fault-tolerant-average",
    claim: "the largest set of clocks within γ is averaged, wherever the master's clock and the window stand",
    async run(root) {
      const { faultTolerantAverage } = await from<Protocols>(root, "protocols");
      const historical = faultTolerantAverage([0, 10, 18, 25, 29, 40], 20);
      expectSame("γ = 20", historical, { mean: 21, members: [1, 2, 3, 4] });
      const cluster = faultTolerantAverage([0, 500, 510, 520], 100);
      expectSame("γ = 100", cluster, { mean: 510, members: [1, 2, 3] });
    },
  },
  {
    name: "berkeley/old-correction",
    claim: "a correction of an earlier round that comes after a later one is not made",
    async run(root) {
      const { placeOf, step } = await from<Core>(root, "core");
      const { berkeley } = await from<Protocols>(root, "protocols");
      const protocol = berkeley();
      const around = { place: placeOf(["P1", "P2"], "P2"), incarnation: 0, now: 0, pick: () => 0 };
      let { state } = step(protocol, undefined, { kind: "start" }, around);
      for (const round of [2, 1]) {
        const message = { kind: "adjust", round, epoch: 1, delta: 1_000 } as const;
        ({ state } = step(protocol, state, { kind: "message", from: "P1", message }, around));
      }
      expectSame("the slave's last round", state.applied, [1, 2]);
      expectSame("what it slews", state.course.slew?.size, 1_000);
    },
  },
  {
    name: "cristian/slow-network",
    claim: "over a network whose replies may come too late, a clock is as right as it says",
    run: (root) =>
      allSeedsPass(root, {
        lab: "cristian",
        processes: 3,
        seeds: 60,
        faults: "delay 1..80ms, loss 10%",
        options: { rounds: 4 },
      }),
  },
  {
    name: "ntp/bad-network",
    claim: "with one wrong server of four, over a bad network, a clock is as right as it says",
    run: (root) =>
      allSeedsPass(root, {
        lab: "ntp",
        processes: 5,
        seeds: 60,
        faults: "delay 0..120ms, loss 10%, duplicate 10%",
        options: { rounds: 8, period: 150_000 },
      }),
  },
  {
    name: "ntp/four-times",
    claim: "offset and delay of 1000, 1065, 1070, 1035 are 50 and 30",
    async run(root) {
      const { sampleOf } = await from<Protocols>(root, "protocols");
      expectSame("the sample", sampleOf(1_000, 1_065, 1_070, 1_035), { offset: 50, delay: 30 });
    },
  },
  {
    name: "ntp/intervals",
    claim: "intervals are intersected as Marzullo and the RFC have it",
    async run(root) {
      const { intersection, marzullo } = await from<Protocols>(root, "protocols");
      const touching = [
        { low: 1, high: 2 },
        { low: 2, high: 3 },
      ];
      expectSame("two that touch", marzullo(touching), { low: 2, high: 2, count: 2 });
      const three = [
        { low: 0, high: 4 },
        { low: 1, high: 3.5 },
        { low: 2.2, high: 6 },
      ];
      expectSame("the RFC's interval", intersection(three), { low: 1, high: 4 });
    },
  },
  {
    name: "lundelius-lynch/mean",
    claim: "a clock is moved by the mean of all differences, its own counted",
    async run(root) {
      const { lundeliusLynchCorrection } = await from<Protocols>(root, "protocols");
      expectSame("of 30, 60 and its own", lundeliusLynchCorrection([30, 60]), 30);
    },
  },
];
