import type { Context, Duration, ProcessId, Protocol } from "../../core/index.js";
import { SECOND } from "../../core/index.js";
import type { ElectionCommand, ElectionOutput } from "./election.js";

/** What a process knows. */
export interface BullyState {
  /** `asking`: has anybody higher an answer? `waiting`: somebody higher has, and will tell who leads. */
  readonly status: "idle" | "asking" | "waiting";
  /** The leader, once known; `null` before. */
  readonly leader: ProcessId | null;
}

export type BullyMessage =
  { readonly kind: "election" } | { readonly kind: "ok" } | { readonly kind: "coordinator" };

export interface BullyOptions {
  /** How long to wait for an answer: not less than twice what a message can take; default 2 s. */
  readonly patience?: Duration;
}

/**
 * Election among processes that all know each other: whoever is higher and up takes over. n - 2 messages when the
 * highest but one misses the leader, n² - n - 1 when the lowest does.
 *
 * Higher is whoever comes later in the order of the processes. Synchronous: an answer that takes longer than
 * `patience` counts as a crash, so slowness makes more than one leader for a while, a partition one on each side.
 * Source: H. Garcia-Molina, "Elections in a Distributed Computing System", IEEE TC C-31(1), 1982, without the phases
 * in which the paper's members reorganise their application.
 */
export function bully({ patience = 2 * SECOND }: BullyOptions = {}): Protocol<
  BullyState,
  BullyMessage,
  ElectionCommand,
  ElectionOutput
> {
  return {
    name: "bully",

    start: () => ({ status: "idle", leader: null }),

    onCommand(state, _command, ctx) {
      if (state.status === "idle") return elect(state, patience, ctx);
      ctx.explain("bully.taking-part", {});
      return state;
    },

    onMessage(state, from, message, ctx) {
      switch (message.kind) {
        case "election":
          return onElection(state, from, patience, ctx);
        case "ok":
          return onOk(state, from, patience, ctx);
        case "coordinator":
          return onCoordinator(state, from, patience, ctx);
      }
    },

    onTimer(state, _timer, ctx) {
      switch (state.status) {
        case "idle":
          return state;
        case "asking":
          ctx.explain("bully.silence", { peers: higher(ctx) });
          return lead(state, ctx);
        case "waiting":
          ctx.explain("bully.again", {});
          return elect(state, patience, ctx);
      }
    },

    // The highest that comes back takes over; a lower one finds out who leads.
    onRestart: (_saved, ctx) => elect({ status: "idle", leader: null }, patience, ctx),
  };
}

type BullyContext = Context<BullyMessage, ElectionOutput>;

function elect(state: BullyState, patience: Duration, ctx: BullyContext): BullyState {
  if (state.status === "idle") ctx.output({ kind: "started" });
  const peers = higher(ctx);
  if (peers.length === 0) {
    ctx.explain("bully.highest", {});
    return lead(state, ctx);
  }
  ctx.explain("bully.elect", { peers });
  for (const peer of peers) ctx.send(peer, { kind: "election" });
  ctx.setTimer("patience", patience);
  return { ...state, status: "asking" };
}

function onElection(state: BullyState, from: ProcessId, patience: Duration, ctx: BullyContext): BullyState {
  ctx.explain("bully.ok", { peer: from });
  ctx.send(from, { kind: "ok" });
  return state.status === "idle" ? elect(state, patience, ctx) : state;
}

function onOk(state: BullyState, from: ProcessId, patience: Duration, ctx: BullyContext): BullyState {
  if (state.status !== "asking") return state;
  ctx.explain("bully.give-way", { peer: from });
  // Whoever answered may have to wait out its own patience first.
  ctx.setTimer("patience", 2 * patience);
  return { ...state, status: "waiting" };
}

function onCoordinator(
  state: BullyState,
  from: ProcessId,
  patience: Duration,
  ctx: BullyContext,
): BullyState {
  if (isHigher(ctx.self, from, ctx)) {
    ctx.explain("bully.object", { peer: from });
    return state.status === "idle" ? elect(state, patience, ctx) : state;
  }
  ctx.explain("bully.learn", { peer: from });
  ctx.cancelTimer("patience");
  ctx.output({ kind: "elected", leader: from });
  return { status: "idle", leader: from };
}

function lead(state: BullyState, ctx: BullyContext): BullyState {
  ctx.cancelTimer("patience");
  ctx.output({ kind: "elected", leader: ctx.self });
  for (const peer of ctx.peers) if (isHigher(ctx.self, peer, ctx)) ctx.send(peer, { kind: "coordinator" });
  return { ...state, status: "idle", leader: ctx.self };
}

function higher(ctx: BullyContext): readonly ProcessId[] {
  return ctx.peers.filter((peer) => isHigher(peer, ctx.self, ctx));
}

function isHigher(a: ProcessId, b: ProcessId, ctx: BullyContext): boolean {
  return ctx.processes.indexOf(a) > ctx.processes.indexOf(b);
}

/** A sentence for every rule above; the process itself is the subject. */
export const bullyNarration: Readonly<Record<string, string>> = {
  "bully.taking-part": "takes part in an election already",
  "bully.elect": "asks everybody higher who leads: {peers}",
  "bully.highest": "is the highest of all and takes over",
  "bully.ok": "tells {peer}, which is lower, that it will see to it",
  "bully.give-way": "leaves it to {peer}, which is higher, and waits for the outcome",
  "bully.silence": "has no answer from anybody higher ({peers}) and takes over",
  "bully.again": "has waited long for whoever took over, and asks again",
  "bully.object": "does not accept {peer}, which is lower",
  "bully.learn": "accepts that {peer} leads",
};
