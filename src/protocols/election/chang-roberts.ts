import type { Context, Duration, ProcessId, Protocol } from "../../core/index.js";
import type { ElectionCommand, ElectionOutput, Ids } from "./election.js";
import { successor } from "./ring-member.js";

/** What a process knows. */
export interface ChangRobertsState {
  /** Whether it takes part in an election whose leader it does not know yet. */
  readonly participant: boolean;
  /** The leader, once known; `null` before. */
  readonly leader: ProcessId | null;
  /** Processes that did not answer and are left out of the ring. */
  readonly skipped: readonly ProcessId[];
}

export type ChangRobertsMessage =
  /** Goes round until it meets a higher one. */
  | { readonly kind: "candidate"; readonly candidate: ProcessId; readonly hops: number }
  | { readonly kind: "elected"; readonly leader: ProcessId }
  /** "Are you there?", asked of the successor when the election takes long. */
  | { readonly kind: "probe" }
  | { readonly kind: "alive" };

export interface ChangRobertsOptions {
  /** Who takes part longer than this asks whether its successor is there, and skips it after as long again; 0: never. */
  readonly patience?: Duration;
}

/**
 * Election on a ring in one direction: every id goes round until it meets a higher one, and the one that comes back to
 * its process has won. n·Hₙ candidate messages on average when all start, and n more to tell.
 *
 * The ring is the order of the processes. Needs reliable links; tolerates any delivery order. With `patience` a dead
 * successor is skipped; a slow one too, so that a partition makes one leader on each side. Source: E. Chang and
 * R. Roberts, "An Improved Algorithm for Decentralized Extrema-Finding in Circular Configurations of Processes", CACM
 * 22(5), 1979; the skipping is ours.
 */
export function changRoberts(
  ids: Ids,
  { patience = 0 }: ChangRobertsOptions = {},
): Protocol<ChangRobertsState, ChangRobertsMessage, ElectionCommand, ElectionOutput> {
  const id = (process: ProcessId) => ids[process] ?? -1;
  return {
    name: "chang-roberts",

    start: () => NOTHING,

    onCommand(state, _command, ctx) {
      if (state.participant) {
        ctx.explain("ring.taking-part", {});
        return state;
      }
      ctx.explain("ring.start", { id: id(ctx.self), peer: successor(ctx, state.skipped) });
      return takePart(state, ctx.self, 1, patience, ctx);
    },

    onMessage(before, from, message, ctx) {
      const state = heardOf(before, from, message, ctx);
      switch (message.kind) {
        case "candidate":
          return onCandidate(state, message, id, patience, ctx);
        case "elected":
          return onElected(state, message.leader, ctx);
        case "probe":
          ctx.send(from, { kind: "alive" });
          return state;
        case "alive":
          ctx.cancelTimer("skip");
          if (!state.participant) return state;
          // Whatever came by here may have gone down with another.
          ctx.explain("ring.once-more", { peer: from });
          return takePart(state, ctx.self, 1, patience, ctx);
      }
    },

    onTimer(state, timer, ctx) {
      if (!state.participant) return state;
      const next = successor(ctx, state.skipped);
      if (timer === "skip") {
        ctx.explain("ring.skip", { peer: next });
        const skipped = [...state.skipped, next];
        return takePart({ ...state, skipped }, ctx.self, 1, patience, ctx);
      }
      ctx.explain("ring.probe", { peer: next });
      ctx.send(next, { kind: "probe" });
      ctx.setTimer("skip", patience);
      ctx.setTimer("patience", 2 * patience);
      return state;
    },

    onRestart: (_saved, ctx) => takePart(NOTHING, ctx.self, 1, patience, ctx),
  };
}

const NOTHING: ChangRobertsState = { participant: false, leader: null, skipped: [] };

type RingContext = Context<ChangRobertsMessage, ElectionOutput>;

