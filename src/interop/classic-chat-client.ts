import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { parseDuration, SECOND } from "../core/index.js";
import type { ChatClient, ChatClientOptions, ChatError } from "../host/index.js";
import { textProblem } from "../protocols/index.js";
import { dialError, parseTcpAddress, TransportError } from "../transports/index.js";
import { BETWEEN_MESSAGES_MS, MessageJoiner } from "./classic-chat-text.js";

const DEADLINE = 30 * SECOND;
const POSTS_MAX = 256;
const AUTHOR = "self";

interface Post {
  readonly seq: number;
  readonly text: string;
  sent: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Joins a room of the published group chat: sends `nome=NAME`, then `msg=TEXT`, and shows what is relayed.
 *
 * The format acknowledges nothing; a message counts as posted when it comes back in the author's name, and is `unknown`
 * when the connection ends, or the time, before that. Nothing is sent twice, and nobody connects again, because the server
 * would not know the member. Rejects as `Transport.dial` does.
 */
export async function connectClassicChat(
  address: string,
  options: Omit<ChatClientOptions, "transports" | "room">,
): Promise<ChatClient> {
  const errors = new Set(options.errors);
  if (errors.has("connection")) {
    throw new TransportError("refused", `${address}: connection error (simulated by the client)`, {
      address,
    });
  }
  const { signal } = options;
  const socket = connect({ ...parseTcpAddress(address), noDelay: true });
  try {
    await once(socket, "connect", signal === undefined ? {} : { signal });
  } catch (cause) {
    socket.destroy();
    throw signal?.aborted === true ? cause : dialError(cause, address);
  }
  return new Client(socket, options, errors);
}

class Client implements ChatClient {
  readonly #socket: Socket;
  readonly #options: Omit<ChatClientOptions, "transports" | "room">;
  readonly #errors: Set<ChatError>;
  readonly #deadlineMs: number;
  #posts: Post[] = [];
  #seq = 0;
  #index = 0;
  #pause: NodeJS.Timeout | undefined;
  #over: string | undefined;

  constructor(
    socket: Socket,
    options: Omit<ChatClientOptions, "transports" | "room">,
    errors: Set<ChatError>,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#errors = errors;
    const { deadline = DEADLINE } = options;
    this.#deadlineMs = (typeof deadline === "string" ? parseDuration(deadline) : deadline) / 1000;
    const joiner = new MessageJoiner(
      /^msg=/,
      (message) => this.#take(message),
      (problem) => this.#end(`the server sent ${problem}`),
    );
    socket.on("data", (chunk: Buffer) => {
      for (const part of apart(chunk)) joiner.push(part);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      joiner.flush();
      joiner.stop();
      this.#end("the server closed the connection");
    });
    socket.write(`nome=${options.name}`);
    // A read of its own for the name.
    this.#pause = setTimeout(() => this.#write(), BETWEEN_MESSAGES_MS);
    queueMicrotask(() => options.onEvent({ kind: "joined", next: 0, head: 0 }));
  }

  get pending(): number {
    return this.#posts.length;
  }

  post(text: string): void {
    const { onEvent } = this.#options;
    const seq = ++this.#seq;
    onEvent({ kind: "posting", author: AUTHOR, seq, text });
    const problem =
      this.#over ??
      textProblem(text) ??
      (/[\r\n]/.test(text) ? "a message is one line" : undefined) ??
      (this.#errors.has("send") ? "send error (simulated by the author)" : undefined) ??
      (this.#posts.length >= POSTS_MAX ? `${POSTS_MAX} messages wait already` : undefined);
    if (problem !== undefined) return onEvent({ kind: "failed", author: AUTHOR, seq, reason: problem });
    const post: Post = { seq, text, sent: false, timer: undefined };
    post.timer = setTimeout(() => this.#settle(post, "its time ran out"), this.#deadlineMs);
    this.#posts.push(post);
    if (this.#pause === undefined) this.#write();
  }

  who(): void {
    this.#options.onEvent({ kind: "people", names: ["the classic format cannot say"] });
  }

  setError(error: ChatError, on: boolean): void {
    if (on) this.#errors.add(error);
    else this.#errors.delete(error);
    if (error === "connection" && on) this.#end("connection error (simulated by the client)");
  }

  async close(): Promise<void> {
    clearTimeout(this.#pause);
    this.#over ??= "the client is closed";
    for (const post of this.#posts) this.#settle(post, "the client was closed");
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, "close");
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), 1_000);
    await closed;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The next that has not been sent; one at a time, so that one read gives one. */
  #write(): void {
    this.#pause = undefined;
    const next = this.#posts.find(({ sent }) => !sent);
    if (next === undefined || this.#over !== undefined) return;
    next.sent = true;
    this.#socket.write(`msg=${next.text}`);
    this.#pause = setTimeout(() => this.#write(), BETWEEN_MESSAGES_MS);
  }

  #take(message: string): void {
    const { onEvent, name: own } = this.#options;
    const [, name = "", text = ""] = /^msg=([^=]*)=(.*)$/su.exec(message) ?? [];
    const index = ++this.#index;
    if (this.#errors.has("reception")) {
      onEvent({ kind: "missing", from: index - 1, to: index });
      return;
    }
    const mine = name === own ? this.#posts.find((post) => post.sent && post.text === text) : undefined;
    onEvent({
      kind: "message",
      index,
      own: mine !== undefined,
      entry: { author: name, seq: index, name, text, at: Date.now() },
    });
    if (mine === undefined) return;
    this.#forget(mine);
    onEvent({ kind: "posted", author: AUTHOR, seq: mine.seq });
  }

  #settle(post: Post, reason: string): void {
    this.#forget(post);
    const kind = post.sent ? "unknown" : "failed";
    this.#options.onEvent({ kind, author: AUTHOR, seq: post.seq, reason });
  }

  #forget(post: Post): void {
    clearTimeout(post.timer);
    this.#posts = this.#posts.filter((other) => other !== post);
  }

  #end(reason: string): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    clearTimeout(this.#pause);
    for (const post of this.#posts) this.#settle(post, reason);
    this.#options.onEvent({ kind: "turned-away", reason, again: false });
    this.#socket.destroy();
  }
}

/** Relayed messages that one read gave together; `msg=` with a name after it begins one. */
function apart(chunk: Buffer): Buffer[] {
  const text = chunk.toString("latin1");
  const parts = text.split(/(?=msg=[^=]{1,256}=)/);
  return parts.map((part) => Buffer.from(part, "latin1"));
}
