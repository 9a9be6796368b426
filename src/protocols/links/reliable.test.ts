import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mailbox } from "../../../test/support/mailbox.js";
import { checkNarrated } from "../../../test/support/narrated.js";
import type { Weather } from "../../../test/support/pure-network.js";
import { PureNetwork } from "../../../test/support/pure-network.js";
import { MILLISECOND, SECOND, UsageError } from "../../core/index.js";
import type { ReliableMessage, ReliableOptions } from "./index.js";
import { RELIABLE_DEFAULTS, reliable, reliableNarration } from "./index.js";

type Frame = ReliableMessage<string>;

function network(weather: Partial<Weather<Frame>> = {}, options: Partial<ReliableOptions> = {}, n = 2) {
  const processes = ["P1", "P2", "P3"].slice(0, n);
  return new PureNetwork(reliable(mailbox, options), processes, { seed: 1, ...weather });
}

/** Loses the first `times` frames for which `which` holds. */
function losing(times: number, which: (frame: Frame) => boolean): Pick<Weather<Frame>, "drops"> {
  let left = times;
  return { drops: ({ message }) => which(message) && left-- > 0 };
}

const isData = (frame: Frame, seq?: number) =>
  frame.kind === "data" && (seq === undefined || frame.seq === seq);
const texts = (outputs: readonly { readonly text: string }[]) => outputs.map(({ text }) => text);

describe("on a good network", () => {
  test("hands each message over once and is silent when all are acknowledged", () => {
    const net = network();
    for (const text of ["a", "b", "c"]) net.command("P1", { to: "P2", text });
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a", "b", "c"]);
    expect(net.handedOver("P2", "reliable")).toEqual(["P1:1", "P1:2", "P1:3"]);
    expect(net.state("P1").links["P2"]).toMatchObject({ first: 4, sent: 3, queue: [], beating: false });
  });

  test("acknowledges several messages by one frame", () => {
    const net = network();
    for (let i = 0; i < 50; i++) net.command("P1", { to: "P2", text: `${i}` }, i * 100);
    net.run();
    expect(net.sent("P2").map(({ kind, ack }) => [kind, ack])).toEqual([["ack", 50]]);
  });

  test("lets an answer carry the acknowledgement", () => {
    const net = network();
    net.command("P1", { to: "P2", text: "?a" });
    net.run();
    expect(net.sent("P2")).toEqual([{ kind: "data", epoch: 0, toEpoch: 0, ack: 1, seq: 1, body: "!a" }]);
    expect(net.sent("P1").map(({ kind, ack }) => [kind, ack])).toEqual([
      ["data", 0],
      ["ack", 1],
    ]);
  });

  test("hands an early message over at once: order is for fifo", () => {
    let first = true;
    const net = network({ drops: () => first && !(first = false) });
    net.command("P1", { to: "P2", text: "late" });
    net.command("P1", { to: "P2", text: "early" });
    net.run({ until: 2 * MILLISECOND });
    expect(texts(net.outputs("P2"))).toEqual(["early"]);
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["early", "late"]);
  });

  test("returns the state it was given when nothing happened", () => {
    const net = network();
    net.command("P1", { to: "P2", text: "a" });
    net.run();
    const before = net.state("P1");
    net.command("P1", { to: "P2", text: "timer tick" });
    net.run();
    expect(net.state("P1")).toBe(before);
  });
});

