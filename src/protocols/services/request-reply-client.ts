import { operationId, type Duration, type Instant, type Plain, type ProcessId } from "../../core/index.js";
import type { Answered, CallOutcome, ToClient, ToServer } from "./request-reply-messages.js";
import { keepsReplies, type RequestReplyOptions } from "./request-reply-options.js";
import { emptyRing, ringAt, ringDelete, ringPut, ringValues, type SeqRing } from "./seq-ring.js";

/**
 * What a client knows; {@link ClientRole} changes it in place. Every call is found by its number, at a cost that does
 * not depend on how many are under way.
 */
export interface ClientState<Payload = Plain, Ticket = null> {
  readonly role: "client";
  /** In mode at-most-once the incarnation of the server, `null` until it is known; otherwise always `null`. */
  server: number | null;
  /** How often it has asked for that since it last knew. */
  binds: number;
  /** When it asks again. */
  bindAt: Instant | null;
  /** Of the next call. */
  next: number;
  /** The oldest call without an outcome; `next` when there is none. */
  oldest: number;
  readonly calls: SeqRing<Call<Payload, Ticket>>;
}

export interface Call<Payload = Plain, Ticket = null> {
  readonly seq: number;
  readonly method: string;
  readonly args: Payload;
  /** By the client's clock. */
  readonly deadline: Instant;
  /** 0 while nothing has been sent: then it certainly did not run. */
  attempts: number;
  acknowledged: boolean;
  cancelled: boolean;
  /** Of the next attempt; `null`: there is none. */
  retryAt: Instant | null;
  /** What whoever made the call wants back with its outcome. */
  readonly ticket: Ticket;
}

