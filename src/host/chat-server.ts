import { createHash } from "node:crypto";
import {
  ChatHall,
  chatOptions,
  type ChatEntry,
  type ChatOptions,
  type HallErrors,
  type HallPort,
  type ToMember,
} from "../protocols/index.js";
import { TransportError, type Connection, type Listener, type TransportTable } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { ChatFolder } from "./chat-folder.js";
import { readToHall, sendChatFrame } from "./chat-frames.js";
import { ChatRoom } from "./chat-room.js";
import { messageOf, safeText } from "./errors.js";
import { GREETING_MS_MAX, readGreeting, sendGreeting, transportOf } from "./service-frames.js";

/** The service's name in greetings. */
export const CHAT_SERVICE = "chat";

/** A name is kept so long for whoever lost its connection. Milliseconds. */
export const NAME_KEPT_MS = 10_000;

export interface ChatServerOptions {
  /** `tcp://127.0.0.1:5050`; port 0 lets the system choose. */
  readonly at: string;
  readonly transports: TransportTable;
  /** The folder of the histories. Without it they last as long as the server. */
  readonly data?: string;
  /** Told, a line each, of connections and of what could not be written. Text from peers in it is escaped. */
  readonly log?: (line: string) => void;
  /** Told of every rule that was followed: `chatNarration` has the sentences. `remote`: whom it concerns, where from. */
  readonly explain?: (
    rule: string,
    terms: Readonly<Record<string, unknown>>,
    remote: string | undefined,
  ) => void;
  /** Windows and waits other than the usual ones. */
  readonly limits?: Partial<
    Pick<ChatOptions, "window" | "heartbeat" | "attemptsMax" | "membersMax" | "roomsMax">
  >;
}

export interface ChatServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: string;
  /** Messages of a room that are durable. */
  messages(room: string): number;
  /** The rooms there are, and who is in them. */
  rooms(): readonly {
    readonly room: string;
    readonly messages: number;
    readonly people: readonly string[];
  }[];
  /** The simulated errors for everybody. */
  readonly errors: Readonly<HallErrors>;
  setError(error: keyof HallErrors, on: boolean): void;
  /** Stops listening, lets what is being written get there, and ends every connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves rooms to many members at once, over whatever transport the address names.
 *
 * Messages are appended to a file and shown once they are there; each is encoded once, whoever gets it. At most a window
 * of messages is under way to a member; one that says for 30 s not that it reads them is cut off. Rejects as
 * `Transport.listen` does, with `UsageError` for a folder that will not do, and with `HistoryError`.
 */
