import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkNarrated } from "../../../test/support/narrated.js";
import { PureNetwork, type Weather } from "../../../test/support/pure-network.js";
import { InvariantError, MILLISECOND, processNames, SECOND, type Duration } from "../../core/index.js";
import { calculator, type CalculatorState } from "./calculator.js";
import { requestReply, requestReplyNarration, type RequestReplyState } from "./request-reply.js";
import type { CallCommand, CallOutput, RequestReplyMessage } from "./request-reply-messages.js";
import { CALL_MODES, keepsReplies, type RequestReplyOptions } from "./request-reply-options.js";
import { ringValues } from "./seq-ring.js";

type Network = PureNetwork<RequestReplyState<CalculatorState>, RequestReplyMessage, CallCommand, CallOutput>;

const SLOW = 50 * MILLISECOND;

/** P1 serves; `power` takes 50 ms, everything else no time; a message takes 1 ms unless the weather says otherwise. */
function network(
  options: Partial<RequestReplyOptions> = {},
  weather: Partial<Weather<RequestReplyMessage>> = {},
  processes = 3,
): Network {
  const work = (method: string): Duration => (method === "power" ? SLOW : 0);
  const protocol = requestReply(calculator, { server: "P1", work, ...options });
  return new PureNetwork(protocol, processNames(processes), { seed: 1, ...weather });
}

const add: CallCommand = { kind: "call", method: "add", args: { a: 2, b: 3 } };
const power: CallCommand = { kind: "call", method: "power", args: { a: 2, b: 3 } };

function outcomes(net: Network, client = "P2"): string[] {
  return net.outputs(client).flatMap((output) => {
    if (output.kind !== "completed") return [];
    const { outcome } = output;
    return [
      `${output.id} ${outcome.kind} ${outcome.kind === "ok" ? JSON.stringify(outcome.value) : outcome.reason}`,
    ];
  });
}

function executions(net: Network): string[] {
  return net.outputs("P1").flatMap((output) => (output.kind === "executed" ? [output.id] : []));
}

/** What the server still keeps for P2: up to which number nothing, and the numbers of the replies after that. */
function kept(net: Network): unknown {
  const state = net.state("P1");
  if (state.role !== "server") throw new Error("P1 is no server");
  const record = state.clients["P2"];
  return record && { pruned: record.pruned, replies: ringValues(record.replies).map(({ seq }) => seq) };
}

const kinds = (messages: readonly RequestReplyMessage[]) => messages.map(({ kind }) => kind);

/** Loses the first `count` messages of a kind. */
function losing(kind: RequestReplyMessage["kind"], count: number): Partial<Weather<RequestReplyMessage>> {
  let left = count;
  return { drops: ({ message }) => message.kind === kind && left-- > 0 };
}

