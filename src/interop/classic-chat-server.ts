import { escapeText } from "../core/index.js";
import { connectChat, type ChatClient, type ChatEvent } from "../host/index.js";
import type { TransportTable } from "../transports/index.js";
import { BETWEEN_HISTORY_MS, BETWEEN_MESSAGES_MS, MessageJoiner } from "./classic-chat-text.js";
import { quote, type ClassicLimits, type ClassicServer } from "./classic-format.js";
import { endWith, listenClassic, type ClassicCaller } from "./classic-listener.js";

/** Messages that wait for one client; of a longer history the latest, and whoever falls behind later is cut off. */
export const CLASSIC_BACKLOG_MAX = 10_000;

// What the server itself says is said in this name; nobody else may take it.
const SERVER_NAME = "server";

export interface ClassicChatOptions {
  /** `tcp://127.0.0.1:5050`. */
  readonly at: string;
  /** Where the chat itself is served; its members with frames are in the same room. */
  readonly to: string;
  readonly transports: TransportTable;
  /** Default `lobby`. */
  readonly room?: string;
  /** A line for each connection, message, delivery and client that broke the rules. */
  readonly log: (line: string) => void;
  readonly limits?: Partial<ClassicLimits>;
}

/**
 * Lets clients of the published group chat into a room: `nome=NAME`, then `msg=TEXT`; everybody gets `msg=NAME=TEXT`.
 *
 * Each of them is a member like any other, so the order, the history and the simulated errors are the room's. Whoever
 * joins gets all earlier messages first, 0.2 s apart. What goes wrong is said in the name `server`, as the format has no
 * other words.
 */
export function serveClassicChat(options: ClassicChatOptions): Promise<ClassicServer> {
  const { at, log, limits } = options;
  return listenClassic({
    at,
    log,
    text: true,
    take: (caller) => new Guest(caller, options),
    ...(limits !== undefined && { limits }),
  });
}

class Guest {
  readonly #caller: ClassicCaller;
  readonly #options: ClassicChatOptions;
  readonly #joiner: MessageJoiner;
  readonly #patience: NodeJS.Timeout;
  #client: ChatClient | undefined;
  #registered = false;
  /** Posted before the room was entered. */
  #early: string[] = [];
  /** Messages not written yet, oldest first. */
  #waiting: { readonly index: number; readonly text: string }[] = [];
  /** What was there when it joined. */
  #history = 0;
  #leftOut = 0;
  #pause: NodeJS.Timeout | undefined;
  readonly #said = new Map<number, string>();
  #joined = false;
  /** The last message it was handed; its own posts that it has not. */
  #shown = 0;
  #owed = 0;
  /** The client's side of the connection. */
  #ended = false;
  #over = false;

