import { operationId, type Instant, type Plain, type ProcessId } from "../../core/index.js";
import type { Answer, Asked, ToClient, ToServer } from "./request-reply-messages.js";
import { keepsReplies, type RequestReplyOptions } from "./request-reply-options.js";
import { emptyRing, ringAt, ringDelete, ringDeleteUpTo, ringPut, type SeqRing } from "./seq-ring.js";
import type { Service } from "./service.js";

/** What a server knows; {@link ServerRole} changes it in place. */
export interface ServerState<State, Payload = Plain> {
  readonly role: "server";
  service: State;
  /** Own entries only: a process may be called `constructor`. */
  readonly clients: Record<ProcessId, ClientRecord<Payload>>;
  /** Calls under way, in order of arrival. Lost in a crash: none has had its effect. */
  readonly works: Work<Payload>[];
}

/** What a server keeps of one client, in the modes that keep replies. */
export interface ClientRecord<Payload = Plain> {
  readonly client: ProcessId;
  /** -1 until something has been heard of it. */
  incarnation: number;
  /** The client needs no reply up to this one; a request up to it is a late copy. */
  pruned: number;
  /** Of calls after `pruned`; at most a window of them. */
  readonly replies: SeqRing<Answer<Payload>>;
}

/** A call that takes time. */
export interface Work<Payload = Plain> {
  readonly client: ProcessId;
  readonly incarnation: number;
  readonly seq: number;
  readonly method: string;
  readonly args: Payload;
  /** By the server's clock; not run from then on. */
  readonly expires: Instant;
  readonly doneAt: Instant;
  /** When its client is told that it has arrived; `null`: not, or it has been. */
  acknowledgeAt: Instant | null;
}

type Call<Payload> = Pick<Work<Payload>, "incarnation" | "seq" | "method" | "args">;