/** Whoever is heard of, though left out, is back on the ring. */
function heardOf(
  state: ChangRobertsState,
  from: ProcessId,
  message: ChangRobertsMessage,
  ctx: RingContext,
): ChangRobertsState {
  const candidate = message.kind === "candidate" ? message.candidate : from;
  const back = state.skipped.filter((process) => process === from || process === candidate);
  if (back.length === 0) return state;
  ctx.explain("ring.back", { peers: back });
  return { ...state, skipped: state.skipped.filter((process) => !back.includes(process)) };
}

function onCandidate(
  state: ChangRobertsState,
  { candidate, hops }: Extract<ChangRobertsMessage, { kind: "candidate" }>,
  id: (process: ProcessId) => number,
  patience: Duration,
  ctx: RingContext,
): ChangRobertsState {
  const theirs = { peer: candidate, theirs: id(candidate), own: id(ctx.self) };
  if (candidate === ctx.self) return win(state, ctx);
  if (id(candidate) > id(ctx.self)) {
    if (hops >= ctx.processes.length) {
      ctx.explain("ring.orphan", theirs);
      return state;
    }
    ctx.explain("ring.forward", theirs);
    return takePart(state, candidate, hops + 1, patience, ctx);
  }
  if (state.participant) {
    ctx.explain("ring.discard", theirs);
    return state;
  }
  ctx.explain("ring.replace", theirs);
  return takePart(state, ctx.self, 1, patience, ctx);
}

/** Sends `candidate` on; takes part from here on. */
function takePart(
  state: ChangRobertsState,
  candidate: ProcessId,
  hops: number,
  patience: Duration,
  ctx: RingContext,
): ChangRobertsState {
  if (!state.participant) {
    ctx.output({ kind: "started" });
    if (patience > 0) ctx.setTimer("patience", patience);
  }
  const next = { ...state, participant: true };
  const to = successor(ctx, state.skipped);
  if (to === ctx.self) return win(next, ctx);
  ctx.send(to, { kind: "candidate", candidate, hops });
  return next;
}

function win(state: ChangRobertsState, ctx: RingContext): ChangRobertsState {
  if (!state.participant) return state;
  ctx.explain("ring.win", {});
  const next = learn(state, ctx.self, ctx);
  const to = successor(ctx, state.skipped);
  if (to !== ctx.self) ctx.send(to, { kind: "elected", leader: ctx.self });
  return next;
}

function onElected(state: ChangRobertsState, leader: ProcessId, ctx: RingContext): ChangRobertsState {
  if (leader === ctx.self) {
    ctx.explain("ring.round", {});
    return state;
  }
  ctx.explain("ring.learn", { peer: leader });
  const to = successor(ctx, state.skipped);
  if (to !== ctx.self) ctx.send(to, { kind: "elected", leader });
  return learn(state, leader, ctx);
}

function learn(state: ChangRobertsState, leader: ProcessId, ctx: RingContext): ChangRobertsState {
  ctx.output({ kind: "elected", leader });
  ctx.cancelTimer("patience");
  ctx.cancelTimer("skip");
  return { ...state, participant: false, leader };
}

/** A sentence for every rule above; the process itself is the subject. */
export const changRobertsNarration: Readonly<Record<string, string>> = {
  "ring.taking-part": "takes part in an election already",
  "ring.start": "starts an election with its id {id}, {peer} first",
  "ring.forward": "passes the id {theirs} of {peer} on: it is higher than its own {own}",
  "ring.replace": "sends its own id {own} on instead of {theirs} of {peer}, which is lower",
  "ring.discard": "drops the id {theirs} of {peer}: its own {own}, higher, is on its way already",
  "ring.orphan": "drops the id {theirs} of {peer}: it has come round without meeting it",
  "ring.once-more": "hears from {peer} and sends its own id once more",
  "ring.back": "takes back into the ring: {peers}",
  "ring.win": "gets its own id back: nobody has a higher one, so it leads",
  "ring.learn": "learns that {peer} leads",
  "ring.round": "hears that everybody knows",
  "ring.probe": "has waited long and asks whether {peer} is there",
  "ring.skip": "leaves out {peer}, which does not answer, and sends its own id past it",
};
