import { invariant, type Context, type ProcessId, type Protocol } from "../../core/index.js";
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
import { checkQuorums, cyclicQuorums, type Quorums } from "./quorums.js";

/** A request that waits at an arbiter. */
interface Waiting {
  readonly stamp: Stamp;
  /** Whether its process knows that it waits here behind another. */
  readonly failed: boolean;
}

/** What a process knows, in its two roles. */
export interface MaekawaState {
  readonly status: MutexStatus;
  /** Highest timestamp seen in any request, own ones included. */
  readonly highest: number;
  /** Timestamp of the own request; 0 while idle. */
  readonly timestamp: number;
  /** Arbiters that have granted the own request. */
  readonly grants: readonly ProcessId[];
  /** Arbiters where the own request is behind another, as far as they have said so or we gave way there. */
  readonly failed: readonly ProcessId[];
  /** Arbiters that asked for their grant back and were not answered yet. */
  readonly inquiries: readonly ProcessId[];
  /** Highest fencing token heard of. */
  readonly fence: number;
  /** As an arbiter: whose request is granted. */
  readonly holder: Stamp | null;
  /** As an arbiter: whether the holder has been asked to give way. */
  readonly inquired: boolean;
  /** As an arbiter: the requests that wait here, in the order of their stamps. */
  readonly queue: readonly Waiting[];
}

/** `of` is the timestamp of the request that a message is about. */
export type MaekawaMessage =
  | { readonly kind: "request"; readonly of: number }
  | { readonly kind: "grant"; readonly of: number; readonly fence: number }
  | { readonly kind: "fail"; readonly of: number }
  | { readonly kind: "inquire"; readonly of: number }
  | { readonly kind: "relinquish"; readonly of: number }
  | { readonly kind: "release"; readonly of: number; readonly fence: number };

/**
 * Mutual exclusion by asking a quorum, of which any two share a process: 3(K-1) messages per entry when nobody
 * competes, K about √n; up to 7(K-1) when many do.
 *
 * Every process is the arbiter of those who ask it, and grants one of them at a time. Messages to itself are none.
 * Needs reliable FIFO links. A crash blocks those whose quorum it is in. Throws a `UsageError` for quorums that do not
 * meet. Sources: M. Maekawa, "A √N Algorithm for Mutual Exclusion in Decentralized Systems", TOCS 3(2), 1985; with the
 * FAIL messages of B. A. Sanders, "The Information Structure of Distributed Mutual Exclusion Algorithms", TOCS 5(3),
 * 1987, without which it can deadlock.
 */
export function maekawa(
  processes: readonly ProcessId[],
  quorums: Quorums = cyclicQuorums(processes),
): Protocol<MaekawaState, MaekawaMessage, MutexCommand, MutexOutput> {
  checkQuorums(quorums, processes);
  return {
    name: "maekawa",

    start: () => ({
      status: "idle",
      highest: 0,
      timestamp: 0,
      grants: [],
      failed: [],
      inquiries: [],
      fence: 0,
      holder: null,
      inquired: false,
      queue: [],
    }),

    onCommand(state, command, ctx) {
      const step = new MaekawaStep(state, quorums, ctx);
      switch (command.kind) {
        case "acquire":
          return step.request();
        case "release":
          return step.exit();
      }
    },

    onMessage: (state, from, message, ctx) => new MaekawaStep(state, quorums, ctx).receive(from, message),
  };
}

/** One step of both roles: all rules are here. Messages to itself are handled before the step is over. */
class MaekawaStep {
  #state: MaekawaState;
  readonly #ctx: Context<MaekawaMessage, MutexOutput>;
  readonly #quorum: readonly ProcessId[];
  readonly #toSelf: MaekawaMessage[] = [];

  constructor(state: MaekawaState, quorums: Quorums, ctx: Context<MaekawaMessage, MutexOutput>) {
    this.#state = state;
    this.#ctx = ctx;
    const quorum = quorums[ctx.self];
    invariant(quorum !== undefined, `${ctx.self} has no quorum`);
    this.#quorum = quorum;
  }

