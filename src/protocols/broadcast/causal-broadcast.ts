import type { Context, ProcessId, Protocol } from "../../core/index.js";
import { invariant } from "../../core/index.js";

export interface CausalBroadcastState<Payload> {
  /** Entry k counts the broadcasts of process k delivered here, own ones included. Nothing else ticks it. */
  readonly delivered: readonly number[];
  /** Arrived too early: some broadcast that their sender had delivered is still missing here. Order of arrival. */
  readonly buffer: readonly Buffered<Payload>[];
}

interface Buffered<Payload> {
  readonly from: ProcessId;
  readonly message: CausalBroadcastMessage<Payload>;
}

export interface CausalBroadcastMessage<Payload> {
  readonly kind: "broadcast";
  /** The sender's vector after counting this broadcast. */
  readonly stamp: readonly number[];
  readonly payload: Payload;
}

export interface BroadcastCommand<Payload> {
  readonly kind: "broadcast";
  readonly payload: Payload;
  /** Only `to` gets `payload`, all others get `others`: the message's place in the order, without its contents. */
  readonly only?: { readonly to: ProcessId; readonly others: Payload };
}

/** A message that could not be kept: the application must fetch it elsewhere, and nothing after it can be delivered. */
export interface BroadcastOverflow {
  readonly kind: "overflow";
  readonly from: ProcessId;
  readonly sequence: number;
}

/** A process that is this far behind has lost a message for good, or never had a chance to catch up. */
export const CAUSAL_BUFFER_MAX = 10_000;

/**
 * Causal broadcast (CBCAST): nobody delivers a message before the messages its sender had seen.
 *
 * Needs reliable links, in any order, and a closed group without crashes; a lost message blocks its successors.
 * Deliveries appear as `ctx.deliver("causal-broadcast", from, sequence, payload)`, the own broadcast's at once.
 * Source: K. Birman, A. Schiper and P. Stephenson, "Lightweight Causal and Atomic Group Multicast",
 * ACM TOCS 9(3), 1991, §5.
 */
export function causalBroadcast<Payload>(
  options: { readonly bufferMax?: number } = {},
): Protocol<
  CausalBroadcastState<Payload>,
  CausalBroadcastMessage<Payload>,
  BroadcastCommand<Payload>,
  BroadcastOverflow
> {
  const bufferMax = options.bufferMax ?? CAUSAL_BUFFER_MAX;
  return {
    name: "causal-broadcast",

    start: (ctx) => ({ delivered: ctx.processes.map(() => 0), buffer: [] }),

    onCommand(state, { payload, only }, ctx) {
      const self = ctx.processes.indexOf(ctx.self);
      const stamp = state.delivered.map((count, k) => (k === self ? count + 1 : count));
      ctx.deliver("causal-broadcast", ctx.self, entry(stamp, self), payload);
      const message = { kind: "broadcast", stamp, payload } as const;
      if (only === undefined) ctx.broadcast(message);
      else {
        const blank = { kind: "broadcast", stamp, payload: only.others } as const;
        for (const peer of ctx.peers) ctx.send(peer, peer === only.to ? message : blank);
      }
      return { ...state, delivered: stamp };
    },

    onMessage(state, from, message, ctx) {
      const sender = ctx.processes.indexOf(from);
      const sequence = entry(message.stamp, sender);
      if (sequence <= entry(state.delivered, sender) || isBuffered(state.buffer, from, sequence, sender)) {
        ctx.explain("causal.duplicate", { from, sequence });
        return state;
      }
      const arrived: Buffered<Payload> = { from, message };
      if (!deliverable(message.stamp, sender, state.delivered)) {
        const sent = missing(message.stamp, sender, state.delivered, ctx.processes);
        if (state.buffer.length >= bufferMax) {
          ctx.explain("causal.overflow", { from, sequence, bufferMax });
          ctx.output({ kind: "overflow", from, sequence });
          return state;
        }
        ctx.explain("causal.wait", { from, sequence, missing: sent });
        return { ...state, buffer: [...state.buffer, arrived] };
      }
      return deliverAll({ ...state, buffer: [...state.buffer, arrived] }, ctx);
    },
  };
}

/**
 * The delivery condition: next of its sender, and everything its sender had delivered is delivered here. Not "exactly
 * one more than what is here": a receiver may be ahead of the sender in what others broadcast.
 */
function deliverable(stamp: readonly number[], sender: number, delivered: readonly number[]): boolean {
  return stamp.every((count, k) =>
    k === sender ? count === entry(delivered, k) + 1 : count <= entry(delivered, k),
  );
}

/** Delivers what has become deliverable until nothing more does: one delivery may release another. */
function deliverAll<Payload>(
  state: CausalBroadcastState<Payload>,
  ctx: Context<CausalBroadcastMessage<Payload>, BroadcastOverflow>,
): CausalBroadcastState<Payload> {
  let { delivered, buffer } = state;
  for (;;) {
    const ready = buffer.find(({ from, message }) =>
      deliverable(message.stamp, ctx.processes.indexOf(from), delivered),
    );
    if (ready === undefined) return { delivered, buffer };
    const sender = ctx.processes.indexOf(ready.from);
    const sequence = entry(ready.message.stamp, sender);
    ctx.deliver("causal-broadcast", ready.from, sequence, ready.message.payload);
    delivered = delivered.map((count, k) => (k === sender ? sequence : count));
    buffer = buffer.filter((other) => other !== ready);
  }
}

function isBuffered<Payload>(
  buffer: readonly Buffered<Payload>[],
  from: ProcessId,
  sequence: number,
  sender: number,
): boolean {
  return buffer.some((other) => other.from === from && entry(other.message.stamp, sender) === sequence);
}

/** What the receiver still lacks, as `P1#3`: from the first missing to the last one the sender had delivered. */
function missing(
  stamp: readonly number[],
  sender: number,
  delivered: readonly number[],
  processes: readonly ProcessId[],
): string[] {
  return processes.flatMap((process, k) => {
    const first = entry(delivered, k) + 1;
    const last = entry(stamp, k) - (k === sender ? 1 : 0);
    if (last < first) return [];
    return [first === last ? `${process}#${first}` : `${process}#${first}..${last}`];
  });
}

function entry(vector: readonly number[], k: number): number {
  const count = vector[k];
  invariant(count !== undefined, `a vector of ${vector.length} entries was asked for entry ${k}`);
  return count;
}

/** A sentence for every rule above; the process itself is the subject. */
export const causalBroadcastNarration: Readonly<Record<string, string>> = {
  "causal.wait": "holds {from}#{sequence} back: it was written after {missing}, not yet delivered here",
  "causal.duplicate": "ignores {from}#{sequence}: it has that one already",
  "causal.overflow": "cannot keep {from}#{sequence}: {bufferMax} messages wait already",
};