describe("from the sources", () => {
  test("§7: a call that nothing disturbs costs a request and a reply", () => {
    const net = network();
    net.command("P2", add);
    expect(net.run()).toBe("quiescent");
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
    expect([kinds(net.sent("P2")), kinds(net.sent("P1"))]).toEqual([["request"], ["reply"]]);
  });

  test("§7: a lost reply is repeated from the cache, under the same number; the work is not", () => {
    const net = network({}, losing("reply", 2));
    net.command("P2", add);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
    expect(executions(net)).toEqual(["P2#1"]);
    expect(net.sent("P2").map((message) => "seq" in message && message.seq)).toEqual([1, 1, 1]);
    expect(net.state("P1")).toMatchObject({ service: { operations: 1 } });
  });

  test("§7: long work is acknowledged; the acknowledgement does not end the call, and slows its repetitions", () => {
    const net = network({
      backOffBase: 4 * MILLISECOND,
      backOffMax: 4 * MILLISECOND,
      acknowledgeAfter: 5_000,
    });
    net.command("P2", power);
    net.run({ until: 40 * MILLISECOND });
    const attempts = net.sent("P2").length;
    expect(net.explained("P2", "rr.acknowledged")).toEqual([{ id: "P2#1" }]);
    expect(outcomes(net)).toEqual([]);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 ok 8"]);
    expect(net.sent("P2")).toHaveLength(attempts);
    expect(executions(net)).toEqual(["P2#1"]);
  });

  test("§7: a copy that comes while its call is under way is acknowledged, and not run", () => {
    const net = network({}, { duplicate: 1 });
    net.command("P2", power);
    net.run();
    expect(executions(net)).toEqual(["P2#1"]);
    expect(net.explained("P1", "rr.in-progress")).not.toEqual([]);
  });

  test("§7: after the acknowledgement the server may crash: the client asks again and the new one runs it", () => {
    const net = network();
    net.command("P2", power);
    net.crash("P1", 40 * MILLISECOND);
    net.restart("P1", 60 * MILLISECOND);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 ok 8"]);
    expect(executions(net)).toEqual(["P2#1"]);
  });

  test("§7: replies are forgotten when the client says it needs them no more, and copies from before are stale", () => {
    const net = network();
    net.command("P2", add, 0);
    net.command("P2", add, 10_000);
    net.run();
    expect(kept(net)).toEqual({ pruned: 1, replies: [2] });
    const [first] = net.sent("P2");
    if (first === undefined) throw new Error("nothing was sent");
    net.inject("P2", "P1", first);
    net.run();
    expect(net.explained("P1", "rr.stale")).toEqual([{ id: "P2#1", client: "P2" }]);
    expect(executions(net)).toEqual(["P2#1", "P2#2"]);
  });

  test("§7: while an older call is open, the reply of a younger one stays", () => {
    const net = network();
    net.command("P2", power);
    net.command("P2", add);
    net.command("P2", add, 10_000);
    net.run({ until: 20_000 });
    expect(kept(net)).toEqual({ pruned: 0, replies: [2, 3] });
  });

  test("§7: at the deadline the outcome is unknown, unless nothing was ever sent", () => {
    const sent = network({ deadline: SECOND }, { loss: 1 });
    sent.command("P2", add);
    sent.run();
    expect(outcomes(sent)).toEqual(["P2#1 unknown its time ran out"]);
    expect(sent.now).toBe(SECOND);
    const unsent = network({ deadline: SECOND, mode: "at-most-once" }, { loss: 1 });
    unsent.command("P2", add);
    unsent.run();
    expect(outcomes(unsent)).toEqual(["P2#1 failed its time ran out before it was sent"]);
  });

  test("§7: a request says what is left of its caller's time, and none leaves after it", () => {
    const net = network({ deadline: SECOND }, { loss: 1 });
    net.command("P2", add, 5_000);
    net.run();
    const requests = net.deeds.flatMap(({ at, effect }) =>
      effect.kind === "send" && effect.message.kind === "request" ? [{ at, ...effect.message }] : [],
    );
    expect(requests.length).toBeGreaterThan(2);
    for (const { at, budget } of requests) expect(at + budget).toBe(5_000 + SECOND);
  });

  test("§7: a call that is under way when its caller's time runs out does not run any more", () => {
    const net = network({ deadline: 30 * MILLISECOND });
    net.command("P2", power);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 unknown its time ran out"]);
    expect(executions(net)).toEqual([]);
    expect(net.explained("P1", "rr.expired")).toHaveLength(1);
  });

  test("full jitter: each wait lies between nothing and its ceiling, and they differ", () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const net = network({ attemptsMax: 7, deadline: 60 * SECOND }, { seed, loss: 1 });
      net.command("P2", add);
      net.run();
      const at = net.deeds.flatMap((deed) => (deed.effect.kind === "send" ? [deed.at] : []));
      expect(at).toHaveLength(7);
      [100, 200, 400, 800, 1600, 2000].forEach((ceiling, i) => {
        const wait = (at[i + 1] ?? 0) - (at[i] ?? 0);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThan(ceiling * MILLISECOND);
        seen.add(wait);
      });
    }
    expect(seen.size).toBeGreaterThan(30);
  });
});

