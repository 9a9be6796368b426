import {
  operationId,
  type Context,
  type Duration,
  type Instant,
  type OperationId,
  type Plain,
  type ProcessId,
} from "../../core/index.js";
import type { CallCommand, CallOutcome, CallOutput, RequestReplyMessage } from "./request-reply-messages.js";
import { keepsReplies, type RequestReplyOptions } from "./request-reply-options.js";

export interface ClientState {
  readonly role: "client";
  /** In mode at-most-once the incarnation of the server, `null` until it is known; otherwise always `null`. */
  readonly server: number | null;
  /** How often it has asked for that since it last knew. */
  readonly binds: number;
  /** Of the next call. */
  readonly next: number;
  /** Calls without an outcome, oldest first. */
  readonly calls: readonly Call[];
}

interface Call {
  readonly seq: number;
  readonly method: string;
  readonly args: Plain;
  /** By the client's clock. */
  readonly deadline: Instant;
  /** 0 while nothing has been sent: then it certainly did not run. */
  readonly attempts: number;
  readonly acknowledged: boolean;
  readonly cancelled: boolean;
}

type ClientContext = Context<RequestReplyMessage, CallOutput>;

const RETRY = "request-reply/retry/";
const DEADLINE = "request-reply/deadline/";
const BIND = "request-reply/bind";

/** Names of the timers that send again begin so: a host whose connection is back need not wait for them. */
export const REPEAT_TIMERS: readonly string[] = [RETRY, BIND];

/** Sixteenths of the ceiling, the middles of eight equal parts: full jitter, with a mean of one half. */
const JITTER = [1, 3, 5, 7, 9, 11, 13, 15] as const;

/** The clients' half of request/reply. */
export class ClientRole {
  readonly #options: RequestReplyOptions;
  /** Each call is for one incarnation of the server. */
  readonly #binds: boolean;

  constructor(options: RequestReplyOptions) {
    this.#options = options;
    this.#binds = options.mode === "at-most-once";
  }

  start(): ClientState {
    return { role: "client", server: null, binds: 0, next: 1, calls: [] };
  }

  onCommand(state: ClientState, command: CallCommand, ctx: ClientContext): ClientState {
    return command.kind === "call" ? this.#call(state, command, ctx) : this.#cancel(state, command.id, ctx);
  }

  onTimer(state: ClientState, timer: string, ctx: ClientContext): ClientState {
    if (timer === BIND) return this.#bind(state, ctx);
    const late = timer.startsWith(DEADLINE);
    const seq = Number(timer.slice((late ? DEADLINE : RETRY).length));
    const call = state.calls.find((other) => other.seq === seq);
    if (call === undefined) return state;
    if (late) return this.#timeOut(state, call, ctx);
    ctx.explain("rr.retry", { id: idOf(call, ctx), attempt: call.attempts + 1 });
    return this.#transmit(state, call, ctx);
  }

