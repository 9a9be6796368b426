import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork } from "../../../test/support/pure-network.js";
import {
  deepFreeze,
  firstUnplain,
  InvariantError,
  MILLISECOND,
  placeOf,
  processNames,
  step,
  type Effect,
  type Input,
  type ProcessId,
} from "../../core/index.js";
import {
  causalBroadcast,
  causalBroadcastNarration,
  type BroadcastCommand,
  type BroadcastOverflow,
  type CausalBroadcastMessage,
  type CausalBroadcastState,
} from "./causal-broadcast.js";

type Message = CausalBroadcastMessage<string>;

/** One process of P0, P1 and P2, stepped by hand. */
class Member {
  state: CausalBroadcastState<string>;
  effects: readonly Effect<Message, BroadcastOverflow>[] = [];
  readonly #self: ProcessId;
  readonly #protocol;

  constructor(self: ProcessId, options: { readonly bufferMax?: number } = {}) {
    this.#self = self;
    this.#protocol = causalBroadcast<string>(options);
    this.state = { delivered: [], buffer: [] };
    this.#step({ kind: "start" });
  }

  /** Gives what it sends, which is the same to everybody. */
  broadcast(payload: string): Message {
    this.#step({ kind: "command", command: { kind: "broadcast", payload } });
    const sent = this.effects.flatMap((effect) => (effect.kind === "send" ? [effect] : []));
    expect(sent.map(({ to }) => to)).toEqual(["P0", "P1", "P2"].filter((process) => process !== this.#self));
    const [first, second] = sent.map(({ message }) => message);
    if (first === undefined) throw new Error("nothing was sent");
    expect(second).toEqual(first);
    return first;
  }

  tells(to: ProcessId, payload: string, others: string): (readonly [ProcessId, Message])[] {
    this.#step({ kind: "command", command: { kind: "broadcast", payload, only: { to, others } } });
    return this.effects.flatMap((effect) =>
      effect.kind === "send" ? [[effect.to, effect.message] as const] : [],
    );
  }

  /** Gives the payloads handed over by this arrival, as `P0#1 payload`. */
  arrives(from: ProcessId, message: Message): string[] {
    this.#step({ kind: "message", from, message });
    return this.handedOver();
  }

  handedOver(): string[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind !== "deliver") return [];
      expect(effect.layer).toBe("causal-broadcast");
      return [`${effect.from}#${effect.sequence} ${String(effect.message)}`];
    });
  }

  explained(rule: string): unknown[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "explain" && effect.rule === rule ? [effect.terms] : [],
    );
  }

  #step(input: Input<Message, BroadcastCommand<string>>): void {
    const place = deepFreeze(placeOf(["P0", "P1", "P2"], this.#self));
    const surroundings = { place, incarnation: 0, now: 0, pick: () => 0 };
    const { state, effects } = step(this.#protocol, this.state, deepFreeze(input), surroundings);
    expect(firstUnplain(state) ?? firstUnplain(effects)).toBeUndefined();
    this.state = deepFreeze(state);
    this.effects = effects;
  }
}

const stamped = (stamp: readonly number[], payload = "x"): Message => ({ kind: "broadcast", stamp, payload });

describe("from the source", () => {
  test("§2.2: a broadcast counts itself, carries the vector, and is handed over at home at once", () => {
    const member = new Member("P1");
    member.arrives("P0", stamped([1, 0, 0]));
    expect(member.broadcast("m")).toEqual(stamped([1, 1, 0], "m"));
    expect(member.handedOver()).toEqual(["P1#1 m"]);
    expect(member.state.delivered).toEqual([1, 1, 0]);
  });

  test("a broadcast for one gives the others its place in the order, and not its contents", () => {
    const member = new Member("P1");
    expect(member.tells("P2", "secret", "")).toEqual([
      ["P0", stamped([0, 1, 0], "")],
      ["P2", stamped([0, 1, 0], "secret")],
    ]);
    expect(member.handedOver()).toEqual(["P1#1 secret"]);
  });

  test("§2.2: only broadcasts count; receiving and handing over do not raise the own entry", () => {
    const member = new Member("P1");
    member.arrives("P0", stamped([1, 0, 0]));
    member.arrives("P2", stamped([0, 0, 1]));
    expect(member.state.delivered).toEqual([1, 0, 1]);
    expect(member.broadcast("m").stamp).toEqual([1, 1, 1]);
  });

  test("§2.2: the next of its sender waits until all that its sender had delivered is here", () => {
    const member = new Member("P2");
    expect(member.arrives("P1", stamped([2, 1, 0], "answer"))).toEqual([]);
    expect(member.explained("causal.wait")).toEqual([{ from: "P1", sequence: 1, missing: ["P0#1..2"] }]);
    expect(member.arrives("P0", stamped([1, 0, 0], "first"))).toEqual(["P0#1 first"]);
    expect(member.arrives("P0", stamped([2, 0, 0], "second"))).toEqual(["P0#2 second", "P1#1 answer"]);
    expect(member.state).toEqual({ delivered: [2, 1, 0], buffer: [] });
  });

  test("§2.2: a sender's second broadcast waits for its first: causal order implies FIFO order", () => {
    const member = new Member("P2");
    expect(member.arrives("P0", stamped([2, 0, 0], "second"))).toEqual([]);
    expect(member.explained("causal.wait")).toEqual([{ from: "P0", sequence: 2, missing: ["P0#1"] }]);
    expect(member.arrives("P0", stamped([1, 0, 0], "first"))).toEqual(["P0#1 first", "P0#2 second"]);
  });

  test("§2.2: a receiver that is ahead of the sender in what others broadcast does not wait", () => {
    const member = new Member("P2");
    member.arrives("P0", stamped([1, 0, 0]));
    expect(member.arrives("P1", stamped([0, 1, 0], "concurrent"))).toEqual(["P1#1 concurrent"]);
  });

  test("§2.2: one arrival may release a whole chain", () => {
    const member = new Member("P2");
    for (const [from, stamp] of [
      ["P1", [2, 2, 0]],
      ["P0", [3, 2, 0]],
      ["P1", [1, 1, 0]],
      ["P0", [2, 1, 0]],
    ] as const) {
      expect(member.arrives(from, stamped(stamp))).toEqual([]);
    }
    expect(member.arrives("P0", stamped([1, 0, 0]))).toEqual([
      "P0#1 x",
      "P1#1 x",
      "P0#2 x",
      "P1#2 x",
      "P0#3 x",
    ]);
    expect(member.state).toEqual({ delivered: [3, 2, 0], buffer: [] });
  });

  test("§2.2: arrivals m2, m3, m1 are handed over as m3, m1, m2, and end at [1,1,1]", () => {
    const [p0, p1, p2] = [new Member("P0"), new Member("P1"), new Member("P2")];
    const m1 = p0.broadcast("m1");
    p1.arrives("P0", m1);
    const m2 = p1.broadcast("m2");
    const m3 = p2.broadcast("m3");
    expect([m1.stamp, m2.stamp, m3.stamp]).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);

    // The observer broadcasts nothing itself, so it is a fourth process, whose own entry stays 0.
    const place = placeOf(["P0", "P1", "P2", "P3"], "P3");
    const surroundings = { place, incarnation: 0, now: 0, pick: () => 0 };
    const protocol = causalBroadcast<string>();
    let { state } = step(protocol, undefined, { kind: "start" }, surroundings);
    const order: unknown[] = [];
    for (const [from, { stamp, payload }] of [
      ["P1", m2],
      ["P2", m3],
      ["P0", m1],
    ] as const) {
      const message = stamped([...stamp, 0], payload);
      const next = step(protocol, state, { kind: "message", from, message }, surroundings);
      for (const effect of next.effects) if (effect.kind === "deliver") order.push(effect.message);
      state = next.state;
    }
    expect(order).toEqual(["m3", "m1", "m2"]);
    expect(state).toEqual({ delivered: [1, 1, 1, 0], buffer: [] });
  });
});