describe("modes", () => {
  test("maybe: one attempt", () => {
    const net = network({ mode: "maybe" }, losing("request", 1));
    net.command("P2", add);
    net.run();
    expect(kinds(net.sent("P2"))).toEqual(["request"]);
    expect(outcomes(net)).toEqual(["P2#1 unknown its time ran out"]);
  });

  test("at-least-once: a lost reply makes it run again", () => {
    const net = network({ mode: "at-least-once" }, losing("reply", 1));
    net.command("P2", add);
    net.run();
    expect(executions(net)).toEqual(["P2#1", "P2#1"]);
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
  });

  test("at-most-once: a server that restarted does not run what its predecessor may have run", () => {
    const net = network({ mode: "at-most-once" }, losing("reply", 1));
    net.command("P2", add);
    net.crash("P1", 4_000);
    net.restart("P1", 5_000);
    net.command("P2", add, 500_000);
    net.run();
    expect(executions(net)).toEqual(["P2#1", "P2#2"]);
    expect(outcomes(net)).toEqual([
      "P2#1 unknown the server has restarted; it may have run before",
      "P2#2 ok 5",
    ]);
  });

  test("exactly-once: effect and reply are saved together, before the reply leaves", () => {
    const net = network();
    net.command("P2", add);
    net.run();
    const deeds = net.deeds.flatMap(({ process, effect }) => (process === "P1" ? [effect] : []));
    expect(deeds.map(({ kind }) => kind)).toEqual(["save", "explain", "output", "send"]);
    expect(deeds[0]).toEqual({
      kind: "save",
      saved: {
        service: { operations: 1 },
        clients: {
          P2: { incarnation: 0, pruned: 0, replies: [{ kind: "reply", seq: 1, value: 5, incarnation: 0 }] },
        },
      },
    });
  });

  test("exactly-once: a restarted server repeats the reply of its predecessor", () => {
    const net = network({}, losing("reply", 1));
    net.command("P2", add);
    net.crash("P1", 1_500);
    net.restart("P1", 2_000);
    net.run();
    expect(executions(net)).toEqual(["P2#1"]);
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
    expect(net.state("P1")).toMatchObject({ service: { operations: 1 } });
  });

  test.each(CALL_MODES)("%s: a call that cannot run fails, with the reason", (mode) => {
    const net = network({ mode });
    net.command("P2", { kind: "call", method: "divide", args: { a: 1, b: 0 } });
    net.command("P2", { kind: "call", method: "devide", args: { a: 1, b: 1 } });
    net.run();
    expect(outcomes(net)).toEqual([
      "P2#1 failed division by zero; give a divisor other than 0",
      "P2#2 failed there is no such method; did you mean divide? give one of add, subtract, multiply, divide, power, root",
    ]);
    expect(executions(net)).toEqual([]);
  });
});

describe("cancelling", () => {
  test("before it runs: it fails, and a late copy of its request does not run", () => {
    const net = network();
    net.command("P2", power);
    net.command("P2", { kind: "cancel", id: "P2#1" }, 10_000);
    net.run({ until: 100_000 });
    expect(outcomes(net)).toEqual(["P2#1 failed cancelled by its caller"]);
    const [request] = net.sent("P2");
    if (request === undefined) throw new Error("nothing was sent");
    net.inject("P2", "P1", request);
    net.run();
    expect(executions(net)).toEqual([]);
  });

  test("overtaking its request: the request is refused when it comes", () => {
    const net = network();
    net.inject("P2", "P1", { kind: "cancel", seq: 1, incarnation: 0, ackUpTo: 0 });
    net.inject("P2", "P1", { ...add, kind: "request", seq: 1, incarnation: 0, ackUpTo: 0, budget: SECOND });
    net.run();
    expect(kinds(net.sent("P1"))).toEqual(["refused", "refused"]);
  });

  test("after it ran: the caller gets the value", () => {
    const net = network({}, losing("reply", 1));
    net.command("P2", add);
    net.command("P2", { kind: "cancel", id: "P2#1" }, 3_000);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
  });

  test("where no replies are kept nobody can be certain", () => {
    const net = network({ mode: "at-least-once" });
    net.command("P2", power);
    net.command("P2", { kind: "cancel", id: "P2#1" }, 10_000);
    net.run();
    expect(outcomes(net)).toEqual(["P2#1 unknown cancelled; it may have run"]);
    expect(executions(net)).toEqual([]);
  });
});

