import { describe, expect, test } from "vitest";
import { InvariantError } from "./invariant.js";
import { deepFreeze } from "./plain.js";
import type { Context, Protocol } from "./protocol.js";
import { placeOf, step, stepAny, type Effect, type Input, type Surroundings } from "./step.js";

type Log = readonly string[];

/** Writes down which handler ran with what, and then does what the test wants. */
function logger(
  act: (ctx: Context<string, string>) => void = () => {},
): Protocol<Log, string, string, string> {
  const log = (state: Log, entry: string, ctx: Context<string, string>): Log => {
    act(ctx);
    return [...state, entry];
  };
  return {
    name: "logger",
    start: (ctx) => log([], "start", ctx),
    onMessage: (state, from, message, ctx) => log(state, `message ${from} ${message}`, ctx),
    onTimer: (state, timer, ctx) => log(state, `timer ${timer}`, ctx),
    onCommand: (state, command, ctx) => log(state, `command ${command}`, ctx),
    onRestart: (saved, ctx) => log([], `restart ${String(saved)}`, ctx),
  };
}

const surroundings: Surroundings = {
  place: placeOf(["P1", "P2", "P3"], "P2"),
  incarnation: 3,
  now: 41,
  pick: () => 0,
};

function effectsOf(act: (ctx: Context<string, string>) => void, around = surroundings): readonly Effect[] {
  return step(logger(act), undefined, { kind: "start" }, around).effects;
}

