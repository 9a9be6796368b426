import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork, type Packet } from "../../../test/support/pure-network.js";
import {
  deepFreeze,
  firstUnplain,
  MILLISECOND,
  placeOf,
  processNames,
  step,
  type Effect,
  type Input,
  type ProcessId,
} from "../../core/index.js";
import { precedes, type MutexCommand, type MutexOutput, type Stamp } from "./mutex.js";
import {
  ricartAgrawala,
  ricartAgrawalaNarration,
  type RicartAgrawalaMessage,
  type RicartAgrawalaState,
} from "./ricart-agrawala.js";

type Ends = Effect<RicartAgrawalaMessage, MutexOutput>;

/** One process of P1, P2 and P3, stepped by hand; each call gives what the step did, explanations apart. */
class Member {
  state: RicartAgrawalaState;
  rules: string[] = [];
  readonly #self: ProcessId;

  constructor(self: ProcessId) {
    this.#self = self;
    this.state = deepFreeze({ status: "idle", highest: 0, timestamp: 0, pending: [], deferred: [] });
    this.#step({ kind: "start" });
  }

  acquire(): readonly Ends[] {
    return this.#step({ kind: "command", command: { kind: "acquire" } });
  }

  release(): readonly Ends[] {
    return this.#step({ kind: "command", command: { kind: "release" } });
  }

  request(from: ProcessId, timestamp: number): readonly Ends[] {
    return this.#step({ kind: "message", from, message: { kind: "request", timestamp } });
  }

  reply(from: ProcessId, of: number): readonly Ends[] {
    return this.#step({ kind: "message", from, message: { kind: "reply", of } });
  }

