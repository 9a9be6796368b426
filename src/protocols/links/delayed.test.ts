import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mailbox } from "../../../test/support/mailbox.js";
import { PureNetwork } from "../../../test/support/pure-network.js";
import { MILLISECOND, placeOf, step, type Surroundings } from "../../core/index.js";
import { delayed, DELAYED_MAX } from "./delayed.js";

const surroundings = (pick: number): Surroundings => ({
  place: placeOf(["P1", "P2"], "P1"),
  incarnation: 0,
  now: 0,
  pick: () => pick,
});

const send = { kind: "command", command: { to: "P2", text: "hi" } } as const;

describe("one message", () => {
  test.each([
    [1000, 10 * MILLISECOND],
    [500, 5 * MILLISECOND],
    [1, 10],
  ])("pick %d of 1000 sets a timer of %d µs, and the message leaves when it fires", (pick, after) => {
    const protocol = delayed(mailbox, 10 * MILLISECOND);
    const begun = step(protocol, undefined, { kind: "start" }, surroundings(pick));
    const kept = step(protocol, begun.state, send, surroundings(pick));
    expect(kept.effects).toEqual([{ kind: "set-timer", timer: "delayed/1", after }]);
    const left = step(protocol, kept.state, { kind: "timer", timer: "delayed/1" }, surroundings(pick));
    expect(left.effects).toEqual([{ kind: "send", to: "P2", message: "hi" }]);
    expect(left.state.waiting).toEqual([]);
  });

  test("without a delay it leaves within the step", () => {
    const protocol = delayed(mailbox, 0);
    const { state } = step(protocol, undefined, { kind: "start" }, surroundings(7));
    expect(step(protocol, state, send, surroundings(7)).effects).toEqual([
      { kind: "send", to: "P2", message: "hi" },
    ]);
  });
});

test("whatever the seed, everything arrives once, and some of it out of order", () => {
  let overtaken = false;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const net = new PureNetwork(delayed(mailbox, 50 * MILLISECOND), ["P1", "P2"], { seed });
      const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
      texts.forEach((text, i) => net.command("P1", { to: "P2", text }, i * MILLISECOND));
      expect(net.run()).toBe("quiescent");
      const got = net.outputs("P2").map(({ text }) => text);
      expect(got.toSorted()).toEqual(texts.toSorted());
      overtaken ||= got.join() !== texts.join();
    }),
    { numRuns: 50 },
  );
  expect(overtaken).toBe(true);
});

test("so many may wait; the next leaves at once instead of being lost", () => {
  const waiting = Array.from({ length: DELAYED_MAX }, (_, i) => ({ id: i + 1, to: "P2", message: "" }));
  const full = { inner: { received: 0 }, waiting, ids: DELAYED_MAX };
  const { effects } = step(delayed(mailbox, MILLISECOND), full, send, surroundings(1000));
  expect(effects).toEqual([
    { kind: "explain", rule: "delayed.full", terms: { to: "P2", limit: DELAYED_MAX } },
    { kind: "send", to: "P2", message: "hi" },
  ]);
});

test("timers of the protocol inside stay its own, and a restart forgets what waited", () => {
  const net = new PureNetwork(delayed(mailbox, 50 * MILLISECOND), ["P1", "P2"], { seed: 3 });
  net.command("P1", { to: "P1", text: "timer tick" });
  net.command("P1", { to: "P2", text: "never leaves" }, 10 * MILLISECOND);
  net.crash("P1", 10 * MILLISECOND);
  net.restart("P1", 11 * MILLISECOND);
  net.run();
  expect(net.outputs("P1")).toEqual([{ from: "P1", text: "tick" }]);
  expect(net.outputs("P2")).toEqual([]);
});

test("a delay that cannot be is refused", () => {
  expect(() => delayed(mailbox, -1)).toThrow(/a longest delay is from 0/);
  expect(() => delayed(mailbox, 0.5)).toThrow(/0\.5 given/);
});
