import type { Context, ProcessId, Protocol } from "../../core/index.js";
import type { ElectionCommand, ElectionOutput, Ids } from "./election.js";
import { successor } from "./ring-member.js";

/** Round the ring in the order of the processes, or against it. */
export type Way = "onward" | "backward";

/** What a process knows. */
export interface HirschbergSinclairState {
  /** Whether it takes part in an election whose leader it does not know yet. */
  readonly participant: boolean;
  /** The leader, once known; `null` before. */
  readonly leader: ProcessId | null;
  /** Its id goes 2^phase processes far each way; -1 while it is not under way. */
  readonly phase: number;
  /** The ways on which its id has met nobody higher in this phase. */
  readonly replies: readonly Way[];
}

export type HirschbergSinclairMessage =
  /** `hops` processes from its own, with this one. */
  | {
      readonly kind: "probe";
      readonly candidate: ProcessId;
      readonly phase: number;
      readonly hops: number;
      readonly way: Way;
    }
  /** On its way back; `way` is the one on which the probe went out. */
  | { readonly kind: "reply"; readonly candidate: ProcessId; readonly phase: number; readonly way: Way }
  | { readonly kind: "elected"; readonly leader: ProcessId };

/**
 * Election on a ring in both directions: an id goes 1, 2, 4, … processes far each way as long as it meets none higher,
 * and has won when it comes round. At most 8n(1 + ⌈log₂ n⌉) messages, and n more to tell.
 *
 * The ring is the order of the processes. Needs reliable links; tolerates any delivery order, and no crash. Source:
 * D. S. Hirschberg and J. B. Sinclair, "Decentralized Extrema-Finding in Circular Configurations of Processors", CACM
 * 23(11), 1980.
 */
export function hirschbergSinclair(
  ids: Ids,
): Protocol<HirschbergSinclairState, HirschbergSinclairMessage, ElectionCommand, ElectionOutput> {
  const id = (process: ProcessId) => ids[process] ?? -1;
  return {
    name: "hirschberg-sinclair",

    start: () => NOTHING,

    onCommand(state, _command, ctx) {
      if (!state.participant) return begin(state, ctx);
      ctx.explain("hs.taking-part", {});
      return state;
    },

    onMessage(state, _from, message, ctx) {
      switch (message.kind) {
        case "probe":
          return onProbe(state, message, id, ctx);
        case "reply":
          return onReply(state, message, ctx);
        case "elected":
          return onElected(state, message.leader, ctx);
      }
    },

    onRestart: (_saved, ctx) => begin(NOTHING, ctx),
  };
}

type RingContext = Context<HirschbergSinclairMessage, ElectionOutput>;
type Probe = Extract<HirschbergSinclairMessage, { kind: "probe" }>;
type Reply = Extract<HirschbergSinclairMessage, { kind: "reply" }>;

const NOTHING: HirschbergSinclairState = { participant: false, leader: null, phase: -1, replies: [] };

const WAYS: readonly Way[] = ["onward", "backward"];

function begin(state: HirschbergSinclairState, ctx: RingContext): HirschbergSinclairState {
  if (ctx.peers.length === 0) return win({ ...takePart(state, ctx), phase: 0 }, ctx);
  return probe(takePart(state, ctx), 0, ctx);
}

function takePart(state: HirschbergSinclairState, ctx: RingContext): HirschbergSinclairState {
  if (state.participant) return state;
  ctx.output({ kind: "started" });
  return { ...state, participant: true, phase: -1, replies: [] };
}

/** Sends the own id out both ways, 2^phase far. */
function probe(state: HirschbergSinclairState, phase: number, ctx: RingContext): HirschbergSinclairState {
  ctx.explain("hs.probe", { distance: 2 ** phase });
  for (const way of WAYS) {
    ctx.send(neighbour(way, ctx), { kind: "probe", candidate: ctx.self, phase, hops: 1, way });
  }
  return { ...state, phase, replies: [] };
}

function onProbe(
  state: HirschbergSinclairState,
  { candidate, phase, hops, way }: Probe,
  id: (process: ProcessId) => number,
  ctx: RingContext,
): HirschbergSinclairState {
  const theirs = { peer: candidate, theirs: id(candidate), own: id(ctx.self) };
  if (candidate === ctx.self) return win(state, ctx);
  if (id(candidate) < id(ctx.self)) {
    ctx.explain("hs.stop", theirs);
    return state.participant ? state : begin(state, ctx);
  }
  if (hops < 2 ** phase) {
    ctx.explain("hs.forward", theirs);
    ctx.send(neighbour(way, ctx), { kind: "probe", candidate, phase, hops: hops + 1, way });
  } else {
    ctx.explain("hs.turn", theirs);
    ctx.send(neighbour(opposite(way), ctx), { kind: "reply", candidate, phase, way });
  }
  return state;
}

function onReply(
  state: HirschbergSinclairState,
  { candidate, phase, way }: Reply,
  ctx: RingContext,
): HirschbergSinclairState {
  if (candidate !== ctx.self) {
    ctx.send(neighbour(opposite(way), ctx), { kind: "reply", candidate, phase, way });
    return state;
  }
  if (!state.participant || phase !== state.phase || state.replies.includes(way)) return state;
  const replies = [...state.replies, way];
  if (replies.length < WAYS.length) return { ...state, replies };
  ctx.explain("hs.both", { distance: 2 ** phase });
  return probe(state, phase + 1, ctx);
}

function win(state: HirschbergSinclairState, ctx: RingContext): HirschbergSinclairState {
  // It comes round both ways.
  if (!state.participant) return state;
  ctx.explain("hs.win", {});
  const next = learn(state, ctx.self, ctx);
  if (ctx.peers.length > 0) ctx.send(neighbour("onward", ctx), { kind: "elected", leader: ctx.self });
  return next;
}

function onElected(
  state: HirschbergSinclairState,
  leader: ProcessId,
  ctx: RingContext,
): HirschbergSinclairState {
  if (leader === ctx.self) {
    ctx.explain("hs.round", {});
    return state;
  }
  ctx.explain("hs.learn", { peer: leader });
  ctx.send(neighbour("onward", ctx), { kind: "elected", leader });
  return learn(state, leader, ctx);
}

function learn(state: HirschbergSinclairState, leader: ProcessId, ctx: RingContext): HirschbergSinclairState {
  ctx.output({ kind: "elected", leader });
  return { ...state, participant: false, leader, phase: -1, replies: [] };
}

function neighbour(way: Way, { self, processes }: RingContext): ProcessId {
  return successor({ self, processes: way === "onward" ? processes : processes.toReversed() }, []);
}

function opposite(way: Way): Way {
  return way === "onward" ? "backward" : "onward";
}

/** A sentence for every rule above; the process itself is the subject. */
export const hirschbergSinclairNarration: Readonly<Record<string, string>> = {
  "hs.taking-part": "takes part in an election already",
  "hs.probe": "sends its id {distance} processes far, both ways",
  "hs.forward": "passes the id {theirs} of {peer} on: it is higher than its own {own}",
  "hs.turn": "sends word back to {peer}: its id {theirs} has come as far as it should",
  "hs.stop": "drops the id {theirs} of {peer}: its own {own} is higher",
  "hs.both": "has met nobody higher within {distance} processes on either side",
  "hs.win": "gets its own id back: nobody has a higher one, so it leads",
  "hs.learn": "learns that {peer} leads",
  "hs.round": "hears that everybody knows",
};
