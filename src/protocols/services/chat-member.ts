import type { Context, Duration, ProcessId } from "../../core/index.js";
import type { ChatCommand, ChatMessage, ChatOutput, ToMember } from "./chat-messages.js";
import type { ChatOptions } from "./chat-options.js";
import { authorOf } from "./chat-rules.js";

/** A member's half of the chat. */
export interface MemberState {
  readonly role: "member";
  /** `away`: turned away for good, or nobody answered. `left`: by its own wish. */
  readonly phase: "joining" | "in" | "away" | "left";
  /** The server's latest that it has heard of, and the history it keeps; `null` until known. */
  readonly session: number | null;
  readonly history: string | null;
  /** The first message it lacks; what it has last told the server of that; for which it has last asked. */
  readonly next: number;
  readonly told: number;
  readonly asked: number;
  /** Sends of its join, or of its posts, since it last had an answer. */
  readonly attempts: number;
  readonly nextSeq: number;
  /** Without an outcome, oldest first. */
  readonly posts: readonly Post[];
}

interface Post {
  readonly seq: number;
  readonly text: string;
  readonly sent: boolean;
}

type MemberContext = Context<ChatMessage, ChatOutput>;

const JOIN = "chat/join";
const POST = "chat/post";
const HAVE = "chat/have";
const DEADLINE = "chat/deadline/";

/** Eighths of a wait: members that failed together do not come back together. */
const JITTER = [5, 6, 7, 8] as const;

export class MemberRole {
  readonly #options: ChatOptions;

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  start(ctx: MemberContext): MemberState {
    const state: MemberState = {
      role: "member",
      phase: "joining",
      session: null,
      history: null,
      next: 0,
      told: 0,
      asked: -1,
      attempts: 0,
      nextSeq: 1,
      posts: [],
    };
    return this.#join(state, ctx);
  }

  onCommand(state: MemberState, command: ChatCommand, ctx: MemberContext): MemberState {
    const { server } = this.#options;
    const { incarnation } = ctx;
    switch (command.kind) {
      case "post":
        return this.#post(state, command.text, command.deadline ?? this.#options.deadline, ctx);
      case "reconnect":
        if (state.phase === "left") return state;
        // Nothing of a former session comes over the new connection.
        return this.#join({ ...state, phase: "joining", session: null, attempts: 0 }, ctx);
      case "switch":
        ctx.send(server, { kind: "switch", error: command.error, on: command.on, incarnation });
        return state;
      case "who":
        ctx.send(server, { kind: "who", incarnation });
        return state;
      case "leave": {
        const { reason } = command;
        if (state.next > state.told) this.#tell(state, false, ctx);
        ctx.send(server, { kind: "leave", incarnation, ...(reason !== undefined && { reason }) });
        for (const timer of [JOIN, POST, HAVE]) ctx.cancelTimer(timer);
        return { ...state, phase: "left" };
      }
    }
  }

  onTimer(state: MemberState, timer: string, ctx: MemberContext): MemberState {
    if (timer === HAVE) return this.#tell(state, false, ctx);
    if (timer === JOIN) return state.phase === "joining" ? this.#join(state, ctx) : state;
    if (timer === POST) return this.#repeatPosts(state, ctx);
    const seq = Number(timer.slice(DEADLINE.length));
    const post = state.posts.find((other) => other.seq === seq);
    if (post === undefined) return state;
    const author = authorOf(ctx.self, ctx.incarnation);
    if (post.sent) ctx.output({ kind: "unknown", author, seq, reason: "its time ran out" });
    else ctx.output({ kind: "failed", author, seq, reason: "it could not be sent in time" });
    return settled(state, seq);
  }

