import type { ProcessId } from "../../core/index.js";
import type { ToHall, ToMember } from "./chat-messages.js";
import type { ChatOptions } from "./chat-options.js";
import { authorOf, chatName, decidePost, nameKey, noteAuthor, type ChatEntry } from "./chat-rules.js";

/** What a hall needs of whoever keeps its histories and reaches its members. */
export interface HallPort {
  /** The server's clock. */
  readonly now: number;
  send(to: ProcessId, message: ToMember): void;
  /**
   * Sends messages of a room from index `from` to about `to`; gives the index after the last one sent. `from` itself:
   * not now; {@link ChatHall.pump} is called when it can.
   */
  entries(member: ProcessId, room: string, from: number, to: number): number;
  /** Whether so much waits to be made durable that a post must come again later. Absent: never. */
  busy?(room: string): boolean;
  /** Makes it the next of its room's history; {@link ChatHall.appended} when it will survive a crash. */
  append(room: string, entry: ChatEntry): void;
  /** A room nobody has been in: reads its history. */
  open(room: string): HallRoom;
  /** The member is taken for gone. */
  dropped(member: ProcessId, reason: string): void;
  explain(rule: string, terms: Readonly<Record<string, unknown>>): void;
}

/** A room's history, but for the messages themselves. */
export interface HallRoom {
  readonly name: string;
  /** Tells this history from another of a room of that name. */
  readonly history: string;
  /** Messages that are durable. */
  head: number;
  /** The number of each author's last post that is durable, in the order in which they wrote. */
  readonly last: Map<string, number>;
}

/** Somebody in a room. Mutable: the hall's own. */
export interface HallMember {
  readonly id: ProcessId;
  readonly incarnation: number;
  readonly room: string;
  readonly name: string;
  /** See {@link nameKey}. */
  readonly key: string;
  /** Index after the last message sent to it, and after the last it says it has. */
  sent: number;
  acked: number;
  accepted: number;
  floor: number;
  refused: { readonly seq: number; readonly reason: string } | undefined;
  /** Heartbeats it has not answered; whether it has said anything since the last one. */
  beats: number;
  heard: boolean;
  sendError: boolean;
  receptionError: boolean;
  /** What reception errors have swallowed and was told of, up to this index. */
  lost: number;
}

/** Simulated errors for everybody. */
export interface HallErrors {
  connection: boolean;
  send: boolean;
  reception: boolean;
}

/**
 * The server's half of the chat: who is in which room under which name, which posts become part of the history, and
 * what is due to whom.
 *
 * Mutable, unlike a protocol's state, so that a real server can have a thousand members; it does no I/O. A post is
 * answered and shown to anybody only after `appended`: nothing that anyone has seen can be lost.
 */
export class ChatHall {
  readonly rooms = new Map<string, HallRoom>();
  readonly members = new Map<ProcessId, HallMember>();
  readonly errors: HallErrors = { connection: false, send: false, reception: false };
  readonly session: number;
  readonly #options: ChatOptions;
  readonly #port: HallPort;
  /** Handed to the port and not durable yet. */
  readonly #pending = new Map<string, Map<string, number>>();

  constructor(options: ChatOptions, session: number, port: HallPort) {
    this.#options = options;
    this.session = session;
    this.#port = port;
  }