  #step(input: Input<RicartAgrawalaMessage, MutexCommand>): readonly Ends[] {
    const place = deepFreeze(placeOf(["P1", "P2", "P3"], this.#self));
    const surroundings = { place, incarnation: 0, now: 0, pick: () => 0 };
    const { state, effects } = step(ricartAgrawala, this.state, input, surroundings);
    expect(firstUnplain(state) ?? firstUnplain(effects)).toBeUndefined();
    this.state = deepFreeze(state);
    this.rules = effects.flatMap((effect) => (effect.kind === "explain" ? [effect.rule] : []));
    return effects.filter((effect) => effect.kind !== "explain");
  }
}

const sent = (to: ProcessId, message: RicartAgrawalaMessage) => ({ kind: "send", to, message });
const request = (to: ProcessId, timestamp: number) => sent(to, { kind: "request", timestamp });
const reply = (to: ProcessId, of: number) => sent(to, { kind: "reply", of });
const told = (kind: MutexOutput["kind"], stamp: Stamp) => ({ kind: "output", value: { kind, stamp } });

/** P2 inside with timestamp 1. */
function inside(): Member {
  const member = new Member("P2");
  member.acquire();
  member.reply("P1", 1);
  member.reply("P3", 1);
  expect(member.state.status).toBe("inside");
  return member;
}

describe("from the source", () => {
  test("§2: a request carries the highest number seen plus one, and goes to everybody else", () => {
    const member = new Member("P2");
    expect(member.acquire()).toEqual([told("requested", [1, "P2"]), request("P1", 1), request("P3", 1)]);
    expect(member.state).toEqual({
      status: "waiting",
      highest: 1,
      timestamp: 1,
      pending: ["P1", "P3"],
      deferred: [],
    });
  });

  test("§2: the number of every request seen raises the next own one, that of a smaller one does not", () => {
    const member = new Member("P2");
    member.request("P1", 7);
    member.request("P3", 4);
    expect(member.state.highest).toBe(7);
    expect(member.acquire()).toContainEqual(request("P1", 8));
  });

  test("§2: a number seen while waiting or inside counts too", () => {
    const member = new Member("P2");
    member.acquire();
    member.request("P1", 5);
    member.reply("P1", 1);
    member.reply("P3", 1);
    member.request("P3", 9);
    member.release();
    expect(member.acquire()).toContainEqual(request("P1", 10));
  });

  test("§2: a process that wants nothing replies at once", () => {
    const member = new Member("P2");
    expect(member.request("P3", 4)).toEqual([reply("P3", 4)]);
    expect(member.rules).toEqual(["ra.reply.idle"]);
  });

  test("§2: a process defers its reply while its own request is earlier", () => {
    const member = new Member("P2");
    member.acquire();
    expect(member.request("P3", 2)).toEqual([]);
    expect(member.rules).toEqual(["ra.defer.earlier"]);
    expect(member.state.deferred).toEqual([[2, "P3"]]);
  });

  test("§2: a process replies at once when the other's request is earlier", () => {
    const member = new Member("P2");
    member.request("P1", 3);
    member.acquire();
    expect(member.request("P3", 2)).toEqual([reply("P3", 2)]);
    expect(member.rules).toEqual(["ra.reply.later"]);
  });

  test("§2: of equal numbers the earlier process goes first", () => {
    const member = new Member("P2");
    member.acquire();
    expect(member.request("P1", 1)).toEqual([reply("P1", 1)]);
    expect(member.request("P3", 1)).toEqual([]);
    expect(member.state.deferred).toEqual([[1, "P3"]]);
  });

  test("§2: a process inside defers every reply, whatever the number", () => {
    const member = inside();
    expect(member.request("P1", 1)).toEqual([]);
    expect(member.request("P3", 9)).toEqual([]);
    expect(member.rules).toEqual(["ra.defer.inside"]);
    expect(member.state.deferred).toEqual([
      [1, "P1"],
      [9, "P3"],
    ]);
  });

  test("§2: it enters when everybody else has replied, and not before", () => {
    const member = new Member("P2");
    member.acquire();
    expect(member.reply("P3", 1)).toEqual([]);
    expect(member.state.pending).toEqual(["P1"]);
    expect(member.reply("P1", 1)).toEqual([
      { kind: "output", value: { kind: "entered", stamp: [1, "P2"], fence: 4 } },
    ]);
    expect(member.state.status).toBe("inside");
  });

  test("§2: when it leaves it answers everybody it kept waiting, and forgets them", () => {
    const member = inside();
    member.request("P3", 2);
    member.request("P1", 2);
    expect(member.release()).toEqual([told("exited", [1, "P2"]), reply("P3", 2), reply("P1", 2)]);
    expect(member.state).toEqual({ status: "idle", highest: 2, timestamp: 0, pending: [], deferred: [] });
  });

  test("§4.2: P1 and P3 ask with number 1; P1 enters, leaves, then P3 enters; 8 messages for 2 entries", () => {
    const members = { P1: new Member("P1"), P2: new Member("P2"), P3: new Member("P3") };
    const story: string[] = [];
    let messages = 0;
    const after = (process: keyof typeof members, ends: readonly Ends[]): void => {
      for (const end of ends) {
        if (end.kind === "output") story.push(`${process} ${end.value.kind}`);
        if (end.kind !== "send") continue;
        messages++;
        const to = end.to as keyof typeof members;
        const { message } = end;
        inFlight.push(() =>
          after(
            to,
            message.kind === "request"
              ? members[to].request(process, message.timestamp)
              : members[to].reply(process, message.of),
          ),
        );
      }
    };
    const inFlight: (() => void)[] = [];
    const deliverAll = (): void => {
      for (let deliver = inFlight.shift(); deliver !== undefined; deliver = inFlight.shift()) deliver();
    };
    after("P1", members.P1.acquire());
    after("P3", members.P3.acquire());
    deliverAll();
    expect(story).toEqual(["P1 requested", "P3 requested", "P1 entered"]);
    expect(members.P1.state.deferred).toEqual([[1, "P3"]]);
    expect(members.P3.state.pending).toEqual(["P1"]);
    after("P1", members.P1.release());
    deliverAll();
    after("P3", members.P3.release());
    deliverAll();
    expect(story.slice(3)).toEqual(["P1 exited", "P3 entered", "P3 exited"]);
    expect(messages).toBe(8);
  });
});

describe("beyond the paper", () => {
  test("a reply that comes twice counts once", () => {
    const member = new Member("P2");
    member.acquire();
    member.reply("P1", 1);
    expect(member.reply("P1", 1)).toEqual([]);
    expect(member.state).toMatchObject({ status: "waiting", pending: ["P3"] });
  });

  test("a reply to an earlier request, or to none, changes nothing", () => {
    const member = inside();
    member.release();
    member.acquire();
    for (const stale of [1, 3]) {
      const before = member.state;
      expect(member.reply("P1", stale)).toEqual([]);
      expect(member.state).toBe(before);
    }
    const idle = new Member("P1");
    const before = idle.state;
    expect(idle.reply("P2", 0)).toEqual([]);
    expect(idle.state).toBe(before);
  });

  test("asking twice and leaving without being inside are explained, and change nothing", () => {
    const member = new Member("P2");
    expect(member.release()).toEqual([]);
    expect(member.rules).toEqual(["mutex.not-inside"]);
    member.acquire();
    const before = member.state;
    expect(member.acquire()).toEqual([]);
    expect(member.rules).toEqual(["mutex.already"]);
    expect(member.release()).toEqual([]);
    expect(member.state).toBe(before);
  });

  test("alone, a process enters at once", () => {
    const place = placeOf(["P1"], "P1");
    const around = { place, incarnation: 0, now: 0, pick: () => 0 };
    const { state } = step(ricartAgrawala, undefined, { kind: "start" }, around);
    const entered = step(ricartAgrawala, state, { kind: "command", command: { kind: "acquire" } }, around);
    expect(entered.state.status).toBe("inside");
  });
});

test("stamps are in a total order: timestamp, then place among the processes", () => {
  const processes = processNames(12);
  expect(precedes([1, "P9"], [1, "P10"], processes)).toBe(true);
  expect(precedes([2, "P1"], [1, "P10"], processes)).toBe(false);
  const stamp = fc.tuple(fc.nat(3), fc.constantFrom(...processes));
  fc.assert(
    fc.property(stamp, stamp, stamp, (a, b, c) => {
      const same = a[0] === b[0] && a[1] === b[1];
      expect([precedes(a, b, processes), precedes(b, a, processes), same].filter(Boolean)).toHaveLength(1);
      if (precedes(a, b, processes) && precedes(b, c, processes)) {
        expect(precedes(a, c, processes)).toBe(true);
      }
    }),
  );
});

test("whatever the network reorders and repeats, one at a time is inside, in the order of stamps, and all get in", () => {
  const competition = fc.record({
    seed: fc.nat(),
    count: fc.integer({ min: 2, max: 5 }),
    duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
    rounds: fc.integer({ min: 1, max: 3 }),
    hold: fc.nat(15 * MILLISECOND),
    askAt: fc.array(fc.nat(20 * MILLISECOND), { minLength: 5, maxLength: 5 }),
  });
  fc.assert(
    fc.property(competition, ({ seed, count, duplicate, rounds, hold, askAt }) => {
      const processes = processNames(count);
      const inFlight: Packet<RicartAgrawalaMessage>[] = [];
      const net = new PureNetwork(ricartAgrawala, processes, {
        seed,
        duplicate,
        delay: [0, 10 * MILLISECOND],
        drops: (packet) => {
          inFlight.push(packet);
          return false;
        },
      });
      for (const [i, process] of processes.entries()) {
        net.command(process, { kind: "acquire" }, askAt[i] ?? 0);
      }
      const left = new Map(processes.map((process) => [process, rounds]));
      let holder: ProcessId | undefined;
      for (let ended = false; !ended;) {
        ended = net.run({ stepsMax: 1 }) === "quiescent";
        const holders = processes.filter((process) => net.state(process).status === "inside");
        expect(holders.length).toBeLessThanOrEqual(1);
        const [now] = holders;
        if (now !== undefined && now !== holder) {
          ended = false;
          const rest = (left.get(now) ?? 0) - 1;
          left.set(now, rest);
          net.command(now, { kind: "release" }, net.now + hold);
          if (rest > 0) net.command(now, { kind: "acquire" }, net.now + hold + MILLISECOND);
        }
        holder = now;
      }
      const entries = net.deeds.flatMap(({ effect }) =>
        effect.kind === "output" && effect.value.kind === "entered" ? [effect.value.stamp] : [],
      );
      expect(entries).toHaveLength(count * rounds);
      for (const [i, stamp] of entries.entries()) {
        const next = entries[i + 1];
        if (next !== undefined) expect(precedes(stamp, next, processes)).toBe(true);
      }
      // A repeated message is one send; a repeated request is answered once more.
      const requests = inFlight.filter(({ message }) => message.kind === "request");
      expect(requests).toHaveLength(entries.length * (count - 1));
      if (duplicate === 0) expect(inFlight).toHaveLength(entries.length * 2 * (count - 1));
      for (const process of processes) {
        expect(net.state(process)).toMatchObject({ status: "idle", timestamp: 0, pending: [], deferred: [] });
      }
      checkNarrated(net.deeds, ricartAgrawalaNarration);
    }),
    { numRuns: 150 },
  );
});
