import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MILLISECOND, processNames, SECOND, UsageError } from "../core/index.js";
import { createInjector } from "./injector.js";
import type { Injector } from "./injector.js";
import { parseFaults } from "./parse.js";
import { NO_FAULTS } from "./plan.js";
import { DELIVERED } from "./verdict.js";
import type { Arrival, Verdict } from "./verdict.js";

const ms = MILLISECOND;
const PROCESSES = processNames(4);

function injector(text: string, seed = 1): Injector {
  return createInjector(parseFaults(text, PROCESSES), PROCESSES, seed);
}

/** The verdicts on the first `count` messages of P1 to P2, sent a millisecond apart. */
function verdicts(text: string, { seed = 1, count = 10_000, from = "P1", to = "P2" } = {}): Verdict[] {
  const faults = injector(text, seed);
  return Array.from({ length: count }, (_, k) => faults.verdict(from, to, k * ms));
}

/** `drop: reason`, or how many arrive. */
function fate(verdict: Verdict): string {
  return verdict.kind === "drop" ? verdict.reason : `${verdict.arrivals.length}`;
}

function share(all: readonly Verdict[], which: (verdict: Verdict) => boolean): number {
  return all.filter(which).length / all.length;
}

function arrivals(all: readonly Verdict[]): Arrival[] {
  return all.flatMap((verdict) => (verdict.kind === "deliver" ? verdict.arrivals : []));
}

/** What is sent a millisecond apart, in the order of arrival, by the rule of `Arrival`. */
function arrivalOrder(all: readonly Verdict[]): number[] {
  let inLine = -Infinity;
  const arrived: { k: number; at: number; place: number }[] = [];
  for (const [k, verdict] of all.entries()) {
    if (verdict.kind === "drop") continue;
    for (const { after, overtakable } of verdict.arrivals) {
      const at = Math.max(inLine, k * ms + after);
      arrived.push({ k, at, place: arrived.length });
      if (!overtakable) inLine = at;
    }
  }
  return arrived.sort((a, b) => a.at - b.at || a.place - b.place).map(({ k }) => k);
}

describe("an empty plan", () => {
  test("delivers everything once, at once and in order, as one shared verdict", () => {
    const faults = createInjector(NO_FAULTS, PROCESSES, 1);
    expect(faults.verdict("P1", "P2", 0)).toBe(DELIVERED);
    expect(DELIVERED).toEqual({
      kind: "deliver",
      arrivals: [{ after: 0, overtakable: false, held: undefined }],
    });
    expect(faults.receives("P1", 0)).toBe(true);
    expect(faults.savesFail("P1", 0)).toBe(false);
  });

  test("is what links and processes have that a plan does not mention", () => {
    const faults = injector("P1->P2 loss 100%, crash P4 at 1s");
    expect(faults.verdict("P2", "P1", 0)).toBe(DELIVERED);
    expect(faults.verdict("P1", "P3", 0)).toBe(DELIVERED);
  });
});

describe("rates", () => {
  test.each([
    ["loss 10%", 0.1, (v: Verdict) => fate(v) === "loss"],
    ["corrupt 3%", 0.03, (v: Verdict) => fate(v) === "corrupt"],
    ["duplicate 5%", 0.05, (v: Verdict) => fate(v) === "2"],
    ["reorder 20%", 0.2, (v: Verdict) => arrivals([v])[0]?.held === "reorder"],
  ] as const)("%s touches about that many messages", (text, rate, which) => {
    // Four standard deviations of 10,000 draws.
    expect(Math.abs(share(verdicts(text), which) - rate)).toBeLessThan(
      4 * Math.sqrt((rate * (1 - rate)) / 10_000),
    );
  });

  test("of 0% and 100% are never and always", () => {
    expect(share(verdicts("loss 0% duplicate 0%"), (v) => v === DELIVERED)).toBe(1);
    expect(share(verdicts("loss 100%"), (v) => fate(v) === "loss")).toBe(1);
    expect(share(verdicts("duplicate 100%"), (v) => fate(v) === "2")).toBe(1);
  });

  test("of different kinds decide independently", () => {
    const both = share(
      verdicts("duplicate 50% reorder 50%"),
      (v) => fate(v) === "2" && arrivals([v])[0]?.held === "reorder",
    );
    expect(Math.abs(both - 0.25)).toBeLessThan(0.02);
  });

  test("of later entries replace those of earlier ones, field by field", () => {
    const all = verdicts("loss 100% delay 7ms, P1->* loss 0%, P1->P2 duplicate 100%", { count: 3 });
    expect(all.map(fate)).toEqual(["2", "2", "2"]);
    expect(arrivals(all)[0]).toEqual({ after: 7 * ms, overtakable: false, held: "delay" });
    expect(verdicts("loss 100%, P1->P2 loss 0%", { from: "P2", to: "P1", count: 3 }).map(fate)).toEqual([
      "loss",
      "loss",
      "loss",
    ]);
  });
});

