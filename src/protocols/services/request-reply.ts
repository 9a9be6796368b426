import { invariant, type Protocol } from "../../core/index.js";
import { ClientRole, type ClientState } from "./request-reply-client.js";
import type { CallCommand, CallOutput, RequestReplyMessage } from "./request-reply-messages.js";
import {
  checkRequestReplyOptions,
  REQUEST_REPLY_DEFAULTS,
  type RequestReplyOptions,
} from "./request-reply-options.js";
import { ServerRole, type ServerState } from "./request-reply-server.js";
import type { Service } from "./service.js";

export type RequestReplyState<State> = ServerState<State> | ClientState;

/**
 * Calls to a service over a network that loses, doubles and reorders messages, and a server that crashes.
 *
 * A call keeps one number through all of its attempts; the server keeps its reply until the client says that it needs
 * it no more, and repeats the reply rather than the work. An acknowledgement says that a request has arrived and ends
 * nothing. The caller learns `ok`, `failed` (certainly not run) or `unknown`. Needs no reliable link.
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
  return {
    name: "request-reply",

    start(ctx) {
      invariant(ctx.processes.includes(all.server), `the server ${all.server} is not in this run`);
      return ctx.self === all.server ? server.start() : client.start();
    },

    onRestart: (saved, ctx) => (ctx.self === all.server ? server.restart(saved, ctx) : client.start()),

    onMessage(state, from, message, ctx) {
      return state.role === "server"
        ? server.onMessage(state, from, message, ctx)
        : client.onMessage(state, from, message, ctx);
    },

    onTimer(state, timer, ctx) {
      return state.role === "server" ? server.onTimer(state, timer, ctx) : client.onTimer(state, timer, ctx);
    },

    onCommand(state, command, ctx) {
      if (state.role === "client") return client.onCommand(state, command, ctx);
      ctx.explain("rr.no-client", { what: command.kind });
      return state;
    },
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
  "rr.late": "ignores a late {what} to {id}: that call is over",
  "rr.never-sent": "gives {id} up; it was never sent, so it did not run",
  "rr.timeout": "gives {id} up after {attempts} attempts, not knowing whether it ran",
  "rr.server-restarted": "cannot know whether {id} ran: the server it was for is gone",
  "rr.misdirected": "ignores a {what} from {peer}: that is not for its role",
  "rr.no-client": "was told to {what}, but it is the server",
  "rr.restored": "takes up its effects and replies from its last save",
  "rr.begin": "begins {client}'s {id}",
  "rr.acknowledge": "is still at work on {id} and tells {client} that it has arrived",
  "rr.execute": "runs {method} for {client}: {id}",
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
