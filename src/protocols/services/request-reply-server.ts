import { operationId, type Context, type Instant, type Plain, type ProcessId } from "../../core/index.js";
import type { CallHeader, CallOutput, RequestReplyMessage, ToServer } from "./request-reply-messages.js";
import { keepsReplies, type RequestReplyOptions } from "./request-reply-options.js";
import type { Service } from "./service.js";

export interface ServerState<State> extends Kept<State> {
  readonly role: "server";
  /** Calls under way, in order of arrival. Lost in a crash: none has had its effect. */
  readonly works: readonly Work[];
  /** Works begun so far. */
  readonly begun: number;
}

/** What a durable server saves, all of it in one go: an effect without its reply would run again. */
interface Kept<State> {
  readonly service: State;
  readonly clients: Readonly<Record<ProcessId, ClientRecord>>;
}

interface ClientRecord {
  readonly incarnation: number;
  /** The client needs no reply up to this one; a request up to it is a late copy. */
  readonly pruned: number;
  /** Of calls after `pruned`; at most a window of them. */
  readonly replies: readonly Answer[];
}

type Answer =
  | { readonly kind: "reply"; readonly seq: number; readonly value: Plain }
  | { readonly kind: "refused"; readonly seq: number; readonly reason: string };

interface Work {
  readonly number: number;
  readonly client: ProcessId;
  readonly incarnation: number;
  readonly seq: number;
  readonly method: string;
  readonly args: Plain;
  /** By the server's clock; not run from then on. */
  readonly expires: Instant;
}

type ServerContext = Context<RequestReplyMessage, CallOutput>;
type Asked = Extract<ToServer, CallHeader>;

const WORK = "request-reply/work/";
const ACKNOWLEDGE = "request-reply/acknowledge/";

/** The server's half of request/reply. */
export class ServerRole<State> {
  readonly #service: Service<State>;
  readonly #options: RequestReplyOptions;
  readonly #keeps: boolean;
  readonly #durable: boolean;

  constructor(service: Service<State>, options: RequestReplyOptions) {
    this.#service = service;
    this.#options = options;
    this.#keeps = keepsReplies(options.mode);
    this.#durable = options.mode === "exactly-once";
  }