describe("the verdict on the k-th message of a link", () => {
  test("depends on the seed and the link", () => {
    const text = "loss 50%";
    const base = verdicts(text, { count: 64 }).map(fate);
    expect(verdicts(text, { count: 64 }).map(fate)).toEqual(base);
    expect(verdicts(text, { count: 64, seed: 2 }).map(fate)).not.toEqual(base);
    expect(verdicts(text, { count: 64, to: "P3" }).map(fate)).not.toEqual(base);
    expect(verdicts(text, { count: 64, from: "P2", to: "P1" }).map(fate)).not.toEqual(base);
  });

  test("does not depend on what other links do", () => {
    const alone = verdicts("loss 30% delay 1..9ms", { count: 100 });
    const faults = injector("loss 30% delay 1..9ms");
    const amongOthers = alone.map((_, k) => {
      for (let i = 0; i < k % 5; i++) faults.verdict("P1", "P3", k);
      faults.verdict("P2", "P1", k);
      return faults.verdict("P1", "P2", k * ms);
    });
    expect(amongOthers).toEqual(alone);
  });

  test("keeps every other decision when one rate changes", () => {
    const rate = fc.constantFrom(0, 1, 10, 50, 100);
    fc.assert(
      fc.property(rate, rate, rate, fc.nat(), (duplicate, reorder, loss, seed) => {
        const rest = "corrupt 10% delay 1..9ms";
        const before = verdicts(`loss ${loss}% ${rest}`, { seed, count: 200 });
        const after = verdicts(`loss ${loss}% ${rest} duplicate ${duplicate}% reorder ${reorder}%`, {
          seed,
          count: 200,
        });
        const drops = (all: readonly Verdict[]): string[] =>
          all.map((v) => (v.kind === "drop" ? v.reason : "arrives"));
        expect(drops(after)).toEqual(drops(before));
        const plainDelays = (all: readonly Verdict[], k: number): number | undefined => {
          const own = arrivals(all.slice(k, k + 1))[0];
          return own?.held === "reorder" ? undefined : own?.after;
        };
        for (const k of before.keys()) {
          expect(plainDelays(after, k) ?? plainDelays(before, k)).toBe(plainDelays(before, k));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("keeps its losses outside a partition when one is added", () => {
    const before = verdicts("loss 30%", { count: 100 }).map(fate);
    const after = verdicts("loss 30%, partition P1 | P2 at 20ms..50ms", { count: 100 }).map(fate);
    expect(after.slice(20, 50)).toEqual(Array.from({ length: 30 }, () => "partition"));
    expect([...after.slice(0, 20), ...after.slice(50)]).toEqual([
      ...before.slice(0, 20),
      ...before.slice(50),
    ]);
  });

  test("is part of the trace format: this seed gives these verdicts for ever", () => {
    const text = "delay 5..50ms mean 10ms loss 10% duplicate 20% reorder 20% corrupt 10%";
    const lines = verdicts(text, { seed: 41, count: 12 }).map((verdict) =>
      verdict.kind === "drop"
        ? verdict.reason
        : verdict.arrivals.map(({ after, held }) => `${after} ${held ?? "copy"}`).join(", "),
    );
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "8048 delay
      6778 delay
      5730 delay
      20841 delay
      176371 reorder
      loss
      157526 reorder
      6137 delay
      7007 delay
      5369 delay
      10239 delay, 68404 copy
      192126 reorder"
    `);
  });
});

describe("order on a link", () => {
  test("is kept by delays", () => {
    const all = verdicts("delay 0..50ms", { count: 500 });
    const order = arrivalOrder(all);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(arrivals(all).every(({ overtakable }) => !overtakable)).toBe(true);
    expect(new Set(arrivals(all).map(({ after }) => after)).size).toBeGreaterThan(400);
  });

  test("is broken by reordering: messages held back are overtaken, and overtake none", () => {
    const all = verdicts("reorder 20% delay 0..5ms", { count: 500 });
    const order = arrivalOrder(all);
    const overtaken = (k: number): boolean => order.slice(0, order.indexOf(k)).some((other) => other > k);
    for (const [k, verdict] of all.slice(0, 450).entries()) {
      expect(overtaken(k)).toBe(arrivals([verdict])[0]?.overtakable);
    }
  });

  test("has a message held for reordering wait two to four times the longest delay, at least 2 ms", () => {
    for (const { after, held } of arrivals(verdicts("reorder 100% delay 10ms", { count: 500 }))) {
      expect(held).toBe("reorder");
      expect(after).toBeGreaterThanOrEqual(30 * ms);
      expect(after).toBeLessThanOrEqual(50 * ms);
    }
    for (const { after } of arrivals(verdicts("reorder 100%", { count: 500 }))) {
      expect(after).toBeGreaterThanOrEqual(2 * ms);
      expect(after).toBeLessThanOrEqual(4 * ms);
    }
  });

  test("lets a copy come late, but never before its original", () => {
    const all = verdicts("duplicate 30% delay 0..5ms", { count: 500 });
    const order = arrivalOrder(all);
    const firsts = [...new Set(order)];
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    for (const verdict of all) {
      if (verdict.kind === "deliver" && verdict.arrivals.length > 1) {
        const [own, copy] = verdict.arrivals;
        expect(own).toMatchObject({ overtakable: false });
        expect(copy).toMatchObject({ overtakable: true, held: undefined });
        expect(copy?.after).toBeGreaterThan(0);
      }
    }
  });
});

describe("scheduled faults", () => {
  const at = (text: string, from: string, to: string, now: number): string =>
    fate(injector(text).verdict(from, to, now));

  test("a partition cuts both ways between groups, from its beginning until its end", () => {
    const text = "partition P1 P2 | P3 at 2s..5s";
    expect(at(text, "P1", "P3", 2 * SECOND)).toBe("partition");
    expect(at(text, "P3", "P2", 5 * SECOND - 1)).toBe("partition");
    expect(at(text, "P1", "P2", 3 * SECOND)).toBe("1");
    expect(at(text, "P1", "P3", 2 * SECOND - 1)).toBe("1");
    expect(at(text, "P1", "P3", 5 * SECOND)).toBe("1");
  });

  test("a process in no group of a partition reaches everyone", () => {
    const text = "partition P1 P2 | P3 at 2s";
    for (const other of ["P1", "P2", "P3"]) {
      expect(at(text, "P4", other, 3 * SECOND)).toBe("1");
      expect(at(text, other, "P4", 3 * SECOND)).toBe("1");
    }
  });

  test("one-way cuts one direction", () => {
    expect(at("one-way P1 -> P2 at 1s", "P1", "P2", SECOND)).toBe("partition");
    expect(at("one-way P1 -> P2 at 1s", "P2", "P1", SECOND)).toBe("1");
  });

  test("refuse takes every link of the process down", () => {
    expect(at("refuse P2 at 0s", "P1", "P2", 0)).toBe("refused");
    expect(at("refuse P2 at 0s", "P2", "P1", 0)).toBe("refused");
    expect(at("refuse P2 at 0s", "P1", "P3", 0)).toBe("1");
  });

  test("the fault nearest the sender gives the reason", () => {
    const text = "loss 100%, partition P1 | P2 at 1s, refuse P2 at 2s, fail-send P1 at 3s";
    const faults = injector(text);
    expect([0, 1, 2, 3].map((t) => fate(faults.verdict("P1", "P2", t * SECOND)))).toEqual([
      "loss",
      "partition",
      "refused",
      "failed-send",
    ]);
    // A clock that goes back finds its way.
    expect(fate(faults.verdict("P1", "P2", SECOND))).toBe("partition");
  });

  test("failed receptions and full disks are the process's own", () => {
    const faults = injector("fail-receive P1 at 1s..2s, fail-receive P1 at 3s, disk-full P2 at 1s..2s");
    const times = [0, 1, 2, 3].map((t) => t * SECOND);
    expect(times.map((t) => faults.receives("P1", t))).toEqual([true, false, true, false]);
    expect(times.map((t) => faults.receives("P2", t))).toEqual([true, true, true, true]);
    expect(times.map((t) => faults.savesFail("P2", t))).toEqual([false, true, false, false]);
    expect(fate(faults.verdict("P1", "P2", SECOND))).toBe("1");
  });

  test("do not touch what a process sends to itself", () => {
    expect(at("loss 100%, fail-send P1 at 0s", "P1", "P1", 0)).toBe("1");
  });
});

test("a plan that names a stranger makes no injector", () => {
  expect(() => createInjector(parseFaults("crash P9 at 1s"), PROCESSES, 1)).toThrow(UsageError);
});
