import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { LightconeError, parseDuration, type Duration } from "../core/index.js";
import {
  authorOf,
  chat,
  isToHall,
  textProblem,
  type ChatCommand,
  type ChatEntry,
  type ChatMessage,
  type ChatOutput,
  type ChatState,
} from "../protocols/index.js";
import { TransportError, type Connection, type Transport, type TransportTable } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { readToMember, sendChatFrame } from "./chat-frames.js";
import { CHAT_SERVICE, publicId } from "./chat-server.js";
import { ProtocolRunner } from "./protocol-runner.js";
import { GREETING_MS_MAX, readGreeting, sendGreeting, ServiceError, transportOf } from "./service-frames.js";

/** What happens in a chat, as its member sees it. */
export type ChatEvent =
  | ChatOutput
  /** Message `index` of the room, counted from 1; `own`: this very client wrote it. */
  | { readonly kind: "message"; readonly index: number; readonly own: boolean; readonly entry: ChatEntry }
  | { readonly kind: "disconnected"; readonly reason: string }
  | { readonly kind: "connected" };

export type ChatError = "connection" | "send" | "reception";

export interface ChatClientOptions {
  readonly name: string;
  /** Default `lobby`. */
  readonly room?: string;
  readonly transports: TransportTable;
  /** In order; called from outside any call of the client's own methods, except for `post`, whose events begin within it. */
  readonly onEvent: (event: ChatEvent) => void;
  /** When a post's author learns at the latest how it ended: `"30s"`, or microseconds. */
  readonly deadline?: string | Duration;
  /** Simulated from the start. */
  readonly errors?: readonly ChatError[];
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal;
}

/** One member of a room of a chat that is served elsewhere. */
export interface ChatClient extends AsyncDisposable {
  /** What becomes of it is told by events. */
  post(text: string): void;
  /** Asks who is there; the answer is an event. */
  who(): void;
  /** Simulates an error for this member alone; docs/protocols/chat.md says what each does. */
  setError(error: ChatError, on: boolean): void;
  /** Posts without an outcome. */
  readonly pending: number;
  /** Leaves the room and ends the connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects, joins, and connects again whenever the connection breaks; nothing is missed or seen twice.
 *
 * Rejects as `Transport.dial` does when the first attempt fails, and with `ServiceError` when no chat is served there.
 * Whether the room let it in is told by the events `joined` and `turned-away`.
 */
export async function connectChat(address: string, options: ChatClientOptions): Promise<ChatClient> {
  const client = new Client(transportOf(address, options.transports), address, options);
  await client.connect(options.signal);
  return client;
}

const SERVER = "server";
const DIAL_AGAIN_MS_MAX = 500;
const CONNECTION_ERROR = "connection error (simulated by the client)";

class Client implements ChatClient {
  readonly #transport: Transport;
  readonly #address: string;
  readonly #options: ChatClientOptions;
  readonly #key = randomUUID();
  readonly #id = publicId(this.#key);
  readonly #author = authorOf(this.#id, 0);
  readonly #closing = new AbortController();
  readonly #errors: Set<ChatError>;
  #runner: ProtocolRunner<ChatState, ChatMessage, ChatCommand, ChatOutput> | undefined;
  #connection: Connection | undefined;
  /** Why nothing can be sent, as long as that is so. */
  #failing: string | undefined;
  #dialling = false;
  /** For good. */
  #away = false;
  #pending = 0;

  constructor(transport: Transport, address: string, options: ChatClientOptions) {
    this.#transport = transport;
    this.#address = address;
    this.#options = options;
    this.#errors = new Set(options.errors);
  }

  get pending(): number {
    return this.#pending;
  }

  async connect(signal?: AbortSignal): Promise<void> {
    const signals =
      signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    await this.#dial(signals);
    const { name, room = "lobby", deadline } = this.#options;
    const time = typeof deadline === "string" ? parseDuration(deadline) : deadline;
    const settings = {
      server: SERVER,
      room,
      nameOf: () => name,
      // Without a connection its sends cost nothing; with one they are answered.
      attemptsMax: Number.MAX_SAFE_INTEGER,
      ...(time !== undefined && { deadline: time }),
    };
    if (this.#errors.has("connection")) await this.#failConnection();
    this.#runner = new ProtocolRunner(chat(settings), {
      self: this.#id,
      processes: [SERVER, this.#id],
      incarnation: 0,
      send: (_server, message) => this.#send(message),
      output: (output) => this.#learn(output),
      observe: (effect) => {
        if (effect.kind !== "deliver") return;
        // The member's half delivers entries, and nothing else.
        const entry = effect.message as ChatEntry;
        const own = entry.author === this.#author;
        this.#options.onEvent({ kind: "message", index: effect.sequence, own, entry });
      },
    });
    this.#repeatErrors();
  }