describe("limits", () => {
  test("one call more than the window fails at once", () => {
    const net = network({ window: 2 }, { loss: 1 });
    for (let i = 0; i < 3; i++) net.command("P2", add);
    net.run({ until: 1_000 });
    expect(outcomes(net)).toEqual(["P2#3 failed 2 calls are under way already"]);
  });

  test("a server takes no more work than it has room for, and gets round to the rest", () => {
    const net = network({ worksMax: 2 });
    for (let i = 0; i < 6; i++) net.command("P2", power);
    net.run();
    expect(net.explained("P1", "rr.overloaded")).not.toEqual([]);
    expect(outcomes(net).toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `P2#${n} ok 8`));
  });

  test("after the last attempt a client still takes a late reply", () => {
    const net = network({ attemptsMax: 2, deadline: 60 * SECOND }, { delay: [5 * SECOND, 5 * SECOND] });
    net.command("P2", add);
    net.run();
    expect(net.sent("P2")).toHaveLength(2);
    expect(outcomes(net)).toEqual(["P2#1 ok 5"]);
  });

  test("options that make no sense are refused", () => {
    expect(() => network({ window: 0 })).toThrow(InvariantError);
    expect(() => network({ server: "P9" })).toThrow(InvariantError);
  });
});

test("a client that restarted leaves the calls of its dead incarnation to nobody", () => {
  const net = network();
  net.command("P2", power);
  net.crash("P2", 10_000);
  net.restart("P2", 20_000);
  net.command("P2", add, 25_000);
  net.run();
  expect(net.explained("P1", "rr.exterminated")).toEqual([{ client: "P2", ids: ["P2#1"] }]);
  expect(executions(net)).toEqual(["P2#1@1"]);
  expect(outcomes(net)).toEqual(["P2#1@1 ok 5"]);
});

test("what is not for a process's role is ignored, and said so", () => {
  const net = network();
  net.inject("P3", "P2", { kind: "bind" });
  net.inject("P2", "P1", { kind: "bound", server: 0 });
  net.command("P1", add);
  net.run();
  expect(net.explained("P2", "rr.misdirected")).toHaveLength(1);
  expect(net.explained("P1", "rr.misdirected")).toHaveLength(1);
  expect(net.explained("P1", "rr.no-client")).toHaveLength(1);
});

test("a client without calls has no timer running", () => {
  const net = network({ mode: "at-most-once" });
  net.command("P2", add);
  net.run();
  expect(net.liveTimers("P2")).toEqual([]);
});

test("whatever the network and the crashes: every call ends once, honestly, and kept replies prevent second runs", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        mode: fc.constantFrom(...CALL_MODES),
        loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
        duplicate: fc.double({ min: 0, max: 0.5, noNaN: true }),
        longest: fc.integer({ min: 1_000, max: 300_000 }),
        crashes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
        calls: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
        cancels: fc.array(fc.nat({ max: 6 }), { maxLength: 3 }),
      }),
      ({ seed, mode, loss, duplicate, longest, crashes, calls, cancels }) => {
        const net = network({ mode, deadline: 3 * SECOND }, { seed, loss, duplicate, delay: [500, longest] });
        calls.forEach((slow, i) => net.command(i % 2 === 0 ? "P2" : "P3", slow ? power : add, i * 7_000));
        for (const seq of cancels)
          net.command("P2", { kind: "cancel", id: `P2#${seq}` }, 30_000 + seq * 5_000);
        let at = 0;
        for (const gap of crashes) {
          net.crash("P1", (at += gap * 5_000));
          net.restart("P1", (at += 3_000));
        }
        expect(net.run()).toBe("quiescent");
        const ended = [...outcomes(net, "P2"), ...outcomes(net, "P3")];
        expect(ended).toHaveLength(calls.length);
        const ran = executions(net);
        if (keepsReplies(mode)) expect(new Set(ran).size).toBe(ran.length);
        for (const outcome of ended) {
          const [id = "", kind] = outcome.split(" ");
          if (kind === "failed") expect(ran).not.toContain(id);
          if (kind === "ok") expect(ran).toContain(id);
        }
        checkNarrated(net.deeds, requestReplyNarration);
      },
    ),
    { numRuns: 300 },
  );
});
