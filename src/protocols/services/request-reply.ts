import { invariant, operationId, type Context, type Protocol } from "../../core/index.js";
import { ClientRole, JITTER, type ClientEffects, type ClientState } from "./request-reply-client.js";
import {
  clientDraft,
  sameClient,
  sameServer,
  savedOf,
  serverDraft,
  serverFrom,
} from "./request-reply-drafts.js";
import type {
  CallCommand,
  CallOutput,
  RequestReplyMessage,
  ToClient,
  ToServer,
} from "./request-reply-messages.js";
import {
  checkRequestReplyOptions,
  REQUEST_REPLY_DEFAULTS,
  type RequestReplyOptions,
} from "./request-reply-options.js";
import { ServerRole, type ServerEffects, type ServerState } from "./request-reply-server.js";
import type { Service } from "./service.js";

/** A role's state, and when the one timer of the protocol will wake it; `null`: it is not set. */
export type RequestReplyState<State> = (ServerState<State> | ClientState) & {
  readonly wakeAt: number | null;
};

type RequestReplyContext = Context<RequestReplyMessage, CallOutput>;

const WAKE = "request-reply/due";

/**
 * Calls to a service over a network that loses, doubles and reorders messages, and a server that crashes.
 *
 * A call keeps one number through all of its attempts; the server keeps its reply until the client says that it needs
 * it no more, and repeats the reply rather than the work. An acknowledgement says that a request has arrived and ends
 * nothing. The caller learns `ok`, `failed` (certainly not run) or `unknown`. Needs no reliable link.
 *
 * The rules are those of {@link ClientRole} and {@link ServerRole}, which change their state in place; a step here
 * gives them a copy. `serve` and `connect` run the same roles without copies.
 *
 * Sources: A. D. Birrell and B. J. Nelson, "Implementing Remote Procedure Calls", TOCS 2(1), 1984; A. Z. Spector,
 * "Performing Remote Operations Efficiently on a Local Computer Network", CACM 25(4), 1982; J. H. Saltzer, D. P. Reed,
 * D. D. Clark, "End-to-End Arguments in System Design", TOCS 2(4), 1984.
 */
export function requestReply<State>(
  service: Service<State>,
  options: Partial<RequestReplyOptions> & Pick<RequestReplyOptions, "server">,
): Protocol<RequestReplyState<State>, RequestReplyMessage, CallCommand, CallOutput> {
  const all = { ...REQUEST_REPLY_DEFAULTS, ...options };
  checkRequestReplyOptions(all);
  const server = new ServerRole(service, all);
  const client = new ClientRole(all);

  const asServer = (
    before: ServerState<State> & Waking,
    ctx: RequestReplyContext,
    act: (draft: ServerState<State>, fx: ServerEffects<State>) => void,
    from?: string,
  ): RequestReplyState<State> => {
    const draft = serverDraft(before, from);
    act(draft, serverEffects(ctx));
    const wakeAt = wake(before.wakeAt, server.dueAt(draft), ctx);
    return wakeAt === before.wakeAt && sameServer(before, draft) ? before : { ...draft, wakeAt };
  };

  const asClient = (
    before: ClientState & Waking,
    ctx: RequestReplyContext,
    act: (draft: ClientState, fx: ClientEffects) => void,
  ): RequestReplyState<State> => {
    const draft = clientDraft(before);
    act(draft, clientEffects(all.server, ctx));
    const wakeAt = wake(before.wakeAt, client.dueAt(draft), ctx);
    return wakeAt === before.wakeAt && sameClient(before, draft) ? before : { ...draft, wakeAt };
  };

  return {
    name: "request-reply",

    start(ctx) {
      invariant(ctx.processes.includes(all.server), `the server ${all.server} is not in this run`);
      return { ...(ctx.self === all.server ? server.start() : client.start()), wakeAt: null };
    },

    onRestart(saved, ctx) {
      if (ctx.self !== all.server) return { ...client.start(), wakeAt: null };
      if (all.mode !== "exactly-once" || saved === undefined) return { ...server.start(), wakeAt: null };
      ctx.explain("rr.restored", {});
      return { ...serverFrom(saved), wakeAt: null };
    },

    onMessage(state, from, message, ctx) {
      if (state.role === "server" ? !isToServer(message) : isToServer(message)) {
        ctx.explain("rr.misdirected", { peer: from, what: message.kind });
        return state;
      }
      if (state.role === "server") {
        const act = (draft: ServerState<State>, fx: ServerEffects<State>): void =>
          server.onMessage(draft, server.recordOf(draft, from), message as ToServer, fx);
        return asServer(state, ctx, act, from);
      }
      if (from !== all.server) return state;
      return asClient(state, ctx, (draft, fx) => client.onMessage(draft, message as ToClient, fx));
    },

    onTimer(state, _timer, ctx) {
      const woken = { ...state, wakeAt: null };
      return woken.role === "server"
        ? asServer(woken, ctx, (draft, fx) => server.sweep(draft, fx))
        : asClient(woken, ctx, (draft, fx) => client.sweep(draft, fx));
    },

    onCommand(state, command, ctx) {
      if (state.role === "server") {
        ctx.explain("rr.no-client", { what: command.kind });
        return state;
      }
      return asClient(state, ctx, (draft, fx) => {
        if (command.kind === "call") {
          const { method, args, deadline = all.deadline } = command;
          client.call(draft, method, args, deadline, null, fx);
        } else client.cancel(draft, seqOf(command.id, ctx), fx);
      });
    },
  };
}