  post(text: string): void {
    const problem = this.#failing ?? textProblem(text);
    if (problem !== undefined) {
      const post = { author: this.#author, seq: 0 };
      this.#options.onEvent({ kind: "posting", ...post, text });
      this.#options.onEvent({ kind: "failed", ...post, reason: problem });
      return;
    }
    this.#runner?.command({ kind: "post", text });
  }

  who(): void {
    this.#runner?.command({ kind: "who" });
  }

  setError(error: ChatError, on: boolean): void {
    if (this.#errors.has(error) === on) return;
    if (on) this.#errors.add(error);
    else this.#errors.delete(error);
    if (error !== "connection") this.#runner?.command({ kind: "switch", error, on });
    else if (on) void this.#failConnection();
    else {
      this.#failing = undefined;
      void this.#dialAgain();
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (this.#connection !== undefined) this.#runner?.command({ kind: "leave" });
    this.#closing.abort(new Error("the client is closed"));
    this.#runner?.[Symbol.dispose]();
    this.#runner = undefined;
    await this.#connection?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #learn(output: ChatOutput): void {
    switch (output.kind) {
      case "posting":
        this.#pending++;
        break;
      case "posted":
      case "failed":
      case "unknown":
        this.#pending--;
        break;
      case "joined":
        this.#failing = undefined;
        break;
      case "turned-away":
        this.#failing = output.reason;
        this.#away = !output.again;
        break;
      default:
    }
    this.#options.onEvent(output);
  }

  /** Tells the server that there is none, and has none. */
  async #failConnection(): Promise<void> {
    this.#failing = CONNECTION_ERROR;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#options.onEvent({ kind: "disconnected", reason: CONNECTION_ERROR });
    if (connection === undefined) return;
    attempt(() => sendChatFrame(connection, { kind: "leave", reason: CONNECTION_ERROR, incarnation: 0 }));
    await connection.close();
  }

  /** Switches are of the connection's far end, which may be another one now. */
  #repeatErrors(): void {
    for (const error of this.#errors) {
      if (error !== "connection") this.#runner?.command({ kind: "switch", error, on: true });
    }
  }

  #send(message: ChatMessage): void {
    const connection = this.#connection;
    // Without a connection it is lost, and repeated once there is one.
    if (connection === undefined || !isToHall(message)) return;
    attempt(() => sendChatFrame(connection, message));
  }

  /** Connects and greets. */
  async #dial(signal: AbortSignal): Promise<void> {
    const connection = await this.#transport.dial(this.#address, { signal });
    let greeted: () => void = () => {};
    let failed: (error: LightconeError) => void = () => {};
    const greeting = new Promise<void>((resolve, reject) => {
      greeted = resolve;
      failed = reject;
    });
    const patience = setTimeout(() => connection.abort("the server did not greet"), GREETING_MS_MAX);
    let welcome = false;
    connection.receive((bytes, start, end) => {
      if (welcome) {
        this.#runner?.message(SERVER, readToMember(bytes, start, end));
        return;
      }
      const answer = readGreeting(bytes, start, end);
      if (answer.kind === "hello") throw new FrameError("protocol-error", "a server that greets first");
      if (answer.kind === "unwelcome") {
        failed(new ServiceError("unwelcome", `${this.#address}: ${answer.reason}`));
        return;
      }
      welcome = true;
      greeted();
    });
    void connection.closed.then(({ detail }) => {
      clearTimeout(patience);
      failed(new TransportError("closed", `${this.#address}: ${detail}`, { address: this.#address }));
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      if (this.#closing.signal.aborted) return;
      this.#options.onEvent({ kind: "disconnected", reason: detail });
      void this.#dialAgain();
    });
    sendGreeting(connection, { kind: "hello", service: CHAT_SERVICE, client: this.#key });
    await greeting;
    clearTimeout(patience);
    if (signal.aborted) {
      connection.abort("the client is closed");
      throw new TransportError("closed", "the client is closed");
    }
    this.#connection = connection;
  }

  async #dialAgain(): Promise<void> {
    if (this.#dialling) return;
    this.#dialling = true;
    const { signal } = this.#closing;
    const wanted = (): boolean => !signal.aborted && !this.#away && !this.#errors.has("connection");
    for (let ceiling = 10; wanted(); ceiling = Math.min(2 * ceiling, DIAL_AGAIN_MS_MAX)) {
      try {
        await this.#dial(signal);
        if (this.#errors.has("connection")) await this.#failConnection();
        else {
          this.#options.onEvent({ kind: "connected" });
          this.#runner?.command({ kind: "reconnect" });
          this.#repeatErrors();
        }
        break;
      } catch (error) {
        if (!(error instanceof LightconeError) && !signal.aborted) throw error;
        await pause(Math.random() * ceiling, signal);
      }
    }
    this.#dialling = false;
  }
}

function attempt(send: () => void): void {
  try {
    send();
  } catch (error) {
    // It broke; what was not sent is repeated over the next one.
    if (!(error instanceof TransportError)) throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const end = new AbortController();
  const timeout = setTimeout(() => end.abort(), ms);
  await once(AbortSignal.any([signal, end.signal]), "abort");
  clearTimeout(timeout);
}
