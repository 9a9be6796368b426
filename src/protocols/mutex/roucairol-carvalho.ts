import type { Context, ProcessId, Protocol } from "../../core/index.js";
import {
  mayAcquire,
  mayRelease,
  mutexNarration,
  precedes,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";

/** What a process knows. */
export interface RoucairolCarvalhoState {
  readonly status: MutexStatus;
  /** Highest timestamp seen in any request, own ones included. */
  readonly highest: number;
  /** Timestamp of the own request; 0 while idle. */
  readonly timestamp: number;
  /** Peers whose permission is here. Of two processes at most one has the other's. */
  readonly permitted: readonly ProcessId[];
  /** Requests that wait for our permission, in order of arrival. */
  readonly deferred: readonly Stamp[];
  /** Highest fencing token heard of. */
  readonly fence: number;
}

export type RoucairolCarvalhoMessage =
  | { readonly kind: "request"; readonly timestamp: number }
  /** Hands over the sender's permission; `of` is the timestamp of the request answered. */
  | { readonly kind: "reply"; readonly of: number; readonly fence: number };

/**
 * Ricart and Agrawala's algorithm with permissions that stay until they are asked for: 0 to 2(n-1) messages per entry.
 *
 * Needs reliable links that repeat nothing; tolerates any delivery order. Entries do not come in the order of stamps.
 * A crash of any process blocks those without its permission. Source: O. S. F. Carvalho and G. Roucairol, "On Mutual
 * Exclusion in Computer Networks", CACM 26(2), 1983.
 */
export const roucairolCarvalho: Protocol<
  RoucairolCarvalhoState,
  RoucairolCarvalhoMessage,
  MutexCommand,
  MutexOutput
> = {
  name: "roucairol-carvalho",

  start: (ctx) => initial(ctx.processes.slice(ctx.processes.indexOf(ctx.self) + 1), 0),

  onCommand(state, command, ctx) {
    switch (command.kind) {
      case "acquire":
        return request(state, ctx);
      case "release":
        return exit(state, ctx);
    }
  },

  onMessage(state, from, message, ctx) {
    switch (message.kind) {
      case "request":
        return onRequest(state, [message.timestamp, from], ctx);
      case "reply":
        return onReply(state, from, message.of, message.fence, ctx);
    }
  },

  // Permissions are lost with the process and not doubled; replies to old requests must not answer new ones.
  onRestart: (saved) => initial([], typeof saved === "number" ? saved : 0),
};

type RoucairolCarvalhoContext = Context<RoucairolCarvalhoMessage, MutexOutput>;

function initial(permitted: readonly ProcessId[], highest: number): RoucairolCarvalhoState {
  return { status: "idle", highest, timestamp: 0, permitted, deferred: [], fence: 0 };
}

function request(state: RoucairolCarvalhoState, ctx: RoucairolCarvalhoContext): RoucairolCarvalhoState {
  if (!mayAcquire(state.status, ctx)) return state;
  const timestamp = state.highest + 1;
  const own: Stamp = [timestamp, ctx.self];
  ctx.save(timestamp);
  ctx.output({ kind: "requested", stamp: own });
  const missing = ctx.peers.filter((peer) => !state.permitted.includes(peer));
  if (missing.length === 0) ctx.explain("rc.request.nobody", { own });
  else ctx.explain("rc.request", { own, peers: missing });
  for (const peer of missing) ctx.send(peer, { kind: "request", timestamp });
  return enterWhenPermitted({ ...state, status: "waiting", highest: timestamp, timestamp }, ctx);
}

function onRequest(
  state: RoucairolCarvalhoState,
  theirs: Stamp,
  ctx: RoucairolCarvalhoContext,
): RoucairolCarvalhoState {
  const highest = Math.max(state.highest, theirs[0]);
  const own: Stamp = [state.timestamp, ctx.self];
  const peer = theirs[1];
  if (state.status === "inside") {
    ctx.explain("rc.defer.inside", { peer, theirs });
    return { ...state, highest, deferred: [...state.deferred, theirs] };
  }
  if (state.status === "waiting" && precedes(own, theirs, ctx.processes)) {
    ctx.explain("rc.defer.earlier", { peer, theirs, own });
    return { ...state, highest, deferred: [...state.deferred, theirs] };
  }
  if (state.status === "waiting") ctx.explain("rc.reply.later", { peer, theirs, own });
  else ctx.explain("rc.reply.idle", { peer, theirs });
  ctx.send(peer, { kind: "reply", of: theirs[0], fence: state.fence });
  if (state.status === "waiting" && state.permitted.includes(peer)) {
    // It was not asked, since its permission was here; now it must be, with the place in the order that we had.
    ctx.explain("rc.ask-again", { peer, own });
    ctx.send(peer, { kind: "request", timestamp: state.timestamp });
  }
  return { ...withoutPermission(state, [peer]), highest };
}

function onReply(
  state: RoucairolCarvalhoState,
  from: ProcessId,
  of: number,
  fence: number,
  ctx: RoucairolCarvalhoContext,
): RoucairolCarvalhoState {
  if (state.status !== "waiting" || of !== state.timestamp || state.permitted.includes(from)) return state;
  const permitted = [...state.permitted, from];
  return enterWhenPermitted({ ...state, permitted, fence: Math.max(state.fence, fence) }, ctx);
}

function enterWhenPermitted(
  state: RoucairolCarvalhoState,
  ctx: RoucairolCarvalhoContext,
): RoucairolCarvalhoState {
  if (state.permitted.length < ctx.peers.length) return state;
  const own: Stamp = [state.timestamp, ctx.self];
  // Whoever was inside before has since handed over its permission, and its token with it.
  const fence = state.fence + 1;
  ctx.explain("rc.enter", { own });
  ctx.output({ kind: "entered", stamp: own, fence });
  return { ...state, status: "inside", fence };
}

function exit(state: RoucairolCarvalhoState, ctx: RoucairolCarvalhoContext): RoucairolCarvalhoState {
  if (!mayRelease(state.status, ctx)) return state;
  ctx.output({ kind: "exited", stamp: [state.timestamp, ctx.self] });
  const peers = state.deferred.map(([, peer]) => peer);
  if (peers.length > 0) ctx.explain("rc.exit", { peers });
  for (const [timestamp, peer] of state.deferred)
    ctx.send(peer, { kind: "reply", of: timestamp, fence: state.fence });
  return { ...withoutPermission(state, peers), status: "idle", timestamp: 0, deferred: [] };
}

function withoutPermission(
  state: RoucairolCarvalhoState,
  peers: readonly ProcessId[],
): RoucairolCarvalhoState {
  return { ...state, permitted: state.permitted.filter((peer) => !peers.includes(peer)) };
}

/** A sentence for every rule above; the process itself is the subject. */
export const roucairolCarvalhoNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "rc.request": "asks those whose permission it lacks to let it in, with request {own}: {peers}",
  "rc.request.nobody": "has everyone's permission still and asks nobody, with request {own}",
  "rc.defer.inside": "keeps {peer} waiting: it is inside itself",
  "rc.defer.earlier": "keeps {peer} waiting: its own request {own} comes before {theirs}",
  "rc.reply.later": "gives {peer} its permission: {theirs} comes before its own request {own}",
  "rc.reply.idle": "gives {peer} its permission: it does not want to enter itself",
  "rc.ask-again": "asks {peer}, whose permission it just lost, for {own}",
  "rc.enter": "has everyone's permission for {own} and enters",
  "rc.exit": "leaves and gives its permission to those it kept waiting: {peers}",
};