describe("dispatch", () => {
  const inputs: [Input<string, string>, string][] = [
    [{ kind: "message", from: "P1", message: "hello" }, "message P1 hello"],
    [{ kind: "timer", timer: "t" }, "timer t"],
    [{ kind: "command", command: "go" }, "command go"],
  ];

  test.each(inputs)("%o reaches its handler with the state", (input, entry) => {
    expect(step(logger(), deepFreeze(["before"]), input, surroundings).state).toEqual(["before", entry]);
  });

  test("start and restart make the state, whatever there was", () => {
    expect(step(logger(), ["old"], { kind: "start" }, surroundings).state).toEqual(["start"]);
    expect(step(logger(), undefined, { kind: "restart", saved: "s" }, surroundings).state).toEqual([
      "restart s",
    ]);
  });

  test("a restart without its handler is a start", () => {
    const forgetful: Protocol<Log, string> = {
      name: "forgetful",
      start: () => ["start"],
      onMessage: (state) => state,
    };
    const { state } = step(forgetful, undefined, { kind: "restart", saved: "s" }, surroundings);
    expect(state).toEqual(["start"]);
  });

  test("a step that returns its own state says that nothing happened", () => {
    const idle: Protocol<Log, string> = { name: "idle", start: () => [], onMessage: (state) => state };
    const state: Log = ["same"];
    expect(step(idle, state, { kind: "message", from: "P1", message: "x" }, surroundings)).toEqual({
      state,
      effects: [],
      picks: [],
    });
  });

  test("null is a state like any other", () => {
    const stateless: Protocol<null, string> = {
      name: "stateless",
      start: () => null,
      onMessage: (state) => state,
    };
    expect(
      step(stateless, null, { kind: "message", from: "P1", message: "x" }, surroundings).state,
    ).toBeNull();
  });

  test("what cannot be handled is an impossible state, told with the protocol's name", () => {
    const bare = { name: "bare", start: () => 0, onMessage: (state: number) => state };
    const run = (state: unknown, input: Input) => () => stepAny(bare, state, input, surroundings);
    expect(run(0, { kind: "timer", timer: "t" })).toThrowErrorMatchingInlineSnapshot(
      `[InvariantError: bare set timer "t" but has no onTimer]`,
    );
    expect(run(0, { kind: "command", command: "go" })).toThrowErrorMatchingInlineSnapshot(
      `[InvariantError: bare takes no commands]`,
    );
    expect(run(undefined, { kind: "message", from: "P1", message: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[InvariantError: bare: a message reached a process that has not started]`,
    );
  });
});

describe("a context", () => {
  test("tells where and when the step is", () => {
    const seen: unknown[] = [];
    effectsOf((ctx) => seen.push(ctx.self, ctx.peers, ctx.processes, ctx.incarnation, ctx.now));
    expect(seen).toEqual(["P2", ["P1", "P3"], ["P1", "P2", "P3"], 3, 41]);
  });

  test("collects effects in the order asked", () => {
    const effects = effectsOf((ctx) => {
      ctx.send("P3", "first");
      ctx.setTimer("t", 0);
      ctx.cancelTimer("t");
      ctx.save({ a: 1 });
      ctx.output("out");
      ctx.deliver("layer", "P1", 7, "m");
      ctx.explain("rule", { x: 1 });
      ctx.broadcast("all");
    });
    expect(effects).toEqual([
      { kind: "send", to: "P3", message: "first" },
      { kind: "set-timer", timer: "t", after: 0 },
      { kind: "cancel-timer", timer: "t" },
      { kind: "save", saved: { a: 1 } },
      { kind: "output", value: "out" },
      { kind: "deliver", layer: "layer", from: "P1", sequence: 7, message: "m" },
      { kind: "explain", rule: "rule", terms: { x: 1 } },
      { kind: "send", to: "P1", message: "all" },
      { kind: "send", to: "P3", message: "all" },
    ]);
  });

  test.each([-1, 0.5, NaN, Infinity, 2 ** 53])("sets no timer to %d", (after) => {
    expect(() => effectsOf((ctx) => ctx.setTimer("t", after))).toThrow(
      new InvariantError(`timer "t" set to ${after}; whole microseconds from 0 up`),
    );
  });

  test.each<[string, (ctx: Context<string, string>) => void]>([
    ["send", (ctx) => ctx.send("P1", "late")],
    ["broadcast", (ctx) => ctx.broadcast("late")],
    ["setTimer", (ctx) => ctx.setTimer("t", 1)],
    ["cancelTimer", (ctx) => ctx.cancelTimer("t")],
    ["save", (ctx) => ctx.save(1)],
    ["output", (ctx) => ctx.output("late")],
    ["deliver", (ctx) => ctx.deliver("layer", "P1", 1, "late")],
    ["choose", (ctx) => void ctx.choose("c", [1, 2])],
    ["explain", (ctx) => ctx.explain("rule", {})],
  ])("refuses %s once its step is over", (_name, late) => {
    let kept: Context<string, string> | undefined;
    const keep = (ctx: Context<string, string>) => {
      kept = ctx;
    };
    const { effects } = step(logger(keep), undefined, { kind: "start" }, surroundings);
    const over = new InvariantError("a context is valid during its step only");
    expect(() => kept && late(kept)).toThrow(over);
    expect(effects).toEqual([]);

    const failing = logger((ctx) => {
      keep(ctx);
      throw new Error("handler failed");
    });
    expect(() => step(failing, undefined, { kind: "start" }, surroundings)).toThrow("handler failed");
    expect(() => kept && late(kept)).toThrow(over);
  });
});

describe("choose", () => {
  const chosen = (act: (ctx: Context<string, string>) => void, pick: Surroundings["pick"]) =>
    step(logger(act), undefined, { kind: "start" }, { ...surroundings, pick });

  test("takes the option that is picked, and records its index", () => {
    const asked: unknown[] = [];
    const options: string[] = [];
    const { picks } = chosen(
      (ctx) => options.push(ctx.choose("first", ["a", "b", "c"]), ctx.choose("second", ["x", "y"])),
      (name, count) => {
        asked.push([name, count]);
        return count - 1;
      },
    );
    expect(options).toEqual(["c", "y"]);
    expect(picks).toEqual([2, 1]);
    expect(asked).toEqual([
      ["first", 3],
      ["second", 2],
    ]);
  });

  test("of a single option neither draws nor records", () => {
    const { picks } = chosen(
      (ctx) => expect(ctx.choose("only", ["a"])).toBe("a"),
      () => {
        throw new Error("was asked");
      },
    );
    expect(picks).toEqual([]);
  });

  test("may take an option that is undefined", () => {
    chosen(
      (ctx) => expect(ctx.choose("maybe", [1, undefined])).toBeUndefined(),
      () => 1,
    );
  });

  test("of nothing is an impossible state, and so is an option that is not there", () => {
    expect(() =>
      chosen(
        (ctx) => ctx.choose("none", []),
        () => 0,
      ),
    ).toThrowErrorMatchingInlineSnapshot(`[InvariantError: choose("none") has no options]`);
    expect(() =>
      chosen(
        (ctx) => ctx.choose("two", [1, 2]),
        () => 2,
      ),
    ).toThrowErrorMatchingInlineSnapshot(`[InvariantError: choose("two") was given option 2 of 2]`);
    expect(() =>
      chosen(
        (ctx) => ctx.choose("two", [1, 2]),
        () => 0.5,
      ),
    ).toThrow(InvariantError);
  });
});

test("a place is one of the processes, and its peers are the others in their order", () => {
  expect(placeOf(["b", "a", "c"], "a")).toEqual({ self: "a", processes: ["b", "a", "c"], peers: ["b", "c"] });
  expect(() => placeOf(["a"], "b")).toThrow(InvariantError);
});
