import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mailbox } from "../../../test/support/mailbox.js";
import { checkNarrated } from "../../../test/support/narrated.js";
import type { Weather } from "../../../test/support/pure-network.js";
import { PureNetwork } from "../../../test/support/pure-network.js";
import { MILLISECOND, placeOf, SECOND, step } from "../../core/index.js";
import type { FifoMessage, ReliableMessage } from "./index.js";
import { FIFO_EARLY_MAX, fifo, fifoNarration, reliable, reliableNarration } from "./index.js";

type Frame = FifoMessage<string>;

function network(weather: Partial<Weather<Frame>> = {}) {
  return new PureNetwork(fifo(mailbox), ["P1", "P2"], { seed: 1, ...weather });
}

function orderedNetwork(weather: Partial<Weather<ReliableMessage<Frame>>> = {}) {
  return new PureNetwork(reliable(fifo(mailbox)), ["P1", "P2"], { seed: 1, ...weather });
}

const frame = (seq: number): Frame => ({ kind: "data", epoch: 0, toEpoch: 0, seq, body: `${seq}` });
const texts = (outputs: readonly { readonly text: string }[]) => outputs.map(({ text }) => text);
const upTo = (count: number, prefix = "") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe("from the source", () => {
  test("§2.1: arrivals 2, 1, 1, 3 are handed over as 1, 2, 3", () => {
    const net = network();
    for (const seq of [2, 1, 1, 3]) net.inject("P1", "P2", frame(seq));
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["1", "2", "3"]);
    expect(net.handedOver("P2", "fifo")).toEqual(["P1:1", "P1:2", "P1:3"]);
    expect(net.explained("P2", "fifo.duplicate")).toEqual([{ peer: "P1", sequence: 1 }]);
  });

  test("§2.1: a message after a gap waits, and a second copy of it is dropped", () => {
    const net = network();
    for (const seq of [4, 2, 4, 3]) net.inject("P1", "P2", frame(seq));
    net.run();
    expect(net.outputs("P2")).toEqual([]);
    expect(net.state("P2").fifo["P1"]?.early.map(({ seq }) => seq)).toEqual([2, 3, 4]);
    net.inject("P1", "P2", frame(1));
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["1", "2", "3", "4"]);
    expect(net.state("P2").fifo["P1"]?.early).toEqual([]);
  });

  test("§2.1: each sender has a stream of its own", () => {
    const net = new PureNetwork(fifo(mailbox), ["P1", "P2", "P3"], { seed: 1 });
    net.inject("P1", "P3", frame(2));
    net.inject("P2", "P3", frame(1));
    net.run();
    expect(net.handedOver("P3", "fifo")).toEqual(["P2:1"]);
  });
});

test("without loss, whatever the network reorders and repeats arrives once and in order", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (seed, count, duplicate) => {
        const net = network({ seed, duplicate, delay: [0, 50 * MILLISECOND] });
        for (let i = 0; i < count; i++) net.command("P1", { to: "P2", text: `?${i}` }, i * MILLISECOND);
        expect(net.run()).toBe("quiescent");
        expect(texts(net.outputs("P2"))).toEqual(upTo(count, "?"));
        expect(texts(net.outputs("P1"))).toEqual(upTo(count, "!"));
        expect(net.state("P2").fifo["P1"]).toMatchObject({ next: count + 1, early: [] });
        checkNarrated(net.deeds, fifoNarration);
      },
    ),
    { numRuns: 200 },
  );
});

describe("alone, across restarts", () => {
  test("a receiver's new incarnation gets a stream from 1, and what was written to the old one is dropped", () => {
    const net = network();
    net.command("P1", { to: "P2", text: "a" });
    net.crash("P2", 5 * MILLISECOND);
    net.restart("P2", 6 * MILLISECOND);
    net.command("P1", { to: "P2", text: "to the dead" }, 10 * MILLISECOND);
    net.command("P1", { to: "P2", text: "b" }, 20 * MILLISECOND);
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a", "b"]);
    expect(net.explained("P2", "fifo.misdirected")).toEqual([
      { peer: "P1", sequence: 2, incarnation: 0, current: 1 },
    ]);
    checkNarrated(net.deeds, fifoNarration);
  });

  test("a sender's new incarnation begins at 1, and what the old one left early or late is dropped", () => {
    const net = network();
    net.inject("P1", "P2", frame(3));
    net.crash("P1");
    net.restart("P1");
    net.command("P1", { to: "P2", text: "new" });
    net.run();
    net.inject("P1", "P2", frame(1));
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["new"]);
    expect(net.explained("P2", "fifo.abandoned")).toEqual([{ peer: "P1", early: 1, waitedFor: 1 }]);
    expect(net.explained("P2", "fifo.stale")).toEqual([{ peer: "P1", incarnation: 0, current: 1 }]);
    checkNarrated(net.deeds, fifoNarration);
  });

  test("saved state and timers pass through", () => {
    const net = network();
    net.command("P1", { to: "P2", text: "save treasure" });
    net.crash("P1");
    net.restart("P1");
    net.command("P1", { to: "P2", text: "timer tick" });
    net.run();
    expect(net.state("P1").inner).toEqual({ received: 0, saved: "treasure" });
    expect(net.outputs("P1")).toEqual([{ from: "P1", text: "tick" }]);
  });
});