  constructor(caller: ClassicCaller, options: ClassicChatOptions) {
    this.#caller = caller;
    this.#options = options;
    const { socket, remote, limits } = caller;
    caller.log(`connection from ${remote}`);
    this.#joiner = new MessageJoiner(
      /^(?:nome|msg)=/,
      (message) => this.#take(message),
      (problem) => this.#refuse(problem),
    );
    this.#patience = setTimeout(() => this.#refuse("no nome=NAME in time"), limits.requestMsMax);
    socket.on("data", (chunk: Buffer) => this.#joiner.push(chunk));
    socket.on("end", () => {
      this.#joiner.flush();
      this.#ended = true;
      this.#endWhenDone();
    });
    socket.on("close", () => void this.#leave());
  }

  #take(message: string): void {
    if (message.startsWith("nome=")) {
      if (this.#registered) return this.#refuse("a second name");
      this.#registered = true;
      clearTimeout(this.#patience);
      void this.#register(message.slice("nome=".length));
      return;
    }
    if (!this.#registered) return this.#refuse("a message before the name");
    const text = message.slice("msg=".length);
    if (this.#client !== undefined) return this.#client.post(text);
    this.#early.push(text);
    if (this.#early.length > 100) this.#refuse("more than 100 messages before it was let in");
  }

  async #register(name: string): Promise<void> {
    const { to, transports, room } = this.#options;
    const { remote, log } = this.#caller;
    if (name.trim().toLowerCase() === SERVER_NAME)
      return this.#refuse(`the name ${SERVER_NAME}, which is ours`);
    log(`${remote}: registers as ${quote(name)}`);
    try {
      const client = await connectChat(to, {
        name,
        transports,
        ...(room !== undefined && { room }),
        onEvent: (event) => this.#hear(event),
      });
      if (this.#over) return await client.close();
      this.#client = client;
      for (const text of this.#early.splice(0)) client.post(text);
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #hear(event: ChatEvent): void {
    const { log, remote, served } = this.#caller;
    switch (event.kind) {
      case "joined":
        this.#history = event.head;
        this.#joined = true;
        this.#endWhenDone();
        return;
      case "message": {
        const { name, text } = event.entry;
        this.#shown = event.index;
        if (event.own) this.#owed--;
        return this.#queue(event.index, `msg=${escapeText(name)}=${escapeText(text)}`);
      }
      case "posting":
        this.#said.set(event.seq, event.text);
        this.#owed++;
        return;
      case "posted":
        served();
        this.#said.delete(event.seq);
        this.#endWhenDone();
        return;
      case "failed":
      case "unknown": {
        const text = this.#said.get(event.seq) ?? "";
        this.#said.delete(event.seq);
        this.#owed--;
        const what = event.kind === "failed" ? "not sent" : "unknown whether sent";
        log(`${remote}: ${what}: ${quote(text)}: ${event.reason}`);
        return this.#queue(0, `msg=${SERVER_NAME}=${what}: ${quote(text)}: ${escapeText(event.reason)}`);
      }
      case "turned-away":
        return this.#refuse(event.reason);
      default:
    }
  }

  #queue(index: number, text: string): void {
    if (this.#over) return;
    if (this.#waiting.length >= CLASSIC_BACKLOG_MAX) {
      if (index > this.#history) return this.#refuse(`${CLASSIC_BACKLOG_MAX} messages behind`);
      this.#waiting.shift();
      this.#leftOut++;
    }
    this.#waiting.push({ index, text });
    if (this.#pause === undefined) this.#write();
  }

  /** One, and the next after a pause: what is written together is read together. */
  #write(): void {
    this.#pause = undefined;
    const { socket, remote, limits, log } = this.#caller;
    if (this.#over) return;
    const next = this.#waiting.shift();
    if (next === undefined) return this.#endWhenDone();
    if (this.#leftOut > 0) {
      log(`${remote}: ${this.#leftOut} earlier messages left out`);
      this.#leftOut = 0;
    }
    if (next.index > 0) log(`${remote}: gets message ${next.index}`);
    const pause = next.index > 0 && next.index <= this.#history ? BETWEEN_HISTORY_MS : BETWEEN_MESSAGES_MS;
    const goOn = (): void => {
      this.#pause = setTimeout(() => this.#write(), pause);
    };
    if (socket.write(next.text)) return goOn();
    // It does not read: nothing more until it does, and not for ever.
    this.#pause = setTimeout(() => this.#refuse("it does not read its messages"), limits.replyMsMax);
    socket.once("drain", () => {
      clearTimeout(this.#pause);
      goOn();
    });
  }

  /** It will say no more, though it may still read: it gets what is there, as in `printf … | nc`. */
  #endWhenDone(): void {
    if (!this.#ended) return;
    const quiet = this.#waiting.length === 0 && this.#pause === undefined && this.#early.length === 0;
    const done =
      this.#joined && this.#client !== undefined && this.#shown >= this.#history && this.#owed <= 0;
    if (!this.#registered || (quiet && done)) this.#end("");
  }

  /** Tells the client why, and ends. One line. */
  #refuse(problem: string): void {
    if (this.#over) return;
    this.#caller.log(`${this.#caller.remote}: cut off: ${problem}`);
    this.#end(`msg=${SERVER_NAME}=error: ${escapeText(problem)}`);
  }

  #end(last: string): void {
    if (this.#over) return;
    void this.#leave();
    endWith(this.#caller.socket, last);
  }

  async #leave(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#joiner.stop();
    clearTimeout(this.#patience);
    clearTimeout(this.#pause);
    this.#waiting = [];
    await this.#client?.close();
  }
}