  onMessage(
    state: ClientState,
    from: ProcessId,
    message: RequestReplyMessage,
    ctx: ClientContext,
  ): ClientState {
    switch (message.kind) {
      case "bound":
        return from === this.#options.server ? this.#bound(state, message.server, ctx) : state;
      case "received":
      case "reply":
      case "refused": {
        if (from !== this.#options.server || message.incarnation !== ctx.incarnation) return state;
        const call = state.calls.find((other) => other.seq === message.seq);
        if (call !== undefined) return this.#answered(state, call, message, ctx);
        const id = operationId(ctx.self, message.incarnation, message.seq);
        ctx.explain("rr.late", { id, what: message.kind });
        return state;
      }
      default:
        ctx.explain("rr.misdirected", { peer: from, what: message.kind });
        return state;
    }
  }

  #call(
    state: ClientState,
    { method, args, deadline = this.#options.deadline }: Extract<CallCommand, { kind: "call" }>,
    ctx: ClientContext,
  ): ClientState {
    const seq = state.next;
    const call: Call = {
      seq,
      method,
      args,
      deadline: ctx.now + deadline,
      attempts: 0,
      acknowledged: false,
      cancelled: false,
    };
    ctx.output({ kind: "invoked", id: idOf(call, ctx), method, args, deadline });
    const oldest = state.calls[0]?.seq ?? seq;
    const called = { ...state, next: seq + 1, calls: [...state.calls, call] };
    if (seq - oldest >= this.#options.window) {
      const reason = `${this.#options.window} calls are under way already`;
      return complete(called, call, { kind: "failed", reason }, ctx);
    }
    if (deadline <= 0) return this.#timeOut(called, call, ctx);
    ctx.setTimer(DEADLINE + seq, deadline);
    if (!this.#binds || state.server !== null) return this.#transmit(called, call, ctx);
    // The first one asks; the others wait with it.
    return state.calls.length === 0 ? this.#bind(called, ctx) : called;
  }

  #cancel(state: ClientState, id: OperationId, ctx: ClientContext): ClientState {
    const call = state.calls.find((other) => idOf(other, ctx) === id);
    if (call === undefined || call.cancelled) return state;
    if (call.attempts === 0) {
      return complete(state, call, { kind: "failed", reason: "cancelled before it was sent" }, ctx);
    }
    ctx.explain("rr.cancel", { id });
    const cancelled = { ...call, cancelled: true, acknowledged: false };
    if (keepsReplies(this.#options.mode)) {
      if (call.attempts < this.#options.attemptsMax) return this.#transmit(state, cancelled, ctx);
      return withCall(state, cancelled);
    }
    // The server keeps nothing by which it could refuse the copies still on their way.
    if (call.deadline > ctx.now)
      ctx.send(this.#options.server, { kind: "cancel", ...header(state, call, ctx) });
    return complete(state, call, { kind: "unknown", reason: "cancelled; it may have run" }, ctx);
  }

  /** One more attempt, under the same number as all others of the call. */
  #transmit(state: ClientState, call: Call, ctx: ClientContext): ClientState {
    const budget = call.deadline - ctx.now;
    // Its clock may have jumped over the deadline.
    if (budget <= 0) return this.#timeOut(state, call, ctx);
    const of = header(state, call, ctx);
    const { method, args } = call;
    if (call.cancelled) ctx.send(this.#options.server, { kind: "cancel", ...of });
    else {
      const { seq, ...rest } = of;
      ctx.send(this.#options.server, { kind: "request", seq, method, args, budget, ...rest });
    }
    const sent = { ...call, attempts: call.attempts + 1 };
    this.#again(sent, this.#wait(sent, ctx), ctx);
    return withCall(state, sent);
  }

  #again(call: Call, wait: Duration, ctx: ClientContext): void {
    const most = this.#options.mode === "maybe" ? 1 : this.#options.attemptsMax;
    // Not at all rather than at the deadline: nothing is sent from then on.
    if (call.attempts < most && ctx.now + wait < call.deadline) ctx.setTimer(RETRY + call.seq, wait);
    else ctx.cancelTimer(RETRY + call.seq);
  }

  #wait(call: Call, ctx: ClientContext): Duration {
    if (!call.acknowledged) return this.#backOff(call.attempts, ctx);
    // Half of it certain: the server is at work, and repeating soon would only disturb it.
    const half = Math.ceil(this.#options.probeAfter / 2);
    return half + jittered(half, ctx);
  }

  /** Full jitter: clients that failed together do not come back together. */
  #backOff(attempts: number, ctx: ClientContext): Duration {
    const { backOffBase, backOffMax } = this.#options;
    return jittered(Math.min(backOffBase * 2 ** (attempts - 1), backOffMax), ctx);
  }

  #answered(
    state: ClientState,
    call: Call,
    message: Extract<RequestReplyMessage, { kind: "received" | "reply" | "refused" }>,
    ctx: ClientContext,
  ): ClientState {
    const id = idOf(call, ctx);
    switch (message.kind) {
      case "received": {
        if (call.acknowledged || call.cancelled) return state;
        ctx.explain("rr.acknowledged", { id });
        const acknowledged = { ...call, acknowledged: true };
        this.#again(acknowledged, this.#wait(acknowledged, ctx), ctx);
        return withCall(state, acknowledged);
      }
      case "reply":
        ctx.explain(call.acknowledged ? "rr.answer.acknowledged" : "rr.answer", { id });
        return complete(state, call, { kind: "ok", value: message.value }, ctx);
      case "refused":
        ctx.explain("rr.refused", { id, reason: message.reason });
        return complete(state, call, { kind: "failed", reason: message.reason }, ctx);
    }
  }

  #timeOut(state: ClientState, call: Call, ctx: ClientContext): ClientState {
    const id = idOf(call, ctx);
    if (call.attempts === 0) {
      ctx.explain("rr.never-sent", { id });
      return complete(state, call, { kind: "failed", reason: "its time ran out before it was sent" }, ctx);
    }
    ctx.explain("rr.timeout", { id, attempts: call.attempts });
    return complete(state, call, { kind: "unknown", reason: "its time ran out" }, ctx);
  }

  #bind(state: ClientState, ctx: ClientContext): ClientState {
    if (state.calls.length === 0 || state.server !== null) return { ...state, binds: 0 };
    const binds = state.binds + 1;
    ctx.explain("rr.bind", {});
    ctx.send(this.#options.server, { kind: "bind" });
    ctx.setTimer(BIND, this.#backOff(binds, ctx));
    return { ...state, binds };
  }

  #bound(state: ClientState, server: number, ctx: ClientContext): ClientState {
    if (!this.#binds || (state.server !== null && server <= state.server)) return state;
    if (state.server === null) ctx.cancelTimer(BIND);
    let next: ClientState = { ...state, server, binds: 0 };
    for (const call of state.calls) {
      if (call.attempts === 0) next = this.#transmit(next, call, ctx);
      else {
        ctx.explain("rr.server-restarted", { id: idOf(call, ctx) });
        const reason = "the server has restarted; it may have run before";
        next = complete(next, call, { kind: "unknown", reason }, ctx);
      }
    }
    return next;
  }
}

function complete(state: ClientState, call: Call, outcome: CallOutcome, ctx: ClientContext): ClientState {
  ctx.cancelTimer(RETRY + call.seq);
  ctx.cancelTimer(DEADLINE + call.seq);
  ctx.output({ kind: "completed", id: idOf(call, ctx), outcome });
  return { ...state, calls: state.calls.filter(({ seq }) => seq !== call.seq) };
}

function header(
  { calls, server }: ClientState,
  { seq }: Call,
  { incarnation }: ClientContext,
): { seq: number; incarnation: number; ackUpTo: number; server?: number } {
  const ackUpTo = (calls[0]?.seq ?? seq) - 1;
  return { seq, incarnation, ackUpTo, ...(server !== null && { server }) };
}

function withCall(state: ClientState, call: Call): ClientState {
  return { ...state, calls: state.calls.map((other) => (other.seq === call.seq ? call : other)) };
}

function jittered(ceiling: Duration, ctx: ClientContext): Duration {
  return Math.ceil((ceiling * ctx.choose("request-reply/jitter", JITTER)) / 16);
}

function idOf({ seq }: Call, ctx: ClientContext): string {
  return operationId(ctx.self, ctx.incarnation, seq);
}
