import { MILLISECOND, type Plain } from "../core/index.js";
import {
  requestReply,
  withoutClient,
  type CallMode,
  type CallOutput,
  type RequestReplyMessage,
  type RequestReplyState,
  type Service,
} from "../protocols/index.js";
import { type Connection, type Listener, type TransportTable } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { ProtocolRunner } from "./protocol-runner.js";
import {
  GREETING_MS_MAX,
  readGreeting,
  readToServer,
  SERVICE_WINDOW,
  sendFrame,
  transportOf,
} from "./service-frames.js";
import type { Store } from "./store.js";

/** Clients that are connected, or were in the last {@link FORGET_AFTER_MS}. One more is turned away. */
export const SERVICE_CLIENTS_MAX = 10_000;

/** Replies to a client that has gone are kept that long, in case it comes back; longer than any deadline of ours. */
export const FORGET_AFTER_MS = 10 * 60 * 1000;

export interface ServeOptions {
  /** `tcp://127.0.0.1:65432`; port 0 lets the system choose. */
  readonly at: string;
  readonly transports: TransportTable;
  /** Keeps effects and replies through restarts: mode exactly-once. Without it: at-most-once. */
  readonly store?: Store;
  /** Told, a line each, of connections that failed and of what could not be kept. */
  readonly log?: (line: string) => void;
}

export interface ServiceServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: string;
  readonly mode: CallMode;
  /** Calls that have had their effect since the start. */
  readonly executed: number;
  /** Stops listening and ends every connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves a service to many clients at once, over whatever transport the address names.
 *
 * A client whose replies pile up beyond its connection's high-water mark is cut off; it may come back, and gets them.
 * Rejects as `Transport.listen` does.
 */
export async function serve<State>(service: Service<State>, options: ServeOptions): Promise<ServiceServer> {
  const server = new Server(service, options);
  await server.listen(options);
  return server;
}

const SERVER = "server";

class Server<State> implements ServiceServer {
  readonly mode: CallMode;
  executed = 0;
  readonly #service: Service<State>;
  readonly #log: (line: string) => void;
  readonly #connections = new Map<string, Connection>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #runner: ProtocolRunner<RequestReplyState<State>, RequestReplyMessage, never, CallOutput>;
  #listener: Listener | undefined;

  constructor(service: Service<State>, { store, log = () => {} }: ServeOptions) {
    this.mode = store === undefined ? "at-most-once" : "exactly-once";
    this.#service = service;
    this.#log = log;
    const kept = store?.load();
    this.#runner = new ProtocolRunner(
      requestReply(service, { server: SERVER, mode: this.mode, window: SERVICE_WINDOW }),
      {
        self: SERVER,
        processes: [SERVER],
        // Without a store nothing counts the incarnations; a later one has a greater time.
        incarnation: store === undefined ? Date.now() : 0,
        send: (to, message) => this.#send(to, message),
        output: (output) => {
          if (output.kind === "executed") this.executed++;
        },
        save: (saved) => store === undefined || this.#keep(store, saved),
      },
      kept === undefined ? undefined : (JSON.parse(kept) as Plain),
    );
    // Clients of a predecessor have until then to come back, like others that have gone.
    this.#runner.change((state) => {
      if (state.role === "server") for (const client of Object.keys(state.clients)) this.#left(client);
      return state;
    });
  }

  get address(): string {
    return this.#listener?.address ?? "";
  }

  async listen({ at, transports }: ServeOptions): Promise<void> {
    const accept = (connection: Connection): void => this.#accept(connection);
    const onProblem = (problem: Error): void => this.#log(problem.message);
    this.#listener = await transportOf(at, transports).listen(at, accept, { onProblem });
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    for (const timeout of this.#leaving.values()) clearTimeout(timeout);
    this.#leaving.clear();
    this.#runner[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(connection: Connection): void {
    let client: string | undefined;
    const patience = setTimeout(() => connection.abort("no greeting came"), GREETING_MS_MAX);
    connection.receive((bytes, start, end) => {
      if (client !== undefined) this.#runner.message(client, readToServer(bytes, start, end));
      else {
        client = this.#greet(connection, bytes, start, end);
        clearTimeout(patience);
      }
    });
    void connection.closed.then(({ code, detail }) => {
      clearTimeout(patience);
      if (code !== "closed" && code !== "reset") this.#log(`${connection.remote}: ${detail}`);
      if (client !== undefined && this.#connections.get(client) === connection) this.#left(client);
    });
  }

  #greet(connection: Connection, bytes: Uint8Array, start: number, end: number): string | undefined {
    const greeting = readGreeting(bytes, start, end);
    if (greeting.kind !== "hello" || !/^[A-Za-z0-9-]{8,64}$/.test(greeting.client)) {
      throw new FrameError("protocol-error", "a greeting that no client sends");
    }
    const { client, service } = greeting;
    const known = this.#connections.has(client) || this.#leaving.has(client);
    const reason =
      service !== this.#service.name
        ? `here is the service ${this.#service.name}`
        : !known && this.#connections.size + this.#leaving.size >= SERVICE_CLIENTS_MAX
          ? `the server has ${SERVICE_CLIENTS_MAX} clients, its limit`
          : undefined;
    if (reason !== undefined) {
      sendFrame(connection, { kind: "unwelcome", reason });
      void connection.close();
      return undefined;
    }
    // The client knows better than we whether its former connection is still of use.
    this.#connections.get(client)?.abort("its client connected again");
    clearTimeout(this.#leaving.get(client));
    this.#leaving.delete(client);
    this.#connections.set(client, connection);
    sendFrame(connection, { kind: "welcome", mode: this.mode });
    return client;
  }

  #left(client: string): void {
    this.#connections.delete(client);
    const timeout = setTimeout(() => {
      this.#leaving.delete(client);
      this.#runner.change((state) => (state.role === "server" ? withoutClient(state, client) : state));
    }, FORGET_AFTER_MS);
    timeout.unref();
    this.#leaving.set(client, timeout);
  }

  #send(client: string, message: RequestReplyMessage): void {
    const connection = this.#connections.get(client);
    // It has gone; if it comes back, it asks again.
    if (connection === undefined || !isToClient(message)) return;
    if (!sendFrame(connection, message)) {
      this.#log(`${connection.remote}: cut off, for it does not read its replies`);
      connection.abort("the client does not read its replies");
    }
  }

  #keep(store: Store, saved: unknown): boolean {
    const problem = store.prepare(JSON.stringify(saved));
    if (problem === undefined) {
      store.commit();
      return true;
    }
    this.#log(`a call was not run, for its effect could not be kept: ${problem}`);
    return false;
  }
}

function isToClient(
  message: RequestReplyMessage,
): message is Extract<RequestReplyMessage, { kind: "bound" | "received" | "reply" | "refused" }> {
  return message.kind !== "bind" && message.kind !== "request" && message.kind !== "cancel";
}

/** A deadline beyond this could outlive the replies that are kept for it. Microseconds. */
export const SERVICE_DEADLINE_MAX = (FORGET_AFTER_MS / 2) * MILLISECOND;
