import type { Context, ProcessId, Protocol } from "../../core/index.js";
import {
  mayAcquire,
  mayRelease,
  mutexNarration,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";

/** What the coordinator keeps, and saves before it says anything. */
interface Desk {
  /** Whose request is granted and not yet released. */
  readonly holder: Stamp | null;
  /** Who waits, in order of arrival. */
  readonly queue: readonly Stamp[];
  /** Number of the last request released by each process; absent is 0. */
  readonly released: Readonly<Record<ProcessId, number>>;
  /** Grants so far; each is the fencing token of its stay. */
  readonly grants: number;
}

/** What a process knows. */
export interface CoordinatorState {
  readonly status: MutexStatus;
  /** Number of its last request; its requests count from 1. */
  readonly number: number;
  /** With the first process, the coordinator; the others have none. */
  readonly desk: Desk | null;
}

/** Each names the request that it is about, so that a late one touches no other. */
export type CoordinatorMessage =
  | { readonly kind: "request"; readonly number: number }
  | { readonly kind: "grant"; readonly number: number; readonly fence: number }
  | { readonly kind: "release"; readonly number: number };

/**
 * Mutual exclusion by asking one: 3 messages per entry, none for the coordinator's own.
 *
 * The first process coordinates. Needs reliable links; tolerates any delivery order. While the coordinator is down
 * nobody enters; when it comes back it goes on where it was. A crash of the process inside, or of one that waits, is
 * made good by its return. Source: A. S. Tanenbaum, M. van Steen, "Distributed Systems", 3rd ed. 2017, §6.3,
 * the centralized algorithm; its memory across crashes is ours.
 */
export const coordinator: Protocol<CoordinatorState, CoordinatorMessage, MutexCommand, MutexOutput> = {
  name: "coordinator",

  start: (ctx) => ({ status: "idle", number: 0, desk: isCoordinator(ctx) ? NEW_DESK : null }),

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
        return onRequest(state, [message.number, from], ctx);
      case "grant":
        return onGrant(state, message.number, message.fence, ctx);
      case "release":
        return onRelease(state, [message.number, from], ctx);
    }
  },

  onRestart(durable, ctx) {
    const { number, desk } = isDurable(durable) ? durable : { number: 0, desk: null };
    const state: CoordinatorState = { status: "idle", number, desk };
    if (!isCoordinator(ctx)) {
      // Whatever it had or wanted went down with it; the coordinator may still count it as inside.
      if (number > 0) ctx.send(first(ctx), { kind: "release", number });
      return state;
    }
    const back = { ...state, desk: desk ?? NEW_DESK };
    const holder = back.desk.holder;
    ctx.explain("coordinator.back", { holder, queue: back.desk.queue });
    // The grant may have been lost in the crash; a second one touches nobody.
    if (holder !== null && holder[1] !== ctx.self) grant(holder, back.desk.grants, ctx);
    return onRelease(back, [number, ctx.self], ctx);
  },
};

type CoordinatorContext = Context<CoordinatorMessage, MutexOutput>;

const NEW_DESK: Desk = { holder: null, queue: [], released: {}, grants: 0 };

function request(state: CoordinatorState, ctx: CoordinatorContext): CoordinatorState {
  if (!mayAcquire(state.status, ctx)) return state;
  const own: Stamp = [state.number + 1, ctx.self];
  const next = saved({ ...state, status: "waiting", number: own[0] }, ctx);
  ctx.output({ kind: "requested", stamp: own });
  if (next.desk !== null) return onRequest(next, own, ctx);
  ctx.explain("coordinator.ask", { own, peer: first(ctx) });
  ctx.send(first(ctx), { kind: "request", number: own[0] });
  return next;
}

function onRequest(state: CoordinatorState, theirs: Stamp, ctx: CoordinatorContext): CoordinatorState {
  const { desk } = state;
  if (desk === null) return state;
  const [number, peer] = theirs;
  const isKnown = [desk.holder, ...desk.queue].some((one) => one?.[0] === number && one[1] === peer);
  if (isKnown || number <= (desk.released[peer] ?? 0)) {
    ctx.explain("coordinator.stale", { peer, theirs });
    return state;
  }
  if (desk.holder !== null) ctx.explain("coordinator.queue", { theirs, holder: desk.holder[1] });
  return grantNext({ ...state, desk: { ...desk, queue: [...desk.queue, theirs] } }, ctx);
}