describe("duplicates", () => {
  test("of what was handed over change nothing", () => {
    const member = new Member("P2");
    member.arrives("P0", stamped([1, 0, 0]));
    const before = member.state;
    expect(member.arrives("P0", stamped([1, 0, 0]))).toEqual([]);
    expect(member.state).toBe(before);
    expect(member.explained("causal.duplicate")).toEqual([{ from: "P0", sequence: 1 }]);
  });

  test("of what waits are not kept twice", () => {
    const member = new Member("P2");
    member.arrives("P0", stamped([2, 0, 0]));
    const before = member.state;
    member.arrives("P0", stamped([2, 0, 0]));
    expect(member.state).toBe(before);
    expect(member.arrives("P0", stamped([1, 0, 0]))).toEqual(["P0#1 x", "P0#2 x"]);
  });

  test("of the own broadcasts, come back from somewhere, change nothing", () => {
    const member = new Member("P1");
    const own = member.broadcast("m");
    expect(member.arrives("P1", own)).toEqual([]);
  });
});

describe("the buffer", () => {
  test("is bounded: what does not fit is told to the application, and is not kept", () => {
    const member = new Member("P2", { bufferMax: 2 });
    member.arrives("P0", stamped([2, 0, 0]));
    member.arrives("P0", stamped([3, 0, 0]));
    const before = member.state;
    member.arrives("P0", stamped([4, 0, 0]));
    expect(member.state).toBe(before);
    expect(member.effects).toContainEqual({
      kind: "output",
      value: { kind: "overflow", from: "P0", sequence: 4 },
    });
    expect(member.explained("causal.overflow")).toEqual([{ from: "P0", sequence: 4, bufferMax: 2 }]);
  });

  test("when full, still takes what can be handed over at once, and goes on from there", () => {
    const member = new Member("P2", { bufferMax: 1 });
    member.arrives("P0", stamped([2, 0, 0]));
    expect(member.arrives("P1", stamped([0, 1, 0]))).toEqual(["P1#1 x"]);
    expect(member.arrives("P0", stamped([1, 0, 0]))).toEqual(["P0#1 x", "P0#2 x"]);
    expect(member.state.buffer).toEqual([]);
  });
});