/** What a step of a server may draw on, and what comes of it. */
export interface ServerEffects<State, Payload = Plain> {
  readonly incarnation: number;
  readonly now: Instant;
  send(to: ProcessId, message: ToClient<Payload>): void;
  /**
   * In mode exactly-once: keeps the answer and the state of the service together, before anything that follows is
   * seen outside. `ran` is the call, if there was one to run.
   */
  keep(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    answer: Answer<Payload>,
    ran: Call<Payload> | undefined,
  ): void;
  executed(client: ProcessId, call: Call<Payload>, value: Payload): void;
  /** The client has that answer, and it is kept no more: whoever lent memory for it has it back. */
  readonly forgotten: ((answer: Answer<Payload>) => void) | undefined;
  /** Absent where nobody listens: then the terms are not even made. */
  readonly explain: ((rule: string, terms: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** The server's half of request/reply: all that decides what a server does, and nothing of how it is run. */
export class ServerRole<State, Payload = Plain> {
  readonly #service: Service<State, string, Payload>;
  readonly #options: RequestReplyOptions;
  readonly #keeps: boolean;
  readonly #durable: boolean;
  readonly #streams: ReadonlySet<string> | undefined;

  constructor(service: Service<State, string, Payload>, options: RequestReplyOptions) {
    this.#service = service;
    this.#options = options;
    this.#keeps = keepsReplies(options.mode);
    this.#durable = options.mode === "exactly-once";
    this.#streams = service.streams && new Set(service.streams);
  }

  start(): ServerState<State, Payload> {
    return { role: "server", service: this.#service.initial, clients: {}, works: [] };
  }

  /** What is kept of a client, or what is to be kept once it has asked for something. */
  recordOf({ clients }: ServerState<State, Payload>, client: ProcessId): ClientRecord<Payload> {
    const known = Object.hasOwn(clients, client) ? clients[client] : undefined;
    return known ?? { client, incarnation: -1, pruned: 0, replies: emptyRing() };
  }

  /**
   * Keeps nothing of `message` but its payload. `record` is that of the sender, as {@link recordOf} gave it at any time since the client was
   * last forgotten.
   */
  onMessage(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    message: ToServer<Payload>,
    fx: ServerEffects<State, Payload>,
  ): void {
    if (message.kind === "bind") fx.send(record.client, { kind: "bound", server: fx.incarnation });
    else this.#asked(state, record, message, fx);
  }

  /** Does what is due by now. */
  sweep(state: ServerState<State, Payload>, fx: ServerEffects<State, Payload>): void {
    const due = state.works.filter(({ acknowledgeAt, doneAt }) => fx.now >= (acknowledgeAt ?? doneAt));
    for (const work of due) {
      const { client, incarnation, seq, acknowledgeAt, doneAt } = work;
      if (acknowledgeAt !== null && fx.now >= acknowledgeAt) {
        work.acknowledgeAt = null;
        fx.explain?.("rr.acknowledge", { id: idOf(work), client });
        fx.send(client, { kind: "received", seq, incarnation });
      }
      if (fx.now < doneAt) continue;
      drop(state, work);
      const record = this.recordOf(state, client);
      if (fx.now < work.expires) this.#run(state, record, work, fx);
      else {
        fx.explain?.("rr.expired", { id: idOf(work), client });
        if (this.#keeps) this.#refuse(state, record, work, "its time ran out", fx);
      }
    }
  }

  /** When {@link sweep} has something to do next; `null`: never, as things stand. */
  dueAt({ works }: ServerState<State, Payload>): Instant | null {
    let due = Infinity;
    for (const { doneAt, acknowledgeAt } of works) due = Math.min(due, acknowledgeAt ?? doneAt, doneAt);
    return due === Infinity ? null : due;
  }

  /**
   * Leaves nothing of a client that will not come back. A late copy of one of its requests would run again: forget
   * only when none can be under way any more.
   */
  forget(state: ServerState<State, Payload>, client: ProcessId): void {
    delete state.clients[client];
    for (const work of state.works.filter((other) => other.client === client)) drop(state, work);
  }

  /** What was kept could not be made to last: it has not happened. The state of the service is the caller's to restore. */
  undo(record: ClientRecord<Payload>, seq: number): void {
    ringDelete(record.replies, seq);
  }

  /** After a restart: what was kept, in the order kept. */
  restore(
    state: ServerState<State, Payload>,
    client: ProcessId,
    pruned: number,
    answer: Answer<Payload>,
  ): void {
    const record = this.recordOf(state, client);
    state.clients[client] = record;
    if (answer.incarnation > record.incarnation) ringDeleteUpTo(record.replies, record.pruned, Infinity);
    else ringDeleteUpTo(record.replies, record.pruned, pruned);
    record.incarnation = answer.incarnation;
    record.pruned = pruned;
    ringPut(record.replies, answer);
  }

  #asked(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    asked: Asked<Payload>,
    fx: ServerEffects<State, Payload>,
  ): void {
    const { seq, incarnation } = asked;
    const { client } = record;
    if (asked.kind === "request" && this.#streams?.has(asked.method) === true) {
      return this.#read(state, client, asked, fx);
    }
    if (this.#options.mode === "at-most-once" && asked.server !== fx.incarnation) {
      // A server that lost its replies cannot tell whether its predecessor ran this.
      const meant = asked.server ?? null;
      fx.explain?.("rr.not-this-incarnation", {
        id: idOf({ client, ...asked }),
        meant,
        here: fx.incarnation,
      });
      return fx.send(client, { kind: "bound", server: fx.incarnation });
    }
    if (!this.#keeps) return this.#askedUnkept(state, record, asked, fx);
    if (incarnation < record.incarnation) {
      fx.explain?.("rr.orphan", { id: idOf({ client, ...asked }), client });
      return;
    }
    this.#admit(state, record, asked, fx);
    if (seq <= record.pruned) {
      fx.explain?.("rr.stale", { id: idOf({ client, ...asked }), client });
      return;
    }
    const answer = ringAt(record.replies, seq);
    if (answer !== undefined) {
      fx.explain?.("rr.replay", { id: idOf({ client, ...asked }), client });
      return fx.send(client, answer);
    }
    if (seq > record.pruned + this.#options.window) {
      fx.explain?.("rr.beyond-window", { id: idOf({ client, ...asked }), limit: this.#options.window });
      return;
    }
    const work = state.works.find((other) => other.client === client && other.seq === seq);
    if (asked.kind === "cancel") {
      if (work !== undefined) drop(state, work);
      return this.#refuse(state, record, asked, "cancelled by its caller", fx);
    }
    if (work !== undefined) {
      fx.explain?.("rr.in-progress", { id: idOf(work), client });
      return fx.send(client, { kind: "received", seq, incarnation });
    }
    this.#begin(state, record, asked, fx);
  }

  /** A part of a stream: the same for every copy of the request, whichever incarnation it meets. */
  #read(
    { service }: ServerState<State, Payload>,
    client: ProcessId,
    { seq, incarnation, method, args }: Extract<Asked<Payload>, { kind: "request" }>,
    fx: ServerEffects<State, Payload>,
  ): void {
    const problem = this.#service.check(method, args);
    if (problem !== undefined) {
      fx.explain?.("rr.invalid", { id: operationId(client, incarnation, seq), reason: problem });
      return fx.send(client, { kind: "refused", seq, reason: problem, incarnation });
    }
    const { value } = this.#service.handle(service, method, args);
    fx.explain?.("rr.read", { id: operationId(client, incarnation, seq), method, client });
    fx.send(client, { kind: "reply", seq, value, incarnation });
  }

  /** Without kept replies every copy of a request is a request. */
  #askedUnkept(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    asked: Asked<Payload>,
    fx: ServerEffects<State, Payload>,
  ): void {
    if (asked.kind === "request") return this.#begin(state, record, asked, fx);
    const { client } = record;
    const { seq, incarnation } = asked;
    const meant = state.works.filter(
      (work) => work.client === client && work.seq === seq && work.incarnation === incarnation,
    );
    if (meant.length === 0) return;
    fx.explain?.("rr.dropped", { id: operationId(client, incarnation, seq) });
    for (const work of meant) drop(state, work);
  }

  /** Forgets what the client needs no more: replies it has, and everything of its earlier incarnations. */
  #admit(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    { incarnation, ackUpTo }: Asked<Payload>,
    fx: ServerEffects<State, Payload>,
  ): void {
    if (incarnation > record.incarnation) {
      const { client } = record;
      const orphans = state.works.filter((work) => work.client === client);
      if (orphans.length > 0) fx.explain?.("rr.exterminated", { client, ids: orphans.map(idOf) });
      for (const work of orphans) drop(state, work);
      ringDeleteUpTo(record.replies, record.pruned, Infinity);
      record.incarnation = incarnation;
      record.pruned = ackUpTo;
      state.clients[client] = record;
    } else if (ackUpTo > record.pruned) {
      ringDeleteUpTo(record.replies, record.pruned, ackUpTo, fx.forgotten);
      record.pruned = ackUpTo;
    }
  }

  #begin(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    request: Extract<Asked<Payload>, { kind: "request" }>,
    fx: ServerEffects<State, Payload>,
  ): void {
    const { seq, incarnation, method, args, budget } = request;
    const { client } = record;
    const problem = this.#service.check(method, args);
    if (problem !== undefined) {
      // Nothing to keep: every copy is refused alike.
      fx.explain?.("rr.invalid", { id: operationId(client, incarnation, seq), reason: problem });
      return fx.send(client, { kind: "refused", seq, reason: problem, incarnation });
    }
    if (state.works.length >= this.#options.worksMax) {
      const id = fx.explain && operationId(client, incarnation, seq);
      fx.explain?.("rr.overloaded", { id, limit: this.#options.worksMax });
      return;
    }
    const takes = this.#options.work?.(method, args as Plain) ?? 0;
    if (takes === 0) return this.#run(state, record, request, fx);
    fx.explain?.("rr.begin", { id: operationId(client, incarnation, seq), client });
    const late = takes > this.#options.acknowledgeAfter;
    state.works.push({
      client,
      incarnation,
      seq,
      method,
      args,
      expires: fx.now + budget,
      doneAt: fx.now + takes,
      acknowledgeAt: late ? fx.now + this.#options.acknowledgeAfter : null,
    });
  }

  #run(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    call: Call<Payload>,
    fx: ServerEffects<State, Payload>,
  ): void {
    const { client } = record;
    const { incarnation, seq, method, args } = call;
    const { state: service, value } = this.#service.handle(state.service, method, args);
    state.service = service;
    const answer: Answer<Payload> = { kind: "reply", seq, value, incarnation };
    this.#keep(state, record, answer, call, fx);
    fx.explain?.("rr.execute", { id: operationId(client, incarnation, seq), method, client });
    fx.executed(client, call, value);
    fx.send(client, answer);
  }

  /** For good: a copy that comes later gets the same answer. */
  #refuse(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    { seq, incarnation }: { readonly seq: number; readonly incarnation: number },
    reason: string,
    fx: ServerEffects<State, Payload>,
  ): void {
    const { client } = record;
    const answer: Answer<Payload> = { kind: "refused", seq, reason, incarnation };
    this.#keep(state, record, answer, undefined, fx);
    fx.explain?.("rr.refuse", { id: operationId(client, incarnation, seq), client, reason });
    fx.send(client, answer);
  }

  #keep(
    state: ServerState<State, Payload>,
    record: ClientRecord<Payload>,
    answer: Answer<Payload>,
    ran: Call<Payload> | undefined,
    fx: ServerEffects<State, Payload>,
  ): void {
    if (!this.#keeps) return;
    ringPut(record.replies, answer);
    if (this.#durable) fx.keep(state, record, answer, ran);
  }
}

function drop<Payload>({ works }: { readonly works: Work<Payload>[] }, work: Work<Payload>): void {
  const index = works.indexOf(work);
  if (index !== -1) works.splice(index, 1);
}

function idOf({ client, incarnation, seq }: Pick<Work, "client" | "incarnation" | "seq">): string {
  return operationId(client, incarnation, seq);
}