  message(from: ProcessId, message: ToHall): void {
    const member = this.members.get(from);
    if (member !== undefined && message.incarnation < member.incarnation) {
      this.#port.explain("chat.stale", { member: from, what: message.kind });
      return;
    }
    if (member !== undefined) {
      member.heard = true;
      member.beats = 0;
    }
    if (message.kind === "join") return this.#join(from, message);
    if (member === undefined || message.incarnation !== member.incarnation)
      return this.#stranger(from, message);
    switch (message.kind) {
      case "post":
        if (message.session !== this.session) return this.#stranger(from, message);
        return this.#post(member, message);
      case "have":
        if (message.session !== this.session) return this.#stranger(from, message);
        return this.#have(member, message);
      case "switch":
        this.#port.explain("chat.switch", {
          member: from,
          name: member.name,
          error: message.error,
          on: message.on,
        });
        if (message.error === "send") member.sendError = message.on;
        else member.receptionError = message.on;
        return;
      case "who":
        this.#port.send(from, { kind: "people", names: this.people(member.room) });
        return;
      case "leave":
        this.#port.explain("chat.leave", {
          member: from,
          name: member.name,
          reason: message.reason ?? "of its own accord",
        });
        this.members.delete(from);
        return;
    }
  }

  /** The switch of the connection error for everybody: whoever is in is told so and put out, and may come back later. */
  failConnections(on: boolean): void {
    this.errors.connection = on;
    if (!on) return;
    const reason = "connection error (simulated by the server)";
    for (const { id, incarnation } of this.members.values()) {
      this.#port.explain("chat.turned-away", { member: id, reason });
      this.#port.send(id, { kind: "turned-away", reason, again: true, incarnation });
    }
    this.members.clear();
  }

  /** The names of those in a room, in the order in which they came. */
  people(room: string): readonly string[] {
    return [...this.members.values()].filter((each) => each.room === room).map(({ name }) => name);
  }

  /** The entry is durable: its author learns so, and everybody gets it. */
  appended(room: HallRoom, entries: readonly ChatEntry[]): void {
    room.head += entries.length;
    const pending = this.#pending.get(room.name);
    for (const { author, seq } of entries) {
      noteAuthor(room.last, author, seq);
      if (pending?.get(author) === seq) pending.delete(author);
    }
    this.#tellAuthors(room, entries, (member, { seq }) => {
      this.#port.send(member.id, { kind: "posted", seq, incarnation: member.incarnation });
    });
    for (const member of this.members.values()) if (member.room === room.name) this.pump(member);
  }

  /** None of these is, or will be, in the history. */
  notAppended(room: HallRoom, entries: readonly ChatEntry[], reason: string): void {
    this.#pending.delete(room.name);
    this.#tellAuthors(room, entries, (member, { author, seq }) => {
      member.accepted = Math.min(member.accepted, Math.max(room.last.get(author) ?? 0, member.floor - 1));
      // The first of them only: the others come again, once their author has learned of this one.
      if (member.refused === undefined) this.#refuse(member, seq, reason);
    });
  }

  /** Sends a member what is due to it, as far as the window and the port allow. */
  pump(member: HallMember): void {
    const head = this.rooms.get(member.room)?.head ?? 0;
    while (member.sent < head && member.sent - member.acked < this.#options.window) {
      const from = member.sent;
      const swallowed = member.receptionError || this.errors.reception;
      const to = Math.min(head, member.acked + this.#options.window);
      if (swallowed) {
        member.sent = to;
        if (to > member.lost) {
          this.#port.explain("chat.lost", {
            member: member.id,
            name: member.name,
            messages: span(Math.max(from, member.lost), to),
          });
          member.lost = to;
        }
        continue;
      }
      member.sent = this.#port.entries(member.id, member.room, from, to);
      if (member.sent === from) return;
    }
  }

  /** Once every `heartbeat`: asks those who are behind and silent what they have. `false`: everybody has everything. */
  beat(): boolean {
    let behind = false;
    for (const member of this.members.values()) {
      const head = this.rooms.get(member.room)?.head ?? 0;
      if (member.acked >= head) continue;
      behind = true;
      if (member.heard) {
        member.heard = false;
        continue;
      }
      if (++member.beats > this.#options.attemptsMax) {
        const { id, name } = member;
        this.#port.explain("chat.gave-up", { member: id, name, attempts: this.#options.attemptsMax });
        this.members.delete(id);
        this.#port.dropped(id, "it has not said for too long that it reads its messages");
        continue;
      }
      this.#port.send(member.id, { kind: "head", head });
    }
    return behind;
  }

  #join(from: ProcessId, join: Extract<ToHall, { kind: "join" }>): void {
    const { incarnation, next, oldest, history } = join;
    const away = (reason: string, again = false): void => {
      this.#port.explain("chat.turned-away", { member: from, reason });
      this.#port.send(from, { kind: "turned-away", reason, again, incarnation });
    };
    if (this.errors.connection) return away("connection error (simulated by the server)", true);
    const named = chatName("name", join.name);
    if (named.kind === "refused") return away(named.reason);
    const roomNamed = chatName("room's name", join.room);
    if (roomNamed.kind === "refused") return away(roomNamed.reason);
    const { name } = named;
    const known = this.members.get(from);
    if (known === undefined && this.members.size >= this.#options.membersMax) {
      return away(`the server has ${this.#options.membersMax} members, its limit`);
    }
    const room = this.#room(roomNamed.name);
    if (room === undefined) return away(`the server has ${this.#options.roomsMax} rooms, its limit`);
    const key = nameKey(name);
    for (const other of this.members.values()) {
      if (other.key === key && other.room === room.name && other.id !== from) {
        return away(`somebody called ${other.name} is in room ${room.name} already; take another name`);
      }
    }
    if (next > room.head || (next > 0 && history !== undefined && history !== room.history)) {
      return away(`room ${room.name} has another history than the one known so far; join it anew`);
    }
    const author = authorOf(from, incarnation);
    const taken = Math.max(
      room.last.get(author) ?? 0,
      this.#pending.get(room.name)?.get(author) ?? 0,
      oldest - 1,
    );
    const same = known?.incarnation === incarnation && known.room === room.name ? known : undefined;
    const member: HallMember = {
      id: from,
      incarnation,
      room: room.name,
      name,
      key,
      sent: next,
      acked: next,
      accepted: Math.max(taken, same?.accepted ?? 0),
      floor: Math.max(oldest, same?.floor ?? 0),
      refused: same?.refused,
      beats: 0,
      heard: true,
      sendError: same?.sendError ?? false,
      receptionError: same?.receptionError ?? false,
      lost: same?.lost ?? 0,
    };
    this.members.set(from, member);
    this.#port.explain("chat.join", { member: from, name, room: room.name, next: next + 1, head: room.head });
    if (next < room.head)
      this.#port.explain("chat.resume", { member: from, name, messages: span(next, room.head) });
    this.#port.send(from, {
      kind: "joined",
      session: this.session,
      incarnation,
      head: room.head,
      history: room.history,
    });
    this.pump(member);
  }

  #room(name: string): HallRoom | undefined {
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    if (this.rooms.size >= this.#options.roomsMax) return undefined;
    const opened = this.#port.open(name);
    this.rooms.set(name, opened);
    return opened;
  }

  /** Whoever is not in a room cannot say anything there. */
  #stranger(from: ProcessId, message: ToHall): void {
    const { kind } = message;
    if (kind === "leave") {
      if (message.reason !== undefined) {
        this.#port.explain("chat.failed", { member: from, reason: message.reason });
      }
      return;
    }
    this.#port.explain("chat.unjoined", { member: from, what: kind });
    this.#port.send(from, { kind: "rejoin", session: this.session });
  }

  #post(member: HallMember, post: Extract<ToHall, { kind: "post" }>): void {
    const { seq, text, oldest } = post;
    const { id, incarnation, name } = member;
    const room = this.#room(member.room);
    if (room === undefined) return;
    const author = authorOf(id, incarnation);
    if (oldest > member.floor) member.floor = oldest;
    if (member.refused !== undefined && member.refused.seq < member.floor) member.refused = undefined;
    const decision = decidePost(member, post);
    switch (decision.kind) {
      case "append": {
        if (this.errors.send || member.sendError) {
          const whose = this.errors.send ? "server" : "author";
          return this.#refuse(member, seq, `send error (simulated by the ${whose})`);
        }
        if (this.#port.busy?.(room.name) === true) {
          this.#port.explain("chat.busy", { member: id, seq });
          return;
        }
        member.accepted = seq;
        this.#pendingOf(room.name).set(author, seq);
        this.#port.explain("chat.append", { member: id, name, seq, text: text.slice(0, 80) });
        this.#port.append(room.name, { author, seq, name, text, at: this.#port.now });
        return;
      }
      case "repeat":
        this.#port.explain("chat.repeat", { member: id, name, seq });
        // Unless it is still on its way to the disk: then the answer follows by itself.
        if (seq <= (room.last.get(author) ?? 0)) this.#port.send(id, { kind: "posted", seq, incarnation });
        return;
      case "refuse":
        return this.#refuse(member, seq, decision.reason);
      case "early":
      case "stale":
        this.#port.explain(`chat.${decision.kind}`, { member: id, what: `post ${seq}` });
        return;
    }
  }

  #refuse(member: HallMember, seq: number, reason: string): void {
    member.refused = { seq, reason };
    this.#port.explain("chat.refuse", { member: member.id, name: member.name, seq, reason });
    this.#port.send(member.id, { kind: "refused", seq, reason, incarnation: member.incarnation });
  }

  #have(member: HallMember, { next, missing }: Extract<ToHall, { kind: "have" }>): void {
    // Older than what it has said since, or about messages that there are not.
    if (next < member.acked || next > (this.rooms.get(member.room)?.head ?? 0)) return;
    if (next > member.acked) {
      this.#port.explain("chat.has", {
        member: member.id,
        name: member.name,
        messages: span(member.acked, next),
      });
    }
    member.acked = next;
    if (member.sent < next) member.sent = next;
    if (missing && next < member.sent) {
      this.#port.explain("chat.resend", {
        member: member.id,
        name: member.name,
        messages: span(next, member.sent),
      });
      member.sent = next;
    }
    this.pump(member);
  }

  #tellAuthors(
    room: HallRoom,
    entries: readonly ChatEntry[],
    tell: (member: HallMember, entry: ChatEntry) => void,
  ): void {
    for (const entry of entries) {
      // The author's name for itself begins with its id; whoever came back in another incarnation is somebody else.
      const at = entry.author.lastIndexOf("@");
      const member = this.members.get(entry.author) ?? this.members.get(entry.author.slice(0, at));
      if (member === undefined || member.room !== room.name) continue;
      if (authorOf(member.id, member.incarnation) === entry.author) tell(member, entry);
    }
  }

  #pendingOf(room: string): Map<string, number> {
    let pending = this.#pending.get(room);
    if (pending === undefined) this.#pending.set(room, (pending = new Map()));
    return pending;
  }
}

/** Messages from index `from` to before `to`, as people count them: `5`, or `5..9`. */
function span(from: number, to: number): string {
  return to === from + 1 ? `${to}` : `${from + 1}..${to}`;
}