export async function serveChat(options: ChatServerOptions): Promise<ChatServer> {
  const server = new Server(options);
  try {
    await server.open(options);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

interface Member {
  readonly connection: Connection;
  /** Reads from the file, or waits for the connection to have room. */
  waiting: boolean;
}

class Server implements ChatServer {
  readonly #log: (line: string) => void;
  readonly #options: ChatOptions;
  readonly #hall: ChatHall;
  readonly #members = new Map<string, Member>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #rooms = new Map<string, ChatRoom>();
  readonly #beat: NodeJS.Timeout;
  #folder: ChatFolder | undefined;
  #listener: Listener | undefined;
  #closing = false;

  constructor({ log = () => {}, explain = () => {}, limits = {} }: ChatServerOptions) {
    this.#log = log;
    this.#options = chatOptions({ server: "server", ...limits });
    const port: HallPort = {
      get now() {
        return Date.now();
      },
      send: (to, message) => this.#send(to, message),
      entries: (to, room, from, until) => this.#entries(to, room, from, until),
      busy: (room) => this.#rooms.get(room)?.busy === true,
      append: (room, entry) => this.#rooms.get(room)?.append(entry),
      open: (name) => this.#open(name),
      dropped: (id, reason) => this.#members.get(id)?.connection.abort(reason),
      explain: (rule, terms) => {
        const member = terms["member"];
        const of = typeof member === "string" ? this.#members.get(member) : undefined;
        explain(rule, terms, of?.connection.remote);
      },
    };
    // A later life of the server has a greater one.
    this.#hall = new ChatHall(this.#options, Date.now(), port);
    this.#beat = setInterval(() => {
      this.#hall.beat();
      this.#closeEmptyRooms();
    }, this.#options.heartbeat / 1000).unref();
  }

  get address(): string {
    return this.#listener?.address ?? "";
  }

  get errors(): Readonly<HallErrors> {
    return this.#hall.errors;
  }

  messages(room: string): number {
    return this.#rooms.get(room)?.head ?? 0;
  }

  rooms(): ReturnType<ChatServer["rooms"]> {
    return [...this.#rooms.values()].map(({ name, head }) => ({
      room: name,
      messages: head,
      people: this.#hall.people(name),
    }));
  }

  setError(error: keyof HallErrors, on: boolean): void {
    if (error === "connection") this.#hall.failConnections(on);
    else this.#hall.errors[error] = on;
  }

  async open({ at, transports, data }: ChatServerOptions): Promise<void> {
    const transport = transportOf(at, transports);
    if (data !== undefined) {
      this.#folder = ChatFolder.open(data);
      for (const history of await this.#folder.histories(this.#log)) {
        const room = new ChatRoom(history, this.#commits);
        this.#rooms.set(room.name, room);
        this.#hall.rooms.set(room.name, room);
        this.#log(`room ${safeText(room.name)} goes on with its ${room.head} messages`);
      }
    }
    const accept = (connection: Connection): void => this.#accept(connection);
    const onProblem = (problem: Error): void => this.#log(problem.message);
    this.#listener = await transport.listen(at, accept, { onProblem });
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#beat);
    for (const timeout of this.#leaving.values()) clearTimeout(timeout);
    this.#leaving.clear();
    // Before the connections end, so that authors learn of what is being written.
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
    await this.#listener?.close();
    this.#folder?.[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #commits = {
    appended: (room: ChatRoom, entries: readonly ChatEntry[]): void => this.#hall.appended(room, entries),
    notAppended: (room: ChatRoom, entries: readonly ChatEntry[], reason: string): void => {
      this.#log(
        `${entries.length} messages of room ${safeText(room.name)} were refused: ${safeText(reason)}`,
      );
      this.#hall.notAppended(room, entries, reason);
    },
  };

  #open(name: string): ChatRoom {
    const room = new ChatRoom({ name, path: this.#folder?.fileOf(name) }, this.#commits);
    this.#rooms.set(name, room);
    return room;
  }

  /** So that a thousand names that somebody made up do not use up the rooms. */
  #closeEmptyRooms(): void {
    if (2 * this.#rooms.size < this.#options.roomsMax) return;
    const used = new Set([...this.#hall.members.values()].map(({ room }) => room));
    for (const room of this.#rooms.values()) {
      if (used.has(room.name) || !room.isEmpty) continue;
      this.#rooms.delete(room.name);
      this.#hall.rooms.delete(room.name);
      void room.close();
    }
  }

  #accept(connection: Connection): void {
    let id: string | undefined;
    const patience = setTimeout(() => connection.abort("no greeting came"), GREETING_MS_MAX);
    this.#log(`connection from ${safeText(connection.remote)}`);
    connection.receive((bytes, start, end) => {
      if (this.#closing) return;
      if (id !== undefined) this.#hall.message(id, readToHall(bytes, start, end));
      else {
        id = this.#greet(connection, bytes, start, end);
        clearTimeout(patience);
      }
    });
    void connection.closed.then(({ code, detail }) => {
      clearTimeout(patience);
      if (code !== "closed") this.#log(`${safeText(connection.remote)}: ${safeText(detail)}`);
      if (id !== undefined && this.#members.get(id)?.connection === connection) {
        this.#left(id, code === "closed");
      }
    });
  }

  /** Gives the member's public name; the key that proves it is shown to nobody. */
  #greet(connection: Connection, bytes: Uint8Array, start: number, end: number): string | undefined {
    const greeting = readGreeting(bytes, start, end);
    if (greeting.kind !== "hello" || !/^[A-Za-z0-9-]{8,64}$/.test(greeting.client)) {
      throw new FrameError("protocol-error", "a greeting that no client sends");
    }
    const { client, service } = greeting;
    if (service !== CHAT_SERVICE || this.#members.size >= this.#options.membersMax) {
      const reason =
        service === CHAT_SERVICE
          ? `the server has ${this.#options.membersMax} members, its limit`
          : `here is the service ${CHAT_SERVICE}`;
      sendGreeting(connection, { kind: "unwelcome", reason });
      void connection.close();
      return undefined;
    }
    const id = publicId(client);
    // The client knows better than we whether its former connection is still of use.
    this.#members.get(id)?.connection.abort("its member connected again");
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
    this.#members.set(id, { connection, waiting: false });
    sendGreeting(connection, { kind: "welcome", mode: "exactly-once", server: 0, methods: [] });
    return id;
  }

  #left(id: string, inOrder: boolean): void {
    this.#members.delete(id);
    if (this.#closing) return;
    if (inOrder) {
      this.#hall.members.delete(id);
      return;
    }
    const timeout = setTimeout(() => {
      this.#leaving.delete(id);
      this.#hall.members.delete(id);
    }, NAME_KEPT_MS);
    this.#leaving.set(id, timeout.unref());
  }

  #send(id: string, message: ToMember): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    attempt(() => {
      if (!sendChatFrame(member.connection, message)) this.#waitForRoom(id, member);
    });
  }

  #entries(id: string, roomName: string, from: number, to: number): number {
    const member = this.#members.get(id);
    const room = this.#rooms.get(roomName);
    if (member === undefined || room === undefined || member.waiting) return from;
    const recent = room.recent(from);
    if (recent === undefined) {
      void this.#fromFile(id, member, room, from, to);
      return from;
    }
    const { frame } = recent;
    this.#deliver(
      id,
      member,
      ({ connection }) => connection.sendShared?.(frame) ?? connection.send(frame.bytes),
    );
    return recent.to;
  }

  async #fromFile(id: string, member: Member, room: ChatRoom, from: number, to: number): Promise<void> {
    member.waiting = true;
    try {
      const read = await room.read(from, to);
      member.waiting = false;
      const inRoom = this.#hall.members.get(id);
      if (inRoom === undefined || this.#members.get(id) !== member || this.#closing) return;
      // It may have joined again meanwhile, elsewhere or from another message on.
      if (inRoom.room === room.name && inRoom.sent === from && read.to > from) {
        this.#deliver(id, member, ({ connection }) => connection.send(read.frame));
        inRoom.sent = read.to;
      }
      this.#hall.pump(inRoom);
    } catch (error) {
      if (this.#closing) return;
      this.#log(`room ${safeText(room.name)} cannot be read: ${safeText(messageOf(error))}`);
      member.connection.abort("the room's history cannot be read");
    }
  }

  #deliver(id: string, member: Member, send: (member: Member) => boolean): void {
    attempt(() => {
      if (!send(member)) this.#waitForRoom(id, member);
    });
  }

  #waitForRoom(id: string, member: Member): void {
    if (member.waiting) return;
    member.waiting = true;
    void member.connection.drained().then(() => {
      member.waiting = false;
      const inRoom = this.#hall.members.get(id);
      if (inRoom !== undefined && this.#members.get(id) === member) this.#hall.pump(inRoom);
    });
  }
}

/** A connection that has ended takes nothing; whoever was there joins again. */
function attempt(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
}

/** What others know a member by: nobody can tell from it the key by which the member comes back. */
export function publicId(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 22);
}
