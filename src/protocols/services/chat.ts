import { invariant, type Context, type ProcessId, type Protocol } from "../../core/index.js";
import { ChatHall, type HallMember, type HallPort, type HallRoom } from "./chat-hall.js";
import { MemberRole, type MemberState } from "./chat-member.js";
import type { ChatCommand, ChatMessage, ChatOutput, ToHall } from "./chat-messages.js";
import { chatOptions, type ChatOptions } from "./chat-options.js";
import { noteAuthor, type ChatEntry } from "./chat-rules.js";

/** The server as a protocol's state: what {@link ChatHall} holds, as plain data, and the histories themselves. */
export interface HallState {
  readonly role: "hall";
  readonly rooms: readonly RoomState[];
  readonly members: readonly HallMember[];
  /** Known before a crash, perhaps members; asked to join again. */
  readonly missed: readonly ProcessId[];
  /** How often they have been asked. */
  readonly calls: number;
  readonly beating: boolean;
}

interface RoomState {
  readonly name: string;
  readonly entries: readonly ChatEntry[];
  readonly last: readonly (readonly [author: string, seq: number])[];
}

export type ChatState = HallState | MemberState;

type ChatContext = Context<ChatMessage, ChatOutput>;

const BEAT = "chat/beat";

// Of one message, when a history is sent.
const ENTRIES_MAX = 4;

/**
 * A group chat with one server that keeps the history, over a network that loses, doubles and reorders.
 *
 * Everybody sees one order, the server's. A member says from where on it lacks messages and gets all from there, in
 * order, without gap or repeat; a post keeps its number through all of its copies, so it is in the history once; it is
 * acknowledged, and shown to anyone, once it is durable. The server restarts from its history. An author learns that a
 * post is in the history, that it certainly is not, or, when the time is up, that this is unknown. Needs no reliable link.
 *
 * The order by one process is F. B. Schneider, "Implementing Fault-Tolerant Services Using the State Machine
 * Approach", ACM Computing Surveys 22(4), 1990, §3; numbers end to end, J. H. Saltzer, D. P. Reed, D. D. Clark,
 * "End-to-End Arguments in System Design", TOCS 2(4), 1984.
 */
export function chat(
  given: Partial<ChatOptions> & Pick<ChatOptions, "server">,
): Protocol<ChatState, ChatMessage, ChatCommand, ChatOutput> {
  const options = chatOptions(given);
  const member = new MemberRole(options);
  const hall = (state: HallState, ctx: ChatContext): HallStep => new HallStep(options, state, ctx);
  return {
    name: "chat",

    start(ctx) {
      invariant(ctx.processes.includes(options.server), `the server ${options.server} is not in this run`);
      return ctx.self === options.server ? EMPTY_HALL : member.start(ctx);
    },

    onRestart(saved, ctx) {
      return ctx.self === options.server ? hall(restored(saved, ctx), ctx).callBack() : member.start(ctx);
    },

    onMessage(state, from, message, ctx) {
      if (state.role === "member") return member.onMessage(state, from, message, ctx);
      return isToHall(message) ? hall(state, ctx).message(from, message) : state;
    },

    onTimer(state, timer, ctx) {
      if (state.role === "member") return member.onTimer(state, timer, ctx);
      return hall(state, ctx).beat();
    },

    onCommand(state, command, ctx) {
      return state.role === "member" ? member.onCommand(state, command, ctx) : state;
    },
  };
}

const EMPTY_HALL: HallState = { role: "hall", rooms: [], members: [], missed: [], calls: 0, beating: false };

/** Only the entries are saved; whose numbers are taken follows from them. */
function restored(saved: unknown, ctx: ChatContext): HallState {
  // Its own save, and nothing else's.
  const rooms = (saved as Readonly<Record<string, readonly ChatEntry[]>> | undefined) ?? {};
  return {
    ...EMPTY_HALL,
    rooms: Object.entries(rooms).map(([name, entries]) => {
      ctx.explain("chat.restored", { room: name, messages: entries.length });
      return { name, entries, last: lastOf(entries) };
    }),
    missed: ctx.peers,
  };
}

function lastOf(entries: readonly ChatEntry[]): RoomState["last"] {
  const last = new Map<string, number>();
  for (const { author, seq } of entries) noteAuthor(last, author, seq);
  return [...last];
}

export function isToHall(message: ChatMessage): message is ToHall {
  switch (message.kind) {
    case "join":
    case "post":
    case "have":
    case "switch":
    case "who":
    case "leave":
      return true;
    default:
      return false;
  }
}

/** One step of the server: a hall made of the state, and a state made of the hall. */
class HallStep {
  readonly #state: HallState;
  readonly #ctx: ChatContext;
  readonly #options: ChatOptions;
  readonly #hall: ChatHall;
  readonly #entries = new Map<string, ChatEntry[]>();

