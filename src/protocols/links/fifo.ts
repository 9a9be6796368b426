import type { Context, Layer, ProcessId, Protocol } from "../../core/index.js";
import { innerContext, invariant, UsageError } from "../../core/index.js";
import { PeerRecords } from "./peer-records.js";
import type { PeerRestartAware } from "./peer-restart.js";

/** What `fifo` puts on the network. */
export type FifoMessage<Body> =
  | {
      readonly kind: "data";
      /** The incarnation of the process that sent it. */
      readonly epoch: number;
      /** The incarnation it is meant for: numbers begin anew with each. */
      readonly toEpoch: number;
      readonly seq: number;
      readonly body: Body;
    }
  /** "You write to an incarnation that is no more." */
  | { readonly kind: "restarted"; readonly epoch: number; readonly toEpoch: number };

/** Both streams between this process and one peer. Written in place during a step, never afterwards. */
export interface FifoPeer<Body> {
  /** The peer's incarnation, as far as is known; 0 until it says otherwise. */
  epoch: number;
  /** Number of the last message sent to it. */
  sent: number;
  /** Number of the next message to hand over. */
  next: number;
  /** Arrived before its turn, ascending; at most {@link FIFO_EARLY_MAX}. */
  early: readonly { readonly seq: number; readonly body: Body }[];
}

export interface FifoState<Inner, Body> {
  readonly inner: Inner;
  readonly fifo: Readonly<Record<ProcessId, Readonly<FifoPeer<Body>>>>;
}

/**
 * How many early messages of one sender are kept. One more is dropped (rule "fifo.overflow") and its stream stops
 * there: order is kept, completeness is not. Four windows of `reliable`, so inside it this cannot happen.
 */
export const FIFO_EARLY_MAX = 4096;

/**
 * Hands over each sender's messages in the order sent, with no gap and no repeat, on a network that reorders and
 * duplicates but does not lose. On one that loses: `reliable(fifo(p))`. Never `fifo(reliable(p))`, where the first
 * loss holds back for ever the very messages that would repair it.
 *
 * A restart begins both streams anew. Alone, `fifo` drops what was written to a dead incarnation (rule "fifo.misdirected"),
 * since it cannot know where that stream stood; inside `reliable` nothing is dropped.
 *
 * Source: V. Hadzilacos, S. Toueg, "A Modular Approach to Fault-Tolerant Broadcasts and Related Problems",
 * TR 94-1425, Cornell, 1994, FIFO order by sequence numbers.
 */
export function fifo<Inner, Body, Command, Output>(
  protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>,
): Protocol<FifoState<Inner, Body>, FifoMessage<Body>, Command, Output> &
  PeerRestartAware<FifoState<Inner, Body>, FifoMessage<Body>, Output> {
  type State = FifoState<Inner, Body>;
  type Outside = Context<FifoMessage<Body>, Output>;
  if (protocol.name.includes("fifo("))
    throw new UsageError(`${protocol.name} has FIFO links already; wrap it once`);
  const begin = (ctx: Outside, state?: State) => new FifoStep(protocol, ctx, state);

  return {
    name: `fifo(${protocol.name})`,

    start(ctx) {
      const step = begin(ctx);
      return step.after(protocol.start(step.inside));
    },

    onMessage(state, from, frame, ctx) {
      const step = begin(ctx, state);
      return step.after(step.receive(state.inner, from, frame));
    },

    onTimer(state, timer, ctx) {
      invariant(protocol.onTimer !== undefined, `${protocol.name} set timer "${timer}" but has no onTimer`);
      const step = begin(ctx, state);
      return step.after(protocol.onTimer(state.inner, timer, step.inside));
    },

    onCommand(state, command, ctx) {
      invariant(protocol.onCommand !== undefined, `${protocol.name} takes no commands`);
      const step = begin(ctx, state);
      return step.after(protocol.onCommand(state.inner, command, step.inside));
    },

    onRestart(saved, ctx) {
      const step = begin(ctx);
      return step.after(
        protocol.onRestart === undefined
          ? protocol.start(step.inside)
          : protocol.onRestart(saved, step.inside),
      );
    },

    onPeerRestart(state, peer, epoch, undelivered, ctx) {
      const step = begin(ctx, state);
      const bodies = undelivered.flatMap((frame) => (frame.kind === "data" ? [frame.body] : []));
      return step.after(step.peerRestarted(state.inner, peer, epoch, bodies));
    },
  };
}

/** One step of `fifo`: all its rules are here. */
class FifoStep<Inner, Body, Command, Output> implements Layer<Body, Output> {
  readonly #protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>;
  readonly #ctx: Context<FifoMessage<Body>, Output>;
  readonly #before: FifoState<Inner, Body> | undefined;
  readonly #peers: PeerRecords<FifoPeer<Body>>;
  readonly inside: Context<Body, Output>;