  request(): MaekawaState {
    if (!mayAcquire(this.#state.status, this.#ctx)) return this.#state;
    const timestamp = this.#state.highest + 1;
    const own: Stamp = [timestamp, this.#ctx.self];
    this.#ctx.output({ kind: "requested", stamp: own });
    this.#ctx.explain("maekawa.request", { own, quorum: this.#quorum });
    this.#change({ status: "waiting", highest: timestamp, timestamp });
    for (const arbiter of this.#quorum) this.#send(arbiter, { kind: "request", of: timestamp });
    return this.#done();
  }

  exit(): MaekawaState {
    if (!mayRelease(this.#state.status, this.#ctx)) return this.#state;
    const { timestamp, fence } = this.#state;
    this.#ctx.output({ kind: "exited", stamp: [timestamp, this.#ctx.self] });
    this.#change({ status: "idle", timestamp: 0, grants: [] });
    for (const arbiter of this.#quorum) this.#send(arbiter, { kind: "release", of: timestamp, fence });
    return this.#done();
  }

  receive(from: ProcessId, message: MaekawaMessage): MaekawaState {
    this.#handle(from, message);
    return this.#done();
  }

  #handle(from: ProcessId, message: MaekawaMessage): void {
    const theirs: Stamp = [message.of, from];
    switch (message.kind) {
      case "request":
        return this.#onRequest(theirs);
      case "relinquish":
        return this.#onRelinquish(theirs);
      case "release":
        return this.#onRelease(theirs, message.fence);
      case "grant":
      case "fail":
      case "inquire":
        // Of an earlier request, or of one that is inside: its release answers.
        if (this.#state.status !== "waiting" || message.of !== this.#state.timestamp) return;
        if (message.kind === "grant") this.#onGrant(from, message.fence);
        else if (message.kind === "fail") this.#onFail(from);
        else this.#onInquire(from);
    }
  }

  // As an arbiter.

  #onRequest(theirs: Stamp): void {
    const { holder, queue } = this.#state;
    this.#change({ highest: Math.max(this.#state.highest, theirs[0]) });
    if (holder === null) return this.#grant(theirs);
    const head = queue[0];
    const isFirst =
      this.#precedes(theirs, holder) && (head === undefined || this.#precedes(theirs, head.stamp));
    if (!isFirst) {
      this.#ctx.explain("maekawa.fail", { peer: theirs[1], theirs, holder });
      this.#enqueue({ stamp: theirs, failed: true });
      this.#send(theirs[1], { kind: "fail", of: theirs[0] });
      return;
    }
    if (head !== undefined && !head.failed) {
      // Sanders: it was first until now, and must not go on counting on it.
      this.#ctx.explain("maekawa.fail.head", { peer: head.stamp[1], theirs });
      this.#change({ queue: queue.map((one) => ({ ...one, failed: true })) });
      this.#send(head.stamp[1], { kind: "fail", of: head.stamp[0] });
    }
    this.#enqueue({ stamp: theirs, failed: false });
    if (this.#state.inquired) return;
    this.#ctx.explain("maekawa.inquire", { peer: holder[1], holder, theirs });
    this.#change({ inquired: true });
    this.#send(holder[1], { kind: "inquire", of: holder[0] });
  }

  #onRelinquish(theirs: Stamp): void {
    if (!this.#isHolder(theirs)) return this.#ctx.explain("maekawa.stale", { peer: theirs[1], theirs });
    this.#enqueue({ stamp: theirs, failed: true });
    this.#grantNext();
  }

  #onRelease(theirs: Stamp, fence: number): void {
    this.#change({ fence: Math.max(this.#state.fence, fence) });
    if (!this.#isHolder(theirs)) return this.#ctx.explain("maekawa.stale", { peer: theirs[1], theirs });
    this.#grantNext();
  }

  #grantNext(): void {
    const [head, ...queue] = this.#state.queue;
    this.#change({ holder: null, inquired: false, queue });
    if (head !== undefined) this.#grant(head.stamp);
  }

  #grant(theirs: Stamp): void {
    this.#ctx.explain("maekawa.grant", { peer: theirs[1], theirs });
    this.#change({ holder: theirs });
    this.#send(theirs[1], { kind: "grant", of: theirs[0], fence: this.#state.fence });
  }

  #enqueue(request: Waiting): void {
    const behind = this.#state.queue.findIndex(({ stamp }) => this.#precedes(request.stamp, stamp));
    const place = behind === -1 ? this.#state.queue.length : behind;
    this.#change({ queue: this.#state.queue.toSpliced(place, 0, request) });
  }

  #isHolder([timestamp, process]: Stamp): boolean {
    const { holder } = this.#state;
    return holder !== null && holder[0] === timestamp && holder[1] === process;
  }

  // As one that wants to enter.

  #onGrant(arbiter: ProcessId, fence: number): void {
    const grants = [...without(this.#state.grants, arbiter), arbiter];
    const failed = without(this.#state.failed, arbiter);
    this.#change({ grants, failed, fence: Math.max(this.#state.fence, fence) });
    if (grants.length < this.#quorum.length) return;
    const own: Stamp = [this.#state.timestamp, this.#ctx.self];
    // Of any two that enter, the arbiter that both asked was told of the first before it granted the second.
    const next = this.#state.fence + 1;
    this.#ctx.explain("maekawa.enter", { own, quorum: this.#quorum });
    this.#ctx.output({ kind: "entered", stamp: own, fence: next });
    this.#change({ status: "inside", fence: next, failed: [], inquiries: [] });
  }

  #onFail(arbiter: ProcessId): void {
    this.#change({ failed: [...without(this.#state.failed, arbiter), arbiter] });
    for (const waiting of this.#state.inquiries) this.#relinquish(waiting);
  }

  #onInquire(arbiter: ProcessId): void {
    if (this.#state.failed.length > 0) return this.#relinquish(arbiter);
    this.#ctx.explain("maekawa.hope", { peer: arbiter });
    this.#change({ inquiries: [...this.#state.inquiries, arbiter] });
  }

  #relinquish(arbiter: ProcessId): void {
    const own: Stamp = [this.#state.timestamp, this.#ctx.self];
    this.#ctx.explain("maekawa.relinquish", { peer: arbiter, own, failed: this.#state.failed });
    this.#change({
      grants: without(this.#state.grants, arbiter),
      failed: [...without(this.#state.failed, arbiter), arbiter],
      inquiries: without(this.#state.inquiries, arbiter),
    });
    this.#send(arbiter, { kind: "relinquish", of: own[0] });
  }

  // Both.

  #precedes(a: Stamp, b: Stamp): boolean {
    return precedes(a, b, this.#ctx.processes);
  }

  #change(fields: Partial<MaekawaState>): void {
    this.#state = { ...this.#state, ...fields };
  }

  #send(to: ProcessId, message: MaekawaMessage): void {
    if (to === this.#ctx.self) this.#toSelf.push(message);
    else this.#ctx.send(to, message);
  }

  #done(): MaekawaState {
    for (let message = this.#toSelf.shift(); message !== undefined; message = this.#toSelf.shift()) {
      this.#handle(this.#ctx.self, message);
    }
    return this.#state;
  }
}

function without(processes: readonly ProcessId[], process: ProcessId): readonly ProcessId[] {
  return processes.filter((other) => other !== process);
}

/** A sentence for every rule above; the process itself is the subject. */
export const maekawaNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "maekawa.request": "asks its quorum to let it in, with request {own}: {quorum}",
  "maekawa.grant": "as an arbiter, grants {theirs} to {peer}",
  "maekawa.fail": "as an arbiter, tells {peer} that {theirs} must wait: it has granted {holder}",
  "maekawa.fail.head": "as an arbiter, tells {peer} that {theirs} has come before its request",
  "maekawa.inquire": "as an arbiter, asks {peer} to give way with {holder}: {theirs} comes before it",
  "maekawa.stale": "as an arbiter, ignores {peer}: {theirs} is not what it has granted",
  "maekawa.hope": "does not give way at {peer} yet: it may still get all of its quorum",
  "maekawa.relinquish": "gives way at {peer} with {own}: it waits behind others at {failed}",
  "maekawa.enter": "has the grant of all its quorum for {own} and enters: {quorum}",
};