describe("from the source", () => {
  test("§2.7 (1): a receiver asks for the missing range, not before the gap could be mere reordering", () => {
    const net = network(losing(2, (frame) => isData(frame, 2) || isData(frame, 3)));
    for (const text of ["a", "b", "c", "d"]) net.command("P1", { to: "P2", text });
    net.run();
    const asked = net.deeds.filter(({ effect }) => effect.kind === "send" && effect.message.kind === "nack");
    expect(asked.map(({ effect }) => effect.kind === "send" && effect.message)).toMatchObject([
      { missing: [[2, 3]] },
    ]);
    expect(asked[0]?.at).toBe(1 * MILLISECOND + RELIABLE_DEFAULTS.repairAfter);
    expect(texts(net.outputs("P2")).toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  test("§2.7 (1): it repeats with back-off until the gap is filled", () => {
    const lost = losing(7, (frame) => frame.kind === "nack" || isData(frame, 1));
    const net = network(lost, { heartbeatAfter: 60 * SECOND, heartbeatMax: 60 * SECOND });
    net.command("P1", { to: "P2", text: "a" });
    net.command("P1", { to: "P2", text: "b" });
    net.run();
    const times = net.deeds
      .filter(({ effect }) => effect.kind === "send" && effect.message.kind === "nack")
      .map(({ at }) => at);
    expect(times.length).toBe(7);
    for (let i = 1; i < times.length; i++) {
      const wait = (times[i] ?? 0) - (times[i - 1] ?? 0);
      const longest = Math.min(RELIABLE_DEFAULTS.repairAfter * 2 ** (i + 1), RELIABLE_DEFAULTS.repairMax);
      expect(wait).toBeLessThanOrEqual(longest);
      expect(wait).toBeGreaterThanOrEqual(0.6 * longest);
    }
    expect(texts(net.outputs("P2"))).toEqual(["b", "a"]);
    expect(net.run()).toBe("quiescent");
  });

  test("§2.7 (2): what is sent again keeps its number", () => {
    const net = network(losing(1, (frame) => isData(frame, 1)));
    net.command("P1", { to: "P2", text: "a" });
    net.command("P1", { to: "P2", text: "b" });
    net.run();
    const data = net.sent("P1").flatMap((frame) => (frame.kind === "data" ? [[frame.seq, frame.body]] : []));
    expect(data).toEqual([
      [1, "a"],
      [2, "b"],
      [1, "a"],
    ]);
  });

  test("§2.7 (3): the loss of the last message is found within a heartbeat and a delay", () => {
    const net = network(losing(1, (frame) => isData(frame, 2)));
    net.command("P1", { to: "P2", text: "a" });
    net.command("P1", { to: "P2", text: "last" });
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a", "last"]);
    const [gap] = net.deeds.filter(({ effect }) => effect.kind === "explain" && effect.rule === "link.gap");
    const d = 1 * MILLISECOND;
    expect(gap?.at).toBeLessThanOrEqual(RELIABLE_DEFAULTS.heartbeatAfter + d + RELIABLE_DEFAULTS.repairAfter);
  });

  test("§2.7 (4): a message is kept until its receiver acknowledges it, and no other peer's word frees it", () => {
    const net = network({ drops: ({ to, at }) => to === "P2" && at < 1 * SECOND }, {}, 3);
    for (const to of ["P2", "P3"]) net.command("P1", { to, text: "a" });
    net.run({ until: 900 * MILLISECOND });
    expect(net.state("P1").links["P3"]?.queue).toEqual([]);
    expect(net.state("P1").links["P2"]?.queue).toEqual(["a"]);
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["a"]);
  });

  test("§2.7 (5): a duplicate is dropped anywhere in the window, and acknowledged again", () => {
    const frame = (seq: number): Frame => ({
      kind: "data",
      epoch: 0,
      toEpoch: 0,
      ack: 0,
      seq,
      body: `${seq}`,
    });
    const net = network();
    for (const seq of [5, 1, 9, 3, 7]) net.inject("P1", "P2", frame(seq));
    for (let seq = 1; seq <= 9; seq++) net.inject("P1", "P2", frame(seq));
    for (let seq = 1; seq <= 9; seq++) net.inject("P1", "P2", frame(seq));
    net.run();
    expect(texts(net.outputs("P2")).toSorted()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(net.explained("P2", "link.duplicate").length).toBe(14);
    expect(net.sent("P2").at(-1)).toMatchObject({ kind: "ack", ack: 9 });
  });
});

describe("under any faults that leave each retry a chance", () => {
  const weather = fc.record({
    seed: fc.nat(),
    loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
    duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
    slowest: fc.integer({ min: 1, max: 300 }),
    messages: fc.integer({ min: 1, max: 25 }),
    window: fc.constantFrom(1, 3, 1024),
  });

  test("every message arrives exactly once, and then all is silent", () => {
    fc.assert(
      fc.property(weather, ({ slowest, messages, window, ...rest }) => {
        const net = network({ ...rest, delay: [MILLISECOND, slowest * MILLISECOND] }, { window }, 3);
        const expected: Record<string, string[]> = { P1: [], P2: [], P3: [] };
        for (let i = 0; i < messages; i++) {
          for (const [from, to] of [
            ["P1", "P2"],
            ["P1", "P3"],
            ["P2", "P1"],
          ] as const) {
            net.command(from, { to, text: `?${from}${i}` }, i * 7 * MILLISECOND);
            expected[to]?.push(`?${from}${i}`);
            expected[from]?.push(`!${from}${i}`);
          }
        }
        expect(net.run()).toBe("quiescent");
        for (const process of ["P1", "P2", "P3"]) {
          expect(texts(net.outputs(process)).toSorted()).toEqual(expected[process]?.toSorted());
          const handedOver = net.handedOver(process, "reliable");
          expect(new Set(handedOver).size).toBe(handedOver.length);
          expect(net.liveTimers(process)).toEqual([]);
          for (const link of Object.values(net.state(process).links)) {
            expect(link).toMatchObject({
              queue: [],
              early: [],
              beating: false,
              asking: false,
              acking: false,
              due: 0,
            });
          }
        }
        checkNarrated(net.deeds, reliableNarration);
      }),
      { numRuns: 150 },
    );
  });

  test("with crashes of the receiver, every message arrives, in no incarnation twice", () => {
    fc.assert(
      fc.property(weather, fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 3 }), (given, crashes) => {
        const { slowest, messages, window, ...rest } = given;
        const net = network({ ...rest, delay: [MILLISECOND, slowest * MILLISECOND] }, { window });
        const expected: string[] = [];
        for (let i = 0; i < messages; i++) {
          net.command("P1", { to: "P2", text: `${i}` }, i * 10 * MILLISECOND);
          expected.push(`${i}`);
        }
        crashes
          .sort((a, b) => a - b)
          .forEach((at, i) => {
            net.crash("P2", (at + i * 400) * MILLISECOND);
            net.restart("P2", (at + i * 400 + 100) * MILLISECOND);
          });
        expect(net.run()).toBe("quiescent");
        const arrivals = net.deeds.flatMap(({ incarnation, effect }) =>
          effect.kind === "output" ? [`${incarnation}/${effect.value.text}`] : [],
        );
        expect(new Set(arrivals).size).toBe(arrivals.length);
        expect([...new Set(texts(net.outputs("P2")))].toSorted()).toEqual(expected.toSorted());
        checkNarrated(net.deeds, reliableNarration);
      }),
      { numRuns: 150 },
    );
  });

  test("with crashes of the sender, nothing arrives twice and what its last incarnation sends arrives", () => {
    fc.assert(
      fc.property(
        weather,
        fc.integer({ min: 0, max: 200 }),
        ({ slowest, messages, window, ...rest }, crash) => {
          const net = network({ ...rest, delay: [MILLISECOND, slowest * MILLISECOND] }, { window });
          for (let i = 0; i < messages; i++)
            net.command("P1", { to: "P2", text: `old ${i}` }, i * 10 * MILLISECOND);
          net.crash("P1", crash * MILLISECOND);
          net.restart("P1", 400 * MILLISECOND);
          const expected: string[] = [];
          for (let i = 0; i < messages; i++) {
            net.command("P1", { to: "P2", text: `new ${i}` }, 500 * MILLISECOND);
            expected.push(`new ${i}`);
          }
          expect(net.run()).toBe("quiescent");
          const arrived = texts(net.outputs("P2"));
          expect(new Set(arrived).size).toBe(arrived.length);
          expect(arrived.filter((text) => text.startsWith("new")).toSorted()).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("across restarts", () => {
  test("the new incarnation of a receiver gets what the old one did not acknowledge, and no more", () => {
    const net = network();
    net.command("P1", { to: "P2", text: "a" });
    net.run();
    net.crash("P2");
    net.command("P1", { to: "P2", text: "b" });
    net.command("P1", { to: "P2", text: "c" });
    net.restart("P2", net.now + SECOND);
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a", "b", "c"]);
    expect(net.handedOver("P2", "reliable")).toEqual(["P1:1", "P1:1", "P1:2"]);
    expect(net.explained("P1", "link.restarted")).toEqual([{ peer: "P2", incarnation: 1, undelivered: 2 }]);
  });

  test("a frame of a dead incarnation that comes late is ignored", () => {
    const net = network();
    net.crash("P1");
    net.restart("P1");
    net.command("P1", { to: "P2", text: "new" });
    net.run();
    const before = net.state("P2");
    net.inject("P1", "P2", { kind: "data", epoch: 0, toEpoch: 0, ack: 0, seq: 1, body: "old" });
    net.run();
    expect(texts(net.outputs("P2"))).toEqual(["new"]);
    expect(net.state("P2")).toBe(before);
    expect(net.explained("P2", "link.stale")).toEqual([{ peer: "P1", incarnation: 0, current: 1 }]);
  });

  test("a process that restarted before it was ever written to is found by its first answer", () => {
    const net = network();
    net.crash("P2");
    net.restart("P2");
    net.command("P1", { to: "P2", text: "a" }, SECOND);
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a"]);
  });

  test("what the protocol saved reaches its restart, and its own timers reach it", () => {
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

describe("at its limits", () => {
  test("gives up on a peer that never answers, says how much is left, and then is silent", () => {
    const net = network({ drops: ({ to }) => to === "P2" }, { maxRetries: 5 });
    for (const text of ["a", "b"]) net.command("P1", { to: "P2", text });
    expect(net.run()).toBe("quiescent");
    expect(net.sent("P1").filter(({ kind }) => kind === "heartbeat").length).toBe(5);
    expect(net.explained("P1", "link.gave-up")).toEqual([{ peer: "P2", attempts: 5, unacknowledged: 2 }]);
    expect(net.state("P1").links["P2"]).toMatchObject({ gaveUp: true, queue: ["a", "b"] });
  });

  test("takes up the link again when the peer is heard, and nothing was lost", () => {
    const net = network({ drops: ({ to, at }) => to === "P2" && at < 60 * SECOND }, { maxRetries: 3 });
    for (const text of ["a", "b"]) net.command("P1", { to: "P2", text });
    net.run();
    net.command("P2", { to: "P1", text: "here I am" }, 70 * SECOND);
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a", "b"]);
    expect(net.explained("P1", "link.revived")).toEqual([{ peer: "P2", unacknowledged: 2 }]);
  });

  test("two that gave up on each other meet again by the next message of either", () => {
    const net = network({ drops: ({ at }) => at < 60 * SECOND }, { maxRetries: 3, window: 1, queueMax: 1 });
    net.command("P1", { to: "P2", text: "a" });
    net.command("P2", { to: "P1", text: "b" });
    net.run();
    net.command("P1", { to: "P2", text: "refused, yet a sign of life" }, 70 * SECOND);
    expect(net.run()).toBe("quiescent");
    expect(texts(net.outputs("P2"))).toEqual(["a"]);
    expect(texts(net.outputs("P1"))).toEqual(["b"]);
  });

  test("stops asking a sender that is no more", () => {
    const net = network(
      losing(1, (frame) => isData(frame, 1)),
      { maxRetries: 4 },
    );
    net.command("P1", { to: "P2", text: "a" });
    net.command("P1", { to: "P2", text: "b" });
    net.crash("P1", 2 * MILLISECOND);
    expect(net.run()).toBe("quiescent");
    expect(net.explained("P2", "link.stopped-asking")).toEqual([
      { peer: "P1", attempts: 4, missing: "message 1" },
    ]);
  });

  test("has at most a window on its way to a peer", () => {
    let most = 0;
    const net = network({ delay: [5 * MILLISECOND, 5 * MILLISECOND] }, { window: 4 });
    for (let i = 0; i < 30; i++) net.command("P1", { to: "P2", text: `${i}` });
    while (net.run({ stepsMax: 1 }) === "bound") {
      const link = net.state("P1").links["P2"];
      if (link !== undefined) most = Math.max(most, link.sent - link.first + 1);
    }
    expect(most).toBe(4);
    expect(net.outputs("P2").length).toBe(30);
  });

  test("does not accept a message beyond the window, and asks for it when its turn comes", () => {
    const net = network({}, { window: 4 });
    net.inject("P1", "P2", { kind: "data", epoch: 0, toEpoch: 0, ack: 0, seq: 5, body: "far" });
    net.run({ until: SECOND });
    expect(net.outputs("P2")).toEqual([]);
    expect(net.explained("P2", "link.beyond-window")).toEqual([{ peer: "P1", sequence: 5, limit: 4 }]);
    expect(net.sent("P2").find(({ kind }) => kind === "nack")).toMatchObject({ missing: [[1, 5]] });
  });

  test("refuses more than queueMax messages for a peer, and counts them", () => {
    const net = network({ drops: () => true }, { window: 2, queueMax: 3, maxRetries: 1 });
    for (let i = 0; i < 5; i++) net.command("P1", { to: "P2", text: `${i}` });
    net.run();
    expect(net.state("P1").links["P2"]).toMatchObject({ queue: ["0", "1", "2"], refused: 2 });
    expect(net.explained("P1", "link.refused").at(-1)).toEqual({ peer: "P2", limit: 3, refused: 2 });
    checkNarrated(net.deeds, reliableNarration);
  });

  test("ignores an acknowledgement of what was never sent", () => {
    const net = network({ drops: ({ to }) => to === "P2" });
    net.command("P1", { to: "P2", text: "a" });
    net.inject("P2", "P1", { kind: "ack", epoch: 0, toEpoch: 0, ack: 7 });
    net.run({ until: 10 * MILLISECOND });
    expect(net.state("P1").links["P2"]?.queue).toEqual(["a"]);
  });

  test("says what an option may be", () => {
    expect(() => reliable(mailbox, { window: 0 })).toThrow(
      "reliable: window is 0; give a whole number from 1 to 4096",
    );
    expect(() => reliable(mailbox, { window: 10, queueMax: 5 })).toThrow(UsageError);
    expect(() => reliable(mailbox, { heartbeatAfter: 0.5 })).toThrow("heartbeatAfter is 0.5");
  });

  test("is not wrapped twice", () => {
    expect(() => reliable(reliable(mailbox))).toThrow("has reliable links already");
  });
});