/** Grants the head of the queue when nobody is inside, and saves what the desk is now. */
function grantNext(state: CoordinatorState, ctx: CoordinatorContext): CoordinatorState {
  const { desk } = state;
  if (desk === null) return state;
  const [head, ...queue] = desk.queue;
  if (desk.holder !== null || head === undefined) return saved(state, ctx);
  const grants = desk.grants + 1;
  const next = saved({ ...state, desk: { ...desk, holder: head, queue, grants } }, ctx);
  if (head[1] === ctx.self) return enter(next, grants, "coordinator.enter.here", ctx);
  ctx.explain("coordinator.grant", { theirs: head });
  grant(head, grants, ctx);
  return next;
}

function grant([number, peer]: Stamp, fence: number, ctx: CoordinatorContext): void {
  ctx.send(peer, { kind: "grant", number, fence });
}

function onGrant(
  state: CoordinatorState,
  number: number,
  fence: number,
  ctx: CoordinatorContext,
): CoordinatorState {
  const isOwn = number === state.number;
  if (isOwn && state.status === "waiting") return enter(state, fence, "coordinator.enter", ctx);
  if (isOwn && state.status === "inside") return state;
  ctx.explain("coordinator.decline", { number });
  ctx.send(first(ctx), { kind: "release", number });
  return state;
}

function enter(
  state: CoordinatorState,
  fence: number,
  rule: string,
  ctx: CoordinatorContext,
): CoordinatorState {
  const own: Stamp = [state.number, ctx.self];
  ctx.explain(rule, { own });
  ctx.output({ kind: "entered", stamp: own, fence });
  return { ...state, status: "inside" };
}

function exit(state: CoordinatorState, ctx: CoordinatorContext): CoordinatorState {
  if (!mayRelease(state.status, ctx)) return state;
  const own: Stamp = [state.number, ctx.self];
  ctx.output({ kind: "exited", stamp: own });
  const next: CoordinatorState = { ...state, status: "idle" };
  if (state.desk !== null) return onRelease(next, own, ctx);
  ctx.send(first(ctx), { kind: "release", number: state.number });
  return next;
}

function onRelease(state: CoordinatorState, theirs: Stamp, ctx: CoordinatorContext): CoordinatorState {
  const { desk } = state;
  if (desk === null) return state;
  const [number, peer] = theirs;
  const isOver = (stamp: Stamp) => stamp[1] === peer && stamp[0] <= number;
  if (desk.holder !== null && !isOver(desk.holder)) ctx.explain("coordinator.not-theirs", { peer, theirs });
  const holder = desk.holder !== null && isOver(desk.holder) ? null : desk.holder;
  const queue = desk.queue.filter((stamp) => !isOver(stamp));
  const released = { ...desk.released, [peer]: Math.max(desk.released[peer] ?? 0, number) };
  return grantNext({ ...state, desk: { ...desk, holder, queue, released } }, ctx);
}

function isCoordinator(ctx: CoordinatorContext): boolean {
  return ctx.self === first(ctx);
}

function first(ctx: CoordinatorContext): ProcessId {
  return ctx.processes[0] ?? ctx.self;
}

type Durable = Pick<CoordinatorState, "number" | "desk">;

function saved(state: CoordinatorState, ctx: CoordinatorContext): CoordinatorState {
  const durable: Durable = { number: state.number, desk: state.desk };
  ctx.save(durable);
  return state;
}

function isDurable(value: unknown): value is Durable {
  return typeof value === "object" && value !== null && "number" in value && "desk" in value;
}

/** A sentence for every rule above; the process itself is the subject. */
export const coordinatorNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "coordinator.ask": "asks {peer}, the coordinator, with request {own}",
  "coordinator.queue": "queues {theirs}: {holder} is inside",
  "coordinator.stale": "ignores {theirs} of {peer}: it knows it already, or it is over",
  "coordinator.grant": "lets {theirs} in",
  "coordinator.enter": "is let in with {own}",
  "coordinator.enter.here": "coordinates and lets itself in with {own}",
  "coordinator.decline": "gives back a grant of request {number}: it wants it no more",
  "coordinator.not-theirs": "frees nothing: {peer} speaks of {theirs}, which is not inside",
  "coordinator.back": "is back; inside is {holder}, and in the queue wait: {queue}",
};