  onMessage(state: MemberState, from: ProcessId, message: ChatMessage, ctx: MemberContext): MemberState {
    if (from !== this.#options.server || state.phase === "left") return state;
    const author = authorOf(ctx.self, ctx.incarnation);
    switch (message.kind) {
      case "joined":
        if (message.incarnation !== ctx.incarnation) return state;
        return this.#joined(state, message, ctx);
      case "turned-away": {
        const { reason, again } = message;
        const here = state.phase === "joining" || state.phase === "in";
        if (message.incarnation !== ctx.incarnation || !here) return state;
        // A late answer to a join that has had another.
        if (state.phase === "in" && !again) return state;
        ctx.output({ kind: "turned-away", reason, again });
        ctx.cancelTimer(JOIN);
        if (!again) return this.#giveUp(state, reason, ctx);
        // It was answered, so there is no end to asking; but not often.
        const attempts = Math.min(state.attempts, 4);
        this.#again(JOIN, attempts, ctx);
        return { ...state, phase: "joining", attempts };
      }
      case "entries":
        return state.phase === "in" ? this.#entries(state, message, ctx) : state;
      case "head":
        if (state.phase !== "in") return state;
        if (message.head <= state.next) return this.#tell(state, false, ctx);
        return this.#missing(state, message.head, ctx);
      case "posted":
        if (message.incarnation !== ctx.incarnation) return state;
        return this.#posted(state, author, message.seq, ctx);
      case "refused": {
        const { seq, reason } = message;
        const known = state.posts.some((post) => post.seq === seq);
        if (message.incarnation !== ctx.incarnation || !known) return state;
        ctx.cancelTimer(DEADLINE + seq);
        ctx.output({ kind: "failed", author, seq, reason });
        // The server has passed over what came after it.
        return this.#transmit(settled(state, seq), ctx);
      }
      case "rejoin":
        // A late one, of a session that is over.
        if (message.session < (state.session ?? 0)) return state;
        // Its join is on its way; an answer of the session before would no longer do.
        if (state.phase === "joining") return { ...state, session: message.session };
        if (state.phase !== "in") return state;
        ctx.explain("chat.rejoin", { next: state.next + 1 });
        return this.#join({ ...state, phase: "joining", session: message.session, attempts: 0 }, ctx);
      case "people":
        ctx.output({ kind: "people", names: message.names });
        return state;
      default:
        ctx.explain("chat.stale", { member: from, what: message.kind });
        return state;
    }
  }

  #join(state: MemberState, ctx: MemberContext): MemberState {
    if (state.attempts >= this.#options.attemptsMax) {
      const reason = "the server does not answer";
      ctx.output({ kind: "turned-away", reason, again: false });
      return this.#giveUp(state, reason, ctx);
    }
    const { incarnation } = ctx;
    const { next, nextSeq, posts, history } = state;
    ctx.send(this.#options.server, {
      kind: "join",
      room: this.#options.room,
      name: this.#options.nameOf(ctx.self),
      next,
      oldest: posts[0]?.seq ?? nextSeq,
      incarnation,
      ...(history !== null && { history }),
    });
    this.#again(JOIN, state.attempts, ctx);
    return { ...state, attempts: state.attempts + 1 };
  }

  #joined(
    state: MemberState,
    { session, head, history }: Extract<ToMember, { kind: "joined" }>,
    ctx: MemberContext,
  ): MemberState {
    // A late answer to a join that has had one.
    if (state.phase !== "joining" || session < (state.session ?? 0)) return state;
    ctx.cancelTimer(JOIN);
    ctx.output({ kind: "joined", next: state.next, head });
    const joined: MemberState = { ...state, phase: "in", session, history, attempts: 0, asked: -1 };
    return this.#transmit({ ...joined, told: state.next }, ctx);
  }

  #entries(
    state: MemberState,
    { from, entries }: Extract<ToMember, { kind: "entries" }>,
    ctx: MemberContext,
  ): MemberState {
    if (from > state.next) return this.#missing(state, from, ctx);
    const fresh = entries.slice(state.next - from);
    if (fresh.length === 0) {
      ctx.explain("chat.has-it", { messages: `${from + 1}..${from + entries.length}` });
      // It would not have been sent again if the server had our word for it.
      return this.#tell(state, false, ctx);
    }
    const own = authorOf(ctx.self, ctx.incarnation);
    let next = state;
    for (const entry of fresh) {
      const index = next.next;
      ctx.deliver("chat", this.#options.server, index + 1, entry);
      next = { ...next, next: index + 1 };
      if (entry.author === own) next = this.#posted(next, own, entry.seq, ctx);
    }
    if (next.next - next.told >= this.#options.haveEvery) return this.#tell(next, false, ctx);
    if (state.next === state.told) ctx.setTimer(HAVE, this.#options.haveAfter);
    return next;
  }

  /** There are messages up to `to`, and they have not come. */
  #missing(state: MemberState, to: number, ctx: MemberContext): MemberState {
    if (state.asked === state.next) {
      // It has been said; asked again for only when the server wonders, too.
      return this.#tell(state, true, ctx);
    }
    const messages = to === state.next + 1 ? `${to}` : `${state.next + 1}..${to}`;
    ctx.explain("chat.missing", { messages });
    ctx.output({ kind: "missing", from: state.next, to });
    return this.#tell({ ...state, asked: state.next }, true, ctx);
  }

  /** Says what it has. */
  #tell(state: MemberState, missing: boolean, ctx: MemberContext): MemberState {
    if (state.phase !== "in" || state.session === null) return state;
    const { next, session } = state;
    ctx.send(this.#options.server, { kind: "have", next, missing, session, incarnation: ctx.incarnation });
    ctx.cancelTimer(HAVE);
    return { ...state, told: next };
  }

  #post(state: MemberState, text: string, deadline: Duration, ctx: MemberContext): MemberState {
    const seq = state.nextSeq;
    const author = authorOf(ctx.self, ctx.incarnation);
    ctx.output({ kind: "posting", author, seq, text });
    const numbered = { ...state, nextSeq: seq + 1 };
    const fail = (reason: string): MemberState => {
      ctx.output({ kind: "failed", author, seq, reason });
      return numbered;
    };
    if (state.phase === "away" || state.phase === "left") return fail("not in the room");
    if (state.posts.length >= this.#options.postsMax) {
      return fail(`${this.#options.postsMax} messages wait already`);
    }
    ctx.setTimer(DEADLINE + seq, deadline);
    const post: Post = { seq, text, sent: state.phase === "in" };
    const posting = { ...numbered, posts: [...state.posts, post] };
    if (!post.sent) return posting;
    this.#sendPost(posting, post, ctx);
    if (state.posts.length > 0) return posting;
    this.#again(POST, 0, ctx);
    return { ...posting, attempts: 0 };
  }

  /** Everything without an outcome, from the oldest on: the server takes nothing before what precedes it. */
  #transmit(state: MemberState, ctx: MemberContext): MemberState {
    if (state.phase !== "in") return state;
    if (state.posts.length === 0) {
      ctx.cancelTimer(POST);
      return state;
    }
    for (const post of state.posts) this.#sendPost(state, post, ctx);
    this.#again(POST, state.attempts, ctx);
    return { ...state, posts: state.posts.map((post) => (post.sent ? post : { ...post, sent: true })) };
  }

  #repeatPosts(state: MemberState, ctx: MemberContext): MemberState {
    if (state.phase !== "in" || state.posts.length === 0) return state;
    ctx.explain("chat.retry", { posts: state.posts.map(({ seq }) => seq), attempt: state.attempts + 1 });
    return this.#transmit({ ...state, attempts: state.attempts + 1 }, ctx);
  }

  #sendPost(state: MemberState, { seq, text }: Post, ctx: MemberContext): void {
    const { incarnation } = ctx;
    const oldest = state.posts[0]?.seq ?? seq;
    const session = state.session ?? 0;
    ctx.send(this.#options.server, { kind: "post", seq, text, oldest, session, incarnation });
  }

  #posted(state: MemberState, author: string, seq: number, ctx: MemberContext): MemberState {
    if (!state.posts.some((post) => post.seq === seq)) return state;
    ctx.cancelTimer(DEADLINE + seq);
    ctx.output({ kind: "posted", author, seq });
    const next = { ...settled(state, seq), attempts: 0 };
    if (next.posts.length === 0) ctx.cancelTimer(POST);
    return next;
  }

  #giveUp(state: MemberState, reason: string, ctx: MemberContext): MemberState {
    const author = authorOf(ctx.self, ctx.incarnation);
    for (const { seq, sent } of state.posts) {
      ctx.cancelTimer(DEADLINE + seq);
      ctx.output({ kind: sent ? "unknown" : "failed", author, seq, reason });
    }
    ctx.cancelTimer(POST);
    return { ...state, phase: "away", posts: [] };
  }

  #again(timer: string, attempts: number, ctx: MemberContext): void {
    const ceiling = Math.min(this.#options.retryMax, this.#options.retry * 2 ** Math.min(attempts, 20));
    ctx.setTimer(timer, Math.ceil((ceiling * ctx.choose("chat/jitter", JITTER)) / 8));
  }
}

function settled(state: MemberState, seq: number): MemberState {
  return { ...state, posts: state.posts.filter((post) => post.seq !== seq) };
}