  constructor(
    protocol: Protocol<Inner, Body, Command, Output> & PeerRestartAware<Inner, Body, Output>,
    ctx: Context<FifoMessage<Body>, Output>,
    before?: FifoState<Inner, Body>,
  ) {
    this.#protocol = protocol;
    this.#ctx = ctx;
    this.#before = before;
    this.#peers = new PeerRecords<FifoPeer<Body>>(before?.fifo ?? {}, newPeer, copyPeer);
    this.inside = innerContext<FifoMessage<Body>, Body, Output>(ctx, this);
  }

  after(inner: Inner): FifoState<Inner, Body> {
    const records = this.#peers.records;
    const before = this.#before;
    return before !== undefined && inner === before.inner && records === before.fifo
      ? before
      : { inner, fifo: records };
  }

  send(to: ProcessId, body: Body): void {
    const peer = this.#peers.edit(to);
    peer.sent += 1;
    this.#ctx.send(to, {
      kind: "data",
      epoch: this.#ctx.incarnation,
      toEpoch: peer.epoch,
      seq: peer.sent,
      body,
    });
  }

  receive(inner: Inner, from: ProcessId, frame: FifoMessage<Body>): Inner {
    const epoch = this.#peers.peek(from)?.epoch ?? 0;
    if (frame.epoch < epoch) {
      this.#ctx.explain("fifo.stale", { peer: from, incarnation: frame.epoch, current: epoch });
      return inner;
    }
    const next = frame.epoch > epoch ? this.peerRestarted(inner, from, frame.epoch, []) : inner;
    if (frame.kind === "restarted") return next;
    if (frame.toEpoch !== this.#ctx.incarnation) {
      const current = this.#ctx.incarnation;
      this.#ctx.explain("fifo.misdirected", {
        peer: from,
        sequence: frame.seq,
        incarnation: frame.toEpoch,
        current,
      });
      this.#ctx.send(from, { kind: "restarted", epoch: current, toEpoch: frame.epoch });
      return next;
    }
    return this.#arrived(next, from, frame.seq, frame.body);
  }

  #arrived(inner: Inner, from: ProcessId, seq: number, body: Body): Inner {
    const due = this.#peers.peek(from)?.next ?? 1;
    if (seq < due) {
      this.#ctx.explain("fifo.duplicate", { peer: from, sequence: seq });
      return inner;
    }
    if (seq > due) {
      this.#keep(from, seq, body);
      return inner;
    }
    let next = this.#deliver(inner, from, seq, body);
    for (;;) {
      const peer = this.#peers.edit(from);
      const [head] = peer.early;
      if (head === undefined || head.seq !== peer.next) return next;
      peer.early = peer.early.slice(1);
      next = this.#deliver(next, from, head.seq, head.body);
    }
  }

  #deliver(inner: Inner, from: ProcessId, seq: number, body: Body): Inner {
    this.#peers.edit(from).next = seq + 1;
    this.#ctx.deliver("fifo", from, seq, body);
    return this.#protocol.onMessage(inner, from, body, this.inside);
  }

  #keep(from: ProcessId, seq: number, body: Body): void {
    const early = this.#peers.peek(from)?.early ?? [];
    let at = early.length;
    while (at > 0 && (early[at - 1]?.seq ?? 0) >= seq) at--;
    if (early[at]?.seq === seq) {
      this.#ctx.explain("fifo.duplicate", { peer: from, sequence: seq });
      return;
    }
    if (early.length >= FIFO_EARLY_MAX) {
      this.#ctx.explain("fifo.overflow", { peer: from, sequence: seq, limit: FIFO_EARLY_MAX });
      return;
    }
    this.#peers.edit(from).early = [...early.slice(0, at), { seq, body }, ...early.slice(at)];
  }

  peerRestarted(inner: Inner, peer: ProcessId, epoch: number, undelivered: readonly Body[]): Inner {
    const record = this.#peers.edit(peer);
    if (record.early.length > 0) {
      // What was to come before them died with their sender.
      this.#ctx.explain("fifo.abandoned", { peer, early: record.early.length, waitedFor: record.next });
    }
    Object.assign(record, newPeer<Body>(), { epoch });
    if (this.#protocol.onPeerRestart !== undefined) {
      return this.#protocol.onPeerRestart(inner, peer, epoch, undelivered, this.inside);
    }
    for (const body of undelivered) this.send(peer, body);
    return inner;
  }
}

function newPeer<Body>(): FifoPeer<Body> {
  return { epoch: 0, sent: 0, next: 1, early: [] };
}

function copyPeer<Body>({ epoch, sent, next, early }: Readonly<FifoPeer<Body>>): FifoPeer<Body> {
  return { epoch, sent, next, early };
}

/** A sentence for every rule that `fifo` explains; terms in braces. */
export const fifoNarration: Readonly<Record<string, string>> = {
  "fifo.duplicate": "drops message {sequence} of {peer}: it has come before",
  "fifo.overflow":
    "drops message {sequence} of {peer}: {limit} early ones are waiting already; this stream stops here",
  "fifo.abandoned":
    "drops {early} early messages of {peer}: it restarted, so number {waitedFor} will not come",
  "fifo.misdirected":
    "drops message {sequence} of {peer}, written to incarnation {incarnation} of this process; it runs in {current}",
  "fifo.stale": "ignores {peer} as of incarnation {incarnation}: it runs in {current} now",
};
