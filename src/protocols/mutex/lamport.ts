import type { Context, ProcessId, Protocol } from "../../core/index.js";
import { LamportClock } from "../../clocks/index.js";
import {
  fenceOf,
  mayAcquire,
  mayRelease,
  mutexNarration,
  precedes,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";

/** What a process knows. Everybody keeps the same queue, as far as the messages have come. */
export interface LamportState {
  readonly status: MutexStatus;
  /** The logical clock: every message ticks it, and nothing else. */
  readonly clock: number;
  /** Timestamp of the own request; 0 while idle. */
  readonly timestamp: number;
  /** Every request known and not yet released, the own one included; at most one of each process. */
  readonly queue: readonly Stamp[];
  /** Timestamp of the last message of each peer. */
  readonly heard: Readonly<Record<ProcessId, number>>;
}

/** Each carries the time it was sent. */
export type LamportMessage =
  | { readonly kind: "request"; readonly timestamp: number }
  | { readonly kind: "acknowledge"; readonly timestamp: number }
  | { readonly kind: "release"; readonly timestamp: number };

/**
 * Mutual exclusion by one queue that everybody keeps: 3(n-1) messages per entry, no coordinator.
 *
 * Needs reliable FIFO links: a message says that nothing earlier is still on its way. A crash of any process blocks
 * all the others. Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7),
 * 1978, the five rules of the resource problem.
 */
export const lamport: Protocol<LamportState, LamportMessage, MutexCommand, MutexOutput> = {
  name: "lamport",

  start: () => ({ status: "idle", clock: 0, timestamp: 0, queue: [], heard: {} }),

  onCommand(state, command, ctx) {
    switch (command.kind) {
      case "acquire":
        return request(state, ctx);
      case "release":
        return exit(state, ctx);
    }
  },

  onMessage(state, from, message, ctx) {
    const clock = LamportClock.receive(state.clock, message.timestamp);
    const heard = { ...state.heard, [from]: message.timestamp };
    const next = { ...state, clock, heard };
    switch (message.kind) {
      case "request":
        return onRequest(next, [message.timestamp, from], ctx);
      case "acknowledge":
        return enterWhenFirst(next, ctx);
      case "release":
        return enterWhenFirst(without(next, from), ctx);
    }
  },
};

type LamportContext = Context<LamportMessage, MutexOutput>;

function request(state: LamportState, ctx: LamportContext): LamportState {
  if (!mayAcquire(state.status, ctx)) return state;
  const timestamp = LamportClock.tick(state.clock);
  const own: Stamp = [timestamp, ctx.self];
  ctx.output({ kind: "requested", stamp: own });
  ctx.explain("lamport.request", { own });
  ctx.broadcast({ kind: "request", timestamp });
  return enterWhenFirst(
    { ...state, status: "waiting", clock: timestamp, timestamp, queue: [...state.queue, own] },
    ctx,
  );
}

function onRequest(state: LamportState, theirs: Stamp, ctx: LamportContext): LamportState {
  const peer = theirs[1];
  ctx.explain("lamport.acknowledge", { peer, theirs });
  const timestamp = LamportClock.tick(state.clock);
  ctx.send(peer, { kind: "acknowledge", timestamp });
  const queue = [...without(state, peer).queue, theirs];
  return enterWhenFirst({ ...state, clock: timestamp, queue }, ctx);
}

/** Enters when its request is the first of the queue, and nothing that comes before it can still be on its way. */
function enterWhenFirst(state: LamportState, ctx: LamportContext): LamportState {
  if (state.status !== "waiting") return state;
  const own: Stamp = [state.timestamp, ctx.self];
  const isLater = (peer: ProcessId) => precedes(own, [state.heard[peer] ?? 0, peer], ctx.processes);
  if (!ctx.peers.every(isLater)) return state;
  const earlier = state.queue.filter((other) => precedes(other, own, ctx.processes));
  if (earlier.length > 0) {
    ctx.explain("lamport.wait", { own, earlier });
    return state;
  }
  ctx.explain("lamport.enter", { own });
  ctx.output({ kind: "entered", stamp: own, fence: fenceOf(own, ctx.processes) });
  return { ...state, status: "inside" };
}

function exit(state: LamportState, ctx: LamportContext): LamportState {
  if (!mayRelease(state.status, ctx)) return state;
  ctx.output({ kind: "exited", stamp: [state.timestamp, ctx.self] });
  ctx.explain("lamport.release", { own: [state.timestamp, ctx.self] });
  const timestamp = LamportClock.tick(state.clock);
  ctx.broadcast({ kind: "release", timestamp });
  return { ...without(state, ctx.self), status: "idle", clock: timestamp, timestamp: 0 };
}

function without(state: LamportState, process: ProcessId): LamportState {
  return { ...state, queue: state.queue.filter(([, other]) => other !== process) };
}

/** A sentence for every rule above; the process itself is the subject. */
export const lamportNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "lamport.request": "puts request {own} into everybody's queue",
  "lamport.acknowledge": "queues {theirs} and tells {peer} so",
  "lamport.wait": "has heard from everybody, and waits for what is queued before its own {own}: {earlier}",
  "lamport.enter": "is first in the queue with {own}, has heard from everybody since, and enters",
  "lamport.release": "leaves and takes {own} out of everybody's queue",
};