  start(): ServerState<State> {
    return { role: "server", service: this.#service.initial, clients: {}, works: [], begun: 0 };
  }

  restart(saved: unknown, ctx: ServerContext): ServerState<State> {
    if (!this.#durable || saved === undefined) return this.start();
    ctx.explain("rr.restored", {});
    // Its own save, and nothing else's.
    return { ...this.start(), ...(saved as Kept<State>) };
  }

  onMessage(
    state: ServerState<State>,
    from: ProcessId,
    message: RequestReplyMessage,
    ctx: ServerContext,
  ): ServerState<State> {
    switch (message.kind) {
      case "bind":
        ctx.send(from, { kind: "bound", server: ctx.incarnation });
        return state;
      case "request":
      case "cancel":
        return this.#asked(state, from, message, ctx);
      default:
        ctx.explain("rr.misdirected", { peer: from, what: message.kind });
        return state;
    }
  }

  onTimer(state: ServerState<State>, timer: string, ctx: ServerContext): ServerState<State> {
    const acknowledges = timer.startsWith(ACKNOWLEDGE);
    const number = Number(timer.slice((acknowledges ? ACKNOWLEDGE : WORK).length));
    const work = state.works.find((other) => other.number === number);
    if (work === undefined) return state;
    if (!acknowledges) return this.#run(this.#drop(state, [work], ctx), work, ctx);
    const { client, incarnation, seq } = work;
    ctx.explain("rr.acknowledge", { id: idOf(work), client });
    ctx.send(client, { kind: "received", seq, incarnation });
    return state;
  }

  #asked(state: ServerState<State>, from: ProcessId, asked: Asked, ctx: ServerContext): ServerState<State> {
    const { seq, incarnation } = asked;
    const id = operationId(from, incarnation, seq);
    if (this.#options.mode === "at-most-once" && asked.server !== ctx.incarnation) {
      // A server that lost its replies cannot tell whether its predecessor ran this.
      ctx.explain("rr.not-this-incarnation", { id, meant: asked.server ?? null, here: ctx.incarnation });
      ctx.send(from, { kind: "bound", server: ctx.incarnation });
      return state;
    }
    if (!this.#keeps) return this.#askedUnkept(state, from, asked, ctx);
    if (incarnation < recordOf(state, from).incarnation) {
      ctx.explain("rr.orphan", { id, client: from });
      return state;
    }
    const admitted = this.#admit(state, from, asked, ctx);
    const { pruned, replies } = recordOf(admitted, from);
    if (seq <= pruned) {
      ctx.explain("rr.stale", { id, client: from });
      return admitted;
    }
    const answer = replies.find((other) => other.seq === seq);
    if (answer !== undefined) {
      ctx.explain("rr.replay", { id, client: from });
      ctx.send(from, { ...answer, incarnation });
      return admitted;
    }
    if (seq > pruned + this.#options.window) {
      ctx.explain("rr.beyond-window", { id, limit: this.#options.window });
      return admitted;
    }
    const work = admitted.works.find((other) => other.client === from && other.seq === seq);
    if (asked.kind === "cancel") {
      const without = work === undefined ? admitted : this.#drop(admitted, [work], ctx);
      return this.#refuse(without, from, asked, "cancelled by its caller", ctx);
    }
    if (work !== undefined) {
      ctx.explain("rr.in-progress", { id, client: from });
      ctx.send(from, { kind: "received", seq, incarnation });
      return admitted;
    }
    return this.#begin(admitted, from, asked, ctx);
  }

  /** Without kept replies every copy of a request is a request. */
  #askedUnkept(
    state: ServerState<State>,
    from: ProcessId,
    asked: Asked,
    ctx: ServerContext,
  ): ServerState<State> {
    if (asked.kind === "request") return this.#begin(state, from, asked, ctx);
    const { seq, incarnation } = asked;
    const meant = state.works.filter(
      (work) => work.client === from && work.seq === seq && work.incarnation === incarnation,
    );
    if (meant.length === 0) return state;
    ctx.explain("rr.dropped", { id: operationId(from, incarnation, seq) });
    return this.#drop(state, meant, ctx);
  }

  /** Forgets what the client needs no more: replies it has, and everything of its earlier incarnations. */
  #admit(
    state: ServerState<State>,
    from: ProcessId,
    { incarnation, ackUpTo }: Asked,
    ctx: ServerContext,
  ): ServerState<State> {
    const record = recordOf(state, from);
    if (incarnation > record.incarnation) {
      const orphans = state.works.filter((work) => work.client === from);
      if (orphans.length > 0) ctx.explain("rr.exterminated", { client: from, ids: orphans.map(idOf) });
      const fresh: ClientRecord = { incarnation, pruned: ackUpTo, replies: [] };
      return withRecord(this.#drop(state, orphans, ctx), from, fresh);
    }
    if (ackUpTo <= record.pruned) return state;
    const replies = record.replies.filter(({ seq }) => seq > ackUpTo);
    return withRecord(state, from, { ...record, pruned: ackUpTo, replies });
  }

  #begin(
    state: ServerState<State>,
    from: ProcessId,
    request: Extract<ToServer, { kind: "request" }>,
    ctx: ServerContext,
  ): ServerState<State> {
    const { seq, incarnation, method, args, budget } = request;
    const id = operationId(from, incarnation, seq);
    const problem = this.#service.check(method, args);
    if (problem !== undefined) {
      // Nothing to keep: every copy is refused alike.
      ctx.explain("rr.invalid", { id, reason: problem });
      ctx.send(from, { kind: "refused", seq, reason: problem, incarnation });
      return state;
    }
    if (state.works.length >= this.#options.worksMax) {
      ctx.explain("rr.overloaded", { id, limit: this.#options.worksMax });
      return state;
    }
    const number = state.begun + 1;
    const expires = ctx.now + budget;
    const work: Work = { number, client: from, incarnation, seq, method, args, expires };
    const takes = this.#options.work?.(method, args) ?? 0;
    if (takes === 0) return this.#run(state, work, ctx);
    ctx.explain("rr.begin", { id, client: from });
    ctx.setTimer(WORK + number, takes);
    if (takes > this.#options.acknowledgeAfter) {
      ctx.setTimer(ACKNOWLEDGE + number, this.#options.acknowledgeAfter);
    }
    return { ...state, works: [...state.works, work], begun: number };
  }

  #run(state: ServerState<State>, work: Work, ctx: ServerContext): ServerState<State> {
    const { client, incarnation, seq, method, args } = work;
    if (ctx.now >= work.expires) {
      ctx.explain("rr.expired", { id: idOf(work), client });
      return this.#keeps ? this.#refuse(state, client, work, "its time ran out", ctx) : state;
    }
    const { state: service, value } = this.#service.handle(state.service, method, args);
    const answer: Answer = { kind: "reply", seq, value };
    const next = this.#keep({ ...state, service }, client, answer, ctx);
    ctx.explain("rr.execute", { id: idOf(work), method, client });
    ctx.output({ kind: "executed", id: idOf(work), method, args, value });
    ctx.send(client, { ...answer, incarnation });
    return next;
  }

  /** For good: a copy that comes later gets the same answer. */
  #refuse(
    state: ServerState<State>,
    client: ProcessId,
    { seq, incarnation }: { readonly seq: number; readonly incarnation: number },
    reason: string,
    ctx: ServerContext,
  ): ServerState<State> {
    const answer: Answer = { kind: "refused", seq, reason };
    const next = this.#keep(state, client, answer, ctx);
    ctx.explain("rr.refuse", { id: operationId(client, incarnation, seq), client, reason });
    ctx.send(client, { ...answer, incarnation });
    return next;
  }

  #keep(
    state: ServerState<State>,
    client: ProcessId,
    answer: Answer,
    ctx: ServerContext,
  ): ServerState<State> {
    if (!this.#keeps) return state;
    const record = recordOf(state, client);
    const next = withRecord(state, client, { ...record, replies: [...record.replies, answer] });
    if (this.#durable) ctx.save({ service: next.service, clients: next.clients });
    return next;
  }

  #drop(state: ServerState<State>, works: readonly Work[], ctx: ServerContext): ServerState<State> {
    if (works.length === 0) return state;
    for (const { number } of works) {
      ctx.cancelTimer(WORK + number);
      ctx.cancelTimer(ACKNOWLEDGE + number);
    }
    return { ...state, works: state.works.filter((work) => !works.includes(work)) };
  }
}

/**
 * The server without what it keeps for a client that will not come back. A late copy of one of that client's requests
 * would run again: forget only when none can be under way any more.
 */
export function withoutClient<State>(state: ServerState<State>, client: ProcessId): ServerState<State> {
  return {
    ...state,
    clients: Object.fromEntries(Object.entries(state.clients).filter(([name]) => name !== client)),
    works: state.works.filter((work) => work.client !== client),
  };
}

const NO_RECORD: ClientRecord = { incarnation: -1, pruned: 0, replies: [] };

/** Own entries only: a process may be called `constructor`. */
function recordOf({ clients }: Kept<unknown>, client: ProcessId): ClientRecord {
  return (Object.hasOwn(clients, client) ? clients[client] : undefined) ?? NO_RECORD;
}

function withRecord<State>(
  state: ServerState<State>,
  client: ProcessId,
  record: ClientRecord,
): ServerState<State> {
  return { ...state, clients: { ...state.clients, [client]: record } };
}

function idOf({ client, incarnation, seq }: Work): string {
  return operationId(client, incarnation, seq);
}
