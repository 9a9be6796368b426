import { expect, test } from "vitest";
import { innerContext, type Layer } from "./layered.js";
import type { Context, Protocol } from "./protocol.js";
import { placeOf, step, type Effect } from "./step.js";

/** Runs `act` in the context that `layer` gives inside a protocol of envelopes, and gives what came out. */
function throughLayer(
  act: (ctx: Context<string, number>) => void,
  layer: (outer: Context<readonly string[], number>) => Layer<string, number>,
): readonly Effect[] {
  const outer: Protocol<null, readonly string[], never, number> = {
    name: "outer",
    start(ctx) {
      act(innerContext(ctx, layer(ctx)));
      return null;
    },
    onMessage: (state) => state,
  };
  const place = placeOf(["P1", "P2", "P3"], "P2");
  return step(outer, undefined, { kind: "start" }, { place, incarnation: 2, now: 7, pick: () => 1 }).effects;
}

const envelope = (outer: Context<readonly string[], number>): Layer<string, number> => ({
  send: (to, message) => outer.send(to, ["enveloped", message]),
});

test("sends go through the layer, a broadcast as one send to each peer in order", () => {
  const effects = throughLayer((ctx) => {
    ctx.send("P2", "self");
    ctx.broadcast("all");
  }, envelope);
  expect(effects).toEqual(
    [
      ["P2", "self"],
      ["P1", "all"],
      ["P3", "all"],
    ].map(([to, message]) => ({ kind: "send", to, message: ["enveloped", message] })),
  );
});

test("everything else passes through when the layer does not ask for it", () => {
  const seen: unknown[] = [];
  const effects = throughLayer((ctx) => {
    seen.push(ctx.self, ctx.peers, ctx.processes, ctx.incarnation, ctx.now, ctx.choose("c", ["a", "b"]));
    ctx.setTimer("t", 5);
    ctx.cancelTimer("t");
    ctx.save("kept");
    ctx.output(1);
    ctx.deliver("layer", "P1", 1, "m");
    ctx.explain("rule", { a: 1 });
  }, envelope);
  expect(seen).toEqual(["P2", ["P1", "P3"], ["P1", "P2", "P3"], 2, 7, "b"]);
  expect(effects).toEqual([
    { kind: "set-timer", timer: "t", after: 5 },
    { kind: "cancel-timer", timer: "t" },
    { kind: "save", saved: "kept" },
    { kind: "output", value: 1 },
    { kind: "deliver", layer: "layer", from: "P1", sequence: 1, message: "m" },
    { kind: "explain", rule: "rule", terms: { a: 1 } },
  ]);
});

test("saves and outputs go through a layer that asks for them", () => {
  const effects = throughLayer(
    (ctx) => {
      ctx.save("inner");
      ctx.output(1);
    },
    (outer) => ({
      ...envelope(outer),
      save: (durable) => outer.save({ inner: durable, mine: 0 }),
      output: (value) => outer.output(value + 1),
    }),
  );
  expect(effects).toEqual([
    { kind: "save", saved: { inner: "inner", mine: 0 } },
    { kind: "output", value: 2 },
  ]);
});