/** What a step of a client may draw on, and what comes of it. */
export interface ClientEffects<Payload = Plain, Ticket = null> {
  readonly self: ProcessId;
  readonly incarnation: number;
  readonly now: Instant;
  /** While it is not, nothing is sent, and a call that has never been sent certainly did not run. */
  readonly connected: boolean;
  /** Sends the call's request; not as a message, for most of these are written where they are made. */
  request(call: Call<Payload, Ticket>, budget: Duration, ackUpTo: number, server: number | null): void;
  send(message: Exclude<ToServer<Payload>, { readonly kind: "request" }>): void;
  invoked(call: Call<Payload, Ticket>): void;
  /** Called last, so that it may make the next call. */
  completed(call: Call<Payload, Ticket>, outcome: CallOutcome<Payload>): void;
  /** One of {@link JITTER}, each as likely. */
  jitter(): number;
  /** Absent where nobody listens: then the terms are not even made. */
  readonly explain: ((rule: string, terms: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** Sixteenths of the ceiling, the middles of eight equal parts: full jitter, with a mean of one half. */
export const JITTER = [1, 3, 5, 7, 9, 11, 13, 15] as const;

/** Why a call is unknown that was for an incarnation of the server which is no more. */
export const RESTARTED = "the server has restarted; it may have run before";

/** The clients' half of request/reply: all that decides what a client does, and nothing of how it is run. */
export class ClientRole<Payload = Plain, Ticket = null> {
  readonly #options: RequestReplyOptions;
  /** Each call is for one incarnation of the server. */
  readonly #binds: boolean;
  readonly #attemptsMax: number;

  constructor(options: RequestReplyOptions) {
    this.#options = options;
    this.#binds = options.mode === "at-most-once";
    this.#attemptsMax = options.mode === "maybe" ? 1 : options.attemptsMax;
  }

  start(): ClientState<Payload, Ticket> {
    return { role: "client", server: null, binds: 0, bindAt: null, next: 1, oldest: 1, calls: emptyRing() };
  }

  call(
    state: ClientState<Payload, Ticket>,
    method: string,
    args: Payload,
    deadline: Duration,
    ticket: Ticket,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    const seq = state.next++;
    const call: Call<Payload, Ticket> = {
      seq,
      method,
      args,
      deadline: fx.now + deadline,
      attempts: 0,
      acknowledged: false,
      cancelled: false,
      retryAt: null,
      ticket,
    };
    fx.invoked(call);
    if (seq - state.oldest >= this.#options.window) {
      const reason = `${this.#options.window} calls are under way already`;
      return complete(state, call, { kind: "failed", reason }, fx);
    }
    ringPut(state.calls, call);
    if (deadline <= 0) return this.#timeOut(state, call, fx);
    if (!this.#binds || state.server !== null) this.#transmit(state, call, fx);
    // The first one asks; the others wait with it.
    else if (seq === state.oldest) this.#bind(state, fx);
  }

  cancel(state: ClientState<Payload, Ticket>, seq: number, fx: ClientEffects<Payload, Ticket>): void {
    const call = ringAt(state.calls, seq);
    if (call === undefined || call.cancelled) return;
    if (call.attempts === 0) {
      return complete(state, call, { kind: "failed", reason: "cancelled before it was sent" }, fx);
    }
    fx.explain?.("rr.cancel", { id: idOf(call, fx) });
    call.cancelled = true;
    call.acknowledged = false;
    if (keepsReplies(this.#options.mode)) {
      if (call.attempts < this.#options.attemptsMax) this.#transmit(state, call, fx);
      return;
    }
    // The server keeps nothing by which it could refuse the copies still on their way.
    if (call.deadline > fx.now && fx.connected) fx.send(cancelOf(state, call, fx));
    complete(state, call, { kind: "unknown", reason: "cancelled; it may have run" }, fx);
  }

  /** The call cannot be put into a message, so it was never sent. */
  unsendable(
    state: ClientState<Payload, Ticket>,
    seq: number,
    reason: string,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    const call = ringAt(state.calls, seq);
    if (call !== undefined) complete(state, call, { kind: "failed", reason }, fx);
  }

  onMessage(
    state: ClientState<Payload, Ticket>,
    message: ToClient<Payload>,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    if (message.kind === "bound") {
      if (!this.#binds || (state.server !== null && message.server <= state.server)) return;
      return this.#bound(state, message.server, fx);
    }
    if (message.incarnation !== fx.incarnation) return;
    const call = ringAt(state.calls, message.seq);
    if (call !== undefined) return this.#answered(state, call, message, fx);
    const id = fx.explain && operationId(fx.self, message.incarnation, message.seq);
    fx.explain?.("rr.late", { id, what: message.kind });
  }

  /** A connection has come back, to that incarnation of the server: what has no outcome is sent again over it. */
  reconnected(state: ClientState<Payload, Ticket>, server: number, fx: ClientEffects<Payload, Ticket>): void {
    if (this.#binds && server !== state.server) return this.#bound(state, server, fx);
    const { next } = state;
    for (let seq = state.oldest; seq < next; seq++) {
      const call = ringAt(state.calls, seq);
      if (call === undefined) continue;
      if (call.attempts < this.#attemptsMax) this.#transmit(state, call, fx);
      else if (this.#options.mode === "maybe") {
        // Whatever came of it went down with the connection.
        fx.explain?.("rr.broken", { id: idOf(call, fx) });
        const reason = "the connection broke; it may have run";
        complete(state, call, { kind: "unknown", reason }, fx);
      }
    }
  }

  /** There is room again: what has never been sent goes out. */
  sendUnsent(state: ClientState<Payload, Ticket>, fx: ClientEffects<Payload, Ticket>): void {
    const { next } = state;
    for (let seq = state.oldest; seq < next && fx.connected; seq++) {
      const call = ringAt(state.calls, seq);
      if (call?.attempts === 0) this.#transmit(state, call, fx);
    }
  }

  /** Ends every call, for nobody will hear of them any more. */
  abandon(state: ClientState<Payload, Ticket>, reason: string, fx: ClientEffects<Payload, Ticket>): void {
    for (const call of ringValues(state.calls)) {
      complete(state, call, { kind: call.attempts === 0 ? "failed" : "unknown", reason }, fx);
    }
  }

  /** Does what is due by now. */
  sweep(state: ClientState<Payload, Ticket>, fx: ClientEffects<Payload, Ticket>): void {
    if (state.bindAt !== null && fx.now >= state.bindAt) this.#bind(state, fx);
    const { next } = state;
    for (let seq = state.oldest; seq < next; seq++) {
      const call = ringAt(state.calls, seq);
      if (call === undefined) continue;
      if (fx.now >= call.deadline) this.#timeOut(state, call, fx);
      else if (call.retryAt !== null && fx.now >= call.retryAt) {
        fx.explain?.("rr.retry", { id: idOf(call, fx), attempt: call.attempts + 1 });
        this.#transmit(state, call, fx);
      }
    }
  }

  /** When {@link sweep} has something to do next; `null`: never, as things stand. Looks at every call. */
  dueAt(state: ClientState<Payload, Ticket>): Instant | null {
    if (state.oldest === state.next) return null;
    let due = state.bindAt ?? Infinity;
    for (const call of state.calls) {
      if (call !== null) due = Math.min(due, call.deadline, call.retryAt ?? Infinity);
    }
    return due;
  }

  /** One more attempt, under the same number as all others of the call. */
  #transmit(
    state: ClientState<Payload, Ticket>,
    call: Call<Payload, Ticket>,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    const budget = call.deadline - fx.now;
    // Its clock may have jumped over the deadline.
    if (budget <= 0) return this.#timeOut(state, call, fx);
    if (!fx.connected) {
      // What has never been sent leaves as soon as there is room.
      call.retryAt = call.attempts === 0 ? null : fx.now + this.#options.probeAfter;
      return;
    }
    call.attempts++;
    this.#again(call, this.#wait(call, fx), fx);
    if (call.cancelled) fx.send(cancelOf(state, call, fx));
    else fx.request(call, budget, state.oldest - 1, state.server);
  }

  #again(call: Call<Payload, Ticket>, wait: Duration, fx: ClientEffects<Payload, Ticket>): void {
    // Not at all rather than at the deadline: nothing is sent from then on.
    const again = call.attempts < this.#attemptsMax && fx.now + wait < call.deadline;
    call.retryAt = again ? fx.now + wait : null;
  }

  #wait(call: Call<Payload, Ticket>, fx: ClientEffects<Payload, Ticket>): Duration {
    const { probeAfter } = this.#options;
    // Nothing is lost while the connection lives: only a server that had no room for the request needs it again.
    if (this.#options.reliable) return probeAfter;
    if (!call.acknowledged) return this.#backOff(call.attempts, fx);
    // Half of it certain: the server is at work, and repeating soon would only disturb it.
    const half = Math.ceil(probeAfter / 2);
    return half + jittered(half, fx);
  }

  /** Full jitter: clients that failed together do not come back together. */
  #backOff(attempts: number, fx: ClientEffects<Payload, Ticket>): Duration {
    const { backOffBase, backOffMax } = this.#options;
    return jittered(Math.min(backOffBase * 2 ** (attempts - 1), backOffMax), fx);
  }

  #answered(
    state: ClientState<Payload, Ticket>,
    call: Call<Payload, Ticket>,
    message: Answered<Payload>,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    switch (message.kind) {
      case "received":
        if (call.acknowledged || call.cancelled) return;
        fx.explain?.("rr.acknowledged", { id: idOf(call, fx) });
        call.acknowledged = true;
        return this.#again(call, this.#wait(call, fx), fx);
      case "reply":
        fx.explain?.(call.acknowledged ? "rr.answer.acknowledged" : "rr.answer", { id: idOf(call, fx) });
        return complete(state, call, { kind: "ok", value: message.value }, fx);
      case "refused":
        fx.explain?.("rr.refused", { id: idOf(call, fx), reason: message.reason });
        return complete(state, call, { kind: "failed", reason: message.reason }, fx);
      case "lost":
        fx.explain?.("rr.lost", { id: idOf(call, fx), reason: message.reason });
        return complete(state, call, { kind: "unknown", reason: message.reason }, fx);
    }
  }

  #timeOut(
    state: ClientState<Payload, Ticket>,
    call: Call<Payload, Ticket>,
    fx: ClientEffects<Payload, Ticket>,
  ): void {
    if (call.attempts === 0) {
      fx.explain?.("rr.never-sent", { id: idOf(call, fx) });
      return complete(state, call, { kind: "failed", reason: "its time ran out before it was sent" }, fx);
    }
    fx.explain?.("rr.timeout", { id: idOf(call, fx), attempts: call.attempts });
    complete(state, call, { kind: "unknown", reason: "its time ran out" }, fx);
  }

  #bind(state: ClientState<Payload, Ticket>, fx: ClientEffects<Payload, Ticket>): void {
    state.binds++;
    fx.explain?.("rr.bind", {});
    fx.send({ kind: "bind" });
    state.bindAt = fx.now + this.#backOff(state.binds, fx);
  }

  #bound(state: ClientState<Payload, Ticket>, server: number, fx: ClientEffects<Payload, Ticket>): void {
    state.server = server;
    state.binds = 0;
    state.bindAt = null;
    // What is called meanwhile, by somebody who learns an outcome, goes to the new one anyway.
    const { next } = state;
    for (let seq = state.oldest; seq < next; seq++) {
      const call = ringAt(state.calls, seq);
      if (call === undefined) continue;
      if (call.attempts === 0) this.#transmit(state, call, fx);
      else {
        fx.explain?.("rr.server-restarted", { id: idOf(call, fx) });
        complete(state, call, { kind: "unknown", reason: RESTARTED }, fx);
      }
    }
  }
}

function complete<Payload, Ticket>(
  state: ClientState<Payload, Ticket>,
  call: Call<Payload, Ticket>,
  outcome: CallOutcome<Payload>,
  fx: ClientEffects<Payload, Ticket>,
): void {
  ringDelete(state.calls, call.seq);
  while (state.oldest < state.next && ringAt(state.calls, state.oldest) === undefined) state.oldest++;
  if (state.oldest === state.next) {
    state.binds = 0;
    state.bindAt = null;
  }
  fx.completed(call, outcome);
}

function cancelOf<Payload, Ticket>(
  { oldest, server }: ClientState<Payload, Ticket>,
  { seq }: Call<Payload, Ticket>,
  { incarnation }: ClientEffects<Payload, Ticket>,
): Extract<ToServer<Payload>, { readonly kind: "cancel" }> {
  return { kind: "cancel", seq, incarnation, ackUpTo: oldest - 1, ...(server !== null && { server }) };
}

function jittered<Payload, Ticket>(ceiling: Duration, fx: ClientEffects<Payload, Ticket>): Duration {
  return Math.ceil((ceiling * fx.jitter()) / 16);
}

function idOf<Payload, Ticket>(
  { seq }: Call<Payload, Ticket>,
  { self, incarnation }: ClientEffects<Payload, Ticket>,
): string {
  return operationId(self, incarnation, seq);
}