  constructor(options: ChatOptions, state: HallState, ctx: ChatContext) {
    this.#state = state;
    this.#ctx = ctx;
    this.#options = options;
    const port: HallPort = {
      now: ctx.now,
      send: (to, message) => ctx.send(to, message),
      entries: (to, room, from, until) => this.#send(to, room, from, until),
      append: (room, entry) => this.#append(room, entry),
      open: (name) => this.#open({ name, entries: [], last: [] }),
      dropped: () => {},
      explain: (rule, terms) => ctx.explain(rule, terms),
    };
    this.#hall = new ChatHall(options, ctx.incarnation, port);
    for (const room of state.rooms) this.#hall.rooms.set(room.name, this.#open(room));
    for (const each of state.members) this.#hall.members.set(each.id, { ...each });
  }

  message(from: ProcessId, message: ToHall): HallState {
    this.#hall.message(from, message);
    // Nothing less: what else comes may be old, and its sender not know that the server was gone.
    if (message.kind !== "join") return this.#next({});
    return this.#next({ missed: this.#state.missed.filter((id) => id !== from) });
  }

  beat(): HallState {
    this.#hall.beat();
    return this.#next({ beating: false }, true);
  }

  callBack(): HallState {
    return this.#next({}, true);
  }

  /** Asks those who may have been members whether they are there, as long as they do not answer. */
  #callBack(state: HallState): HallState {
    if (state.missed.length === 0) return state;
    if (state.calls >= this.#options.attemptsMax) return { ...state, missed: [] };
    for (const id of state.missed) this.#ctx.send(id, { kind: "rejoin", session: this.#ctx.incarnation });
    return { ...state, calls: state.calls + 1 };
  }

  #next(change: Partial<HallState>, calls = false): HallState {
    const rooms = [...this.#hall.rooms.values()].map(({ name, last }) => ({
      name,
      entries: this.#entries.get(name) ?? [],
      last: [...last],
    }));
    const changed: HallState = {
      ...this.#state,
      rooms,
      members: [...this.#hall.members.values()],
      ...change,
    };
    const next = calls ? this.#callBack(changed) : changed;
    const behind = next.members.some(({ room, acked }) => acked < (this.#hall.rooms.get(room)?.head ?? 0));
    if (next.beating || !(behind || next.missed.length > 0)) return next;
    this.#ctx.setTimer(BEAT, this.#options.heartbeat);
    return { ...next, beating: true };
  }

  #open({ name, entries, last }: RoomState): HallRoom {
    this.#entries.set(name, [...entries]);
    return { name, history: "kept", head: entries.length, last: new Map(last) };
  }

  #send(to: ProcessId, room: string, from: number, until: number): number {
    const end = Math.min(until, from + ENTRIES_MAX);
    const entries = (this.#entries.get(room) ?? []).slice(from, end);
    this.#ctx.send(to, { kind: "entries", from, entries });
    return end;
  }

  /** Durable in this very step: what a step saves is in effect before its messages leave. */
  #append(name: string, entry: ChatEntry): void {
    this.#entries.get(name)?.push(entry);
    this.#ctx.save(Object.fromEntries(this.#entries));
    const room = this.#hall.rooms.get(name);
    if (room !== undefined) this.#hall.appended(room, [entry]);
  }
}

/** A sentence for every rule of the two roles; the process itself is the subject. */
export const chatNarration: Readonly<Record<string, string>> = {
  "chat.join": "lets {name} into room {room}, from message {next} on; there are {head}",
  "chat.resume": "sends {name} the messages {messages}, which it lacks",
  "chat.turned-away": "turns {member} away: {reason}",
  "chat.leave": "sees {name} leave, {reason}",
  "chat.failed": "hears from {member} that it cannot connect: {reason}",
  "chat.busy": "leaves post {seq} of {member} for later: too much waits for the disk",
  "chat.append": "puts message {seq} of {name} into the history: {text}",
  "chat.repeat": "knows message {seq} of {name} already and does not take it twice",
  "chat.refuse": "refuses message {seq} of {name}: {reason}",
  "chat.early": "leaves {what} of {member} for later: one before it has not come",
  "chat.stale": "ignores {what} of {member}: it is of a time that is over",
  "chat.unjoined": "asks {member} to join again before its {what}",
  "chat.has": "learns that {name} has {messages}",
  "chat.resend": "sends {name} once more what got lost, {messages}",
  "chat.lost": "loses {messages} on the way to {name} (reception error)",
  "chat.switch": "switches the {error} error of {name} to {on}",
  "chat.gave-up": "takes {name} for gone: no answer to {attempts} heartbeats",
  "chat.restored": "goes on with the {messages} messages of room {room}",
  "chat.missing": "lacks {messages} and asks for it",
  "chat.has-it": "has {messages} already",
  "chat.rejoin": "joins again, from message {next} on",
  "chat.retry": "has no answer to its posts {posts} and sends them again, attempt {attempt}",
};