test("a stamp for another number of processes is an impossible state", () => {
  expect(() => new Member("P2").arrives("P1", stamped([1]))).toThrow(InvariantError);
});

test("whatever the network reorders and repeats, everybody gets everything once, and causes before effects", () => {
  const board = fc.record({
    seed: fc.nat(),
    count: fc.integer({ min: 2, max: 5 }),
    duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
    writes: fc.array(fc.tuple(fc.nat(), fc.nat(60)), { maxLength: 25 }),
  });
  fc.assert(
    fc.property(board, ({ seed, count, duplicate, writes }) => {
      const processes = processNames(count);
      const net = new PureNetwork(causalBroadcast<string>(), processes, {
        seed,
        duplicate,
        delay: [0, 30 * MILLISECOND],
      });
      for (const [i, [who, at]] of writes.entries()) {
        const payload = `m${i}`;
        net.command(processes[who % count] ?? "P1", { kind: "broadcast", payload }, at * MILLISECOND);
      }
      expect(net.run()).toBe("quiescent");

      // What each process had been handed when it wrote, by the history itself and not by any stamp.
      const before = new Map<unknown, readonly unknown[]>();
      const handed = new Map<ProcessId, unknown[]>(processes.map((process) => [process, []]));
      for (const { process, effect } of net.deeds) {
        if (effect.kind !== "deliver") continue;
        const sofar = handed.get(process) ?? [];
        if (effect.from === process) before.set(effect.message, [...sofar]);
        for (const cause of before.get(effect.message) ?? []) expect(sofar).toContain(cause);
        expect(sofar).not.toContain(effect.message);
        sofar.push(effect.message);
      }
      for (const process of processes) {
        expect(handed.get(process)).toHaveLength(writes.length);
        expect(net.state(process).buffer).toEqual([]);
        expect(net.state(process).delivered).toEqual(net.state("P1").delivered);
      }
      checkNarrated(net.deeds, causalBroadcastNarration);
    }),
    { numRuns: 150 },
  );
});

test("the sentence of a wait suits one missing message and several", () => {
  expect(causalBroadcastNarration["causal.wait"]).toMatch(/after \{missing\}, not yet delivered here$/);
});