test("keeps so many early messages and drops the next, never out of order", () => {
  const early = Array.from({ length: FIFO_EARLY_MAX }, (_, i) => ({ seq: i + 2, body: "" }));
  const full = { inner: { received: 0 }, fifo: { P1: { epoch: 0, sent: 0, next: 1, early } } };
  const message = frame(FIFO_EARLY_MAX + 2);
  const { state, effects } = step(
    fifo(mailbox),
    full,
    { kind: "message", from: "P1", message },
    {
      place: placeOf(["P1", "P2"], "P2"),
      incarnation: 0,
      now: 0,
      pick: () => 0,
    },
  );
  expect(state).toBe(full);
  expect(effects).toEqual([
    {
      kind: "explain",
      rule: "fifo.overflow",
      terms: { peer: "P1", sequence: FIFO_EARLY_MAX + 2, limit: FIFO_EARLY_MAX },
    },
  ]);
});

describe("with reliable", () => {
  const weather = fc.record({
    seed: fc.nat(),
    loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
    duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
  });

  test("reliable(fifo(p)) hands everything over once and in order on a network that loses", () => {
    fc.assert(
      fc.property(weather, fc.integer({ min: 1, max: 30 }), (given, count) => {
        const net = orderedNetwork({ ...given, delay: [MILLISECOND, 100 * MILLISECOND] });
        for (let i = 0; i < count; i++) {
          net.command("P1", { to: "P2", text: `${i}` }, i * 5 * MILLISECOND);
          net.command("P2", { to: "P1", text: `${i}` }, i * 3 * MILLISECOND);
        }
        expect(net.run()).toBe("quiescent");
        expect(texts(net.outputs("P2"))).toEqual(upTo(count));
        expect(texts(net.outputs("P1"))).toEqual(upTo(count));
        expect(net.state("P1").links["P2"]).toMatchObject({ queue: [], beating: false, asking: false });
      }),
      { numRuns: 150 },
    );
  });

  test("a restart of the receiver loses nothing: each incarnation sees an unbroken run, and the last sees the last", () => {
    fc.assert(
      fc.property(
        weather,
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: 0, max: 300 }),
        (given, count, crash) => {
          const net = orderedNetwork({ ...given, delay: [MILLISECOND, 60 * MILLISECOND] });
          for (let i = 0; i < count; i++) net.command("P1", { to: "P2", text: `${i}` }, i * 10 * MILLISECOND);
          net.crash("P2", crash * MILLISECOND);
          net.restart("P2", (crash + 50) * MILLISECOND);
          expect(net.run()).toBe("quiescent");
          const runs: number[][] = [[], []];
          for (const { incarnation, effect } of net.deeds) {
            if (effect.kind === "output") runs[incarnation]?.push(Number(effect.value.text));
          }
          for (const run of runs) run.forEach((text, i) => expect(text).toBe((run[0] ?? 0) + i));
          expect([...new Set(texts(net.outputs("P2")))]).toEqual(upTo(count));
          checkNarrated(net.deeds, { ...fifoNarration, ...reliableNarration });
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a restart of the sender begins its stream anew, in order", () => {
    const net = orderedNetwork({ delay: [MILLISECOND, 60 * MILLISECOND] });
    for (let i = 0; i < 9; i++) net.command("P1", { to: "P2", text: `old ${i}` }, i * MILLISECOND);
    net.crash("P1", 30 * MILLISECOND);
    net.restart("P1", 31 * MILLISECOND);
    for (let i = 0; i < 9; i++) net.command("P1", { to: "P2", text: `new ${i}` }, (32 + i) * MILLISECOND);
    expect(net.run()).toBe("quiescent");
    const arrived = texts(net.outputs("P2"));
    expect(arrived.filter((text) => text.startsWith("new"))).toEqual(upTo(9, "new "));
    const old = arrived.filter((text) => text.startsWith("old"));
    expect(old).toEqual(upTo(old.length, "old "));
  });

  test("fifo(reliable(p)) is the wrong way round: one loss holds back its own repair for ever", () => {
    let losses = 1;
    const net = new PureNetwork(fifo(reliable(mailbox, { maxRetries: 3 })), ["P1", "P2"], {
      seed: 1,
      drops: () => losses-- > 0,
    });
    net.command("P1", { to: "P2", text: "a" });
    net.command("P1", { to: "P2", text: "b" });
    net.run({ until: 60 * SECOND });
    expect(net.outputs("P2")).toEqual([]);
    expect(net.explained("P1", "link.gave-up").length).toBe(1);
  });
});