interface Waking {
  readonly wakeAt: number | null;
}

/** Sets the one timer to when something is due, unless it is set so already. */
function wake(before: number | null, due: number | null, ctx: RequestReplyContext): number | null {
  if (due === before) return before;
  if (due === null) ctx.cancelTimer(WAKE);
  else ctx.setTimer(WAKE, Math.max(0, due - ctx.now));
  return due;
}

function isToServer(message: RequestReplyMessage): message is ToServer {
  return message.kind === "bind" || message.kind === "request" || message.kind === "cancel";
}

/** The number of a call of this client's incarnation; 0, which no call has, for any other. */
function seqOf(id: string, { self, incarnation }: RequestReplyContext): number {
  const seq = Number(id.slice(self.length + 1).split("@")[0]);
  return operationId(self, incarnation, seq) === id ? seq : 0;
}

function serverEffects<State>(ctx: RequestReplyContext): ServerEffects<State> {
  return {
    incarnation: ctx.incarnation,
    now: ctx.now,
    send: (to, message) => ctx.send(to, message),
    keep: (state) => ctx.save(savedOf(state)),
    executed(client, { incarnation, seq, method, args }, value) {
      ctx.output({ kind: "executed", id: operationId(client, incarnation, seq), method, args, value });
    },
    forgotten: undefined,
    explain: (rule, terms) => ctx.explain(rule, terms),
  };
}

function clientEffects(server: string, ctx: RequestReplyContext): ClientEffects {
  const { self, incarnation, now } = ctx;
  return {
    self,
    incarnation,
    now,
    connected: true,
    request({ seq, method, args }, budget, ackUpTo, of) {
      const request = { kind: "request", seq, method, args, budget, incarnation, ackUpTo } as const;
      ctx.send(server, of === null ? request : { ...request, server: of });
    },
    send: (message) => ctx.send(server, message),
    invoked({ seq, method, args, deadline }) {
      const id = operationId(self, incarnation, seq);
      ctx.output({ kind: "invoked", id, method, args, deadline: deadline - now });
    },
    completed: ({ seq }, outcome) =>
      ctx.output({ kind: "completed", id: operationId(self, incarnation, seq), outcome }),
    jitter: () => ctx.choose("request-reply/jitter", JITTER),
    explain: (rule, terms) => ctx.explain(rule, terms),
  };
}

/** A sentence for every rule of the two roles; the process itself is the subject. */
export const requestReplyNarration: Readonly<Record<string, string>> = {
  "rr.bind": "asks which incarnation of the server is there",
  "rr.retry": "has no answer to {id} and sends it again, attempt {attempt}",
  "rr.cancel": "takes {id} back",
  "rr.acknowledged": "learns that {id} has arrived, and waits for the result",
  "rr.answer": "has the result of {id}",
  "rr.answer.acknowledged": "has the result of {id}, some time after its acknowledgement",
  "rr.refused": "learns that {id} did not run: {reason}",
  "rr.lost": "learns that {id} ran, but not what came of it: {reason}",
  "rr.late": "ignores a late {what} to {id}: that call is over",
  "rr.never-sent": "gives {id} up; it was never sent, so it did not run",
  "rr.timeout": "gives {id} up after {attempts} attempts, not knowing whether it ran",
  "rr.server-restarted": "cannot know whether {id} ran: the server it was for is gone",
  "rr.broken": "cannot know whether {id} ran: the connection over which it went is gone",
  "rr.misdirected": "ignores a {what} from {peer}: that is not for its role",
  "rr.no-client": "was told to {what}, but it is the server",
  "rr.restored": "takes up its effects and replies from its last save",
  "rr.begin": "begins {client}'s {id}",
  "rr.acknowledge": "is still at work on {id} and tells {client} that it has arrived",
  "rr.execute": "runs {method} for {client}: {id}",
  "rr.read": "gives {client} the part of a stream that {id} asks {method} for",
  "rr.replay": "has run {id} before and repeats its reply to {client}",
  "rr.in-progress": "is at work on {id} already and tells {client} so",
  "rr.stale": "ignores a late copy of {id}: {client} has its outcome",
  "rr.orphan": "ignores {id}: {client} has restarted since",
  "rr.exterminated": "stops work for a dead incarnation of {client}: {ids}",
  "rr.dropped": "stops work on {id}",
  "rr.expired": "does not run {id}: {client} has stopped waiting",
  "rr.refuse": "tells {client} that {id} will not run: {reason}",
  "rr.invalid": "cannot run {id}: {reason}",
  "rr.overloaded": "has no room for {id}: {limit} calls are under way",
  "rr.beyond-window": "ignores {id}, which is more than {limit} calls ahead",
  "rr.not-this-incarnation":
    "does not take {id}, meant for incarnation {meant}: this is {here}, which cannot know what ran before",
};
