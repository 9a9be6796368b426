import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DURATION_MAX } from "../core/index.js";
import { checkFaults } from "./check.js";
import { describeFaults } from "./describe.js";
import { formatFaults } from "./format.js";
import { parseFaultsJson } from "./json.js";
import { parseFaults } from "./parse.js";
import type { DelayFault, FaultPlan, LinkFault, ScheduledFault } from "./plan.js";

const name = fc.oneof(
  fc.constantFrom("P1", "P2", "P3", "at", "loss", "one-way", "drift", "-", "a..b", "1s"),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
);
const duration = fc.oneof(
  fc.nat(100).map((n) => n * 1_000),
  fc.nat(10_000_000),
  fc.integer({ min: 0, max: DURATION_MAX }),
);
const rate = fc.oneof(
  fc.nat(100).map((n) => n / 100),
  fc.double({ min: 0, max: 1, noNaN: true }).map((p) => p + 0),
);
const ppm = fc.oneof(fc.integer({ min: -500, max: 500 }), fc.integer({ min: -5e5, max: 5e5 }));

const delay: fc.Arbitrary<DelayFault> = fc
  .tuple(fc.array(duration, { minLength: 3, maxLength: 3 }), fc.boolean())
  .map(([times, withMean]) => {
    const [min = 0, mean = 0, max = 0] = times.sort((a, b) => a - b);
    return withMean ? { min, max, mean } : { min, max };
  });

const link: fc.Arbitrary<LinkFault> = fc
  .record(
    { from: name, to: name, loss: rate, duplicate: rate, reorder: rate, corrupt: rate, delay },
    { requiredKeys: [] },
  )
  .filter((fault) => fault.from === undefined || fault.from !== fault.to)
  .filter(({ from: _from, to: _to, ...faults }) => Object.keys(faults).length > 0);

const span = fc
  .tuple(duration, fc.option(duration))
  .map(([at, length]) => (length === null ? { at } : { at, until: Math.min(DURATION_MAX, at + length) }))
  .filter(({ at, until }) => until === undefined || until > at);

const scheduled: fc.Arbitrary<ScheduledFault> = fc.oneof(
  fc
    .tuple(fc.uniqueArray(name, { minLength: 2, maxLength: 6 }), fc.nat(4), span)
    .map(([names, cut, times]) => {
      const first = 1 + (cut % (names.length - 1));
      return { kind: "partition" as const, groups: [names.slice(0, first), names.slice(first)], ...times };
    }),
  fc
    .tuple(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), span)
    .map(([[from = "", to = ""], times]) => ({ kind: "one-way" as const, from, to, ...times })),
  fc
    .tuple(fc.constantFrom("pause", "refuse", "failed-send", "failed-receive", "disk-full"), name, span)
    .map(([kind, process, times]) => ({ kind, process, ...times })),
  fc
    .tuple(fc.constantFrom("crash", "restart"), name, duration)
    .map(([kind, process, at]) => ({ kind, process, at })),
  fc.tuple(name, duration, duration, fc.boolean(), ppm).map(([process, at, size, back, driftPpm]) => ({
    kind: "clock" as const,
    process,
    at,
    step: (back ? -size : size) + 0,
    driftPpm,
  })),
);

const plan: fc.Arbitrary<FaultPlan> = fc
  .record({ links: fc.array(link, { maxLength: 4 }), schedule: fc.array(scheduled, { maxLength: 4 }) })
  .filter((candidate) => {
    try {
      checkFaults(candidate);
      return true;
    } catch {
      return false; // Crashes without a restart between, pauses that overlap.
    }
  });

describe("formatFaults", () => {
  test("writes what parseFaults reads back as the same plan", () => {
    fc.assert(
      fc.property(plan, (faults) => {
        expect(parseFaults(formatFaults(faults))).toEqual(faults);
        expect(parseFaultsJson(JSON.parse(JSON.stringify(faults)))).toEqual(faults);
      }),
      { numRuns: 500 },
    );
  });

  test("writes the language as people do", () => {
    const text =
      "delay 5..50ms mean 10ms, P1->P3 loss 50% duplicate 7%, *->P3 corrupt 0.5%, " +
      "partition P1 P2 | P3 P4 at 2s..5s, one-way P1 -> P2 at 1s..2s, crash P2 at 3s, restart P2 at 5s, " +
      "pause P1 at 1s..2s, clock P3 +250ms drift 80ppm at 0ms, refuse P2 at 0ms..1s";
    expect(formatFaults(parseFaults(text))).toBe(text);
    expect(formatFaults({ links: [], schedule: [] })).toBe("");
  });
});

describe("describeFaults", () => {
  test("says each fault in plain English", () => {
    const text = `
      delay 5..50ms mean 10ms loss 10%, delay 20ms, P1->* duplicate 5%, *->P3 reorder 20%, P1->P3 corrupt 1%
      partition P1 P2 | P3 P4 at 2s..5s, one-way P1 -> P2 at 1s, crash P2 at 3s, restart P2 at 5s
      pause P1 at 1s..2s, clock P3 +250ms drift 80ppm, clock P3 -1s at 2s, clock P3 drift -5ppm at 3s
      clock P3 +0ms at 4s, refuse P2 at 0s..1s, fail-send P1 at 1s, fail-receive P1 at 1s, disk-full P1 at 2s`;
    expect(describeFaults(parseFaults(text)).join("\n")).toMatchInlineSnapshot(`
      "every link: messages take 5ms to 50ms longer, 10ms on average; 10% of messages lost
      every link: messages take 20ms longer
      every link from P1: 5% of messages arrive twice
      every link to P3: 20% of messages held back so that later ones overtake them
      P1 to P3: 1% of messages corrupted, and dropped by the receiver
      from 2s to 5s: no messages between {P1, P2} and {P3, P4}
      from 1s on: messages from P1 to P2 are lost
      at 3s: P2 crashes
      at 5s: P2 restarts
      from 1s to 2s: P1 is paused
      from 0ms on: the clock of P3 is set forward by 250ms and runs 80 ppm fast
      from 2s on: the clock of P3 is set back by 1s
      from 3s on: the clock of P3 runs 5 ppm slow
      from 4s on: the clock of P3 runs true
      from 0ms to 1s: nobody can connect to P2, and its links are down
      from 1s on: what P1 sends is lost
      from 1s on: what reaches P1 is lost there
      from 2s on: what P1 saves is not kept"
    `);
  });
});
