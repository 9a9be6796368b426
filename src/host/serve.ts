import { randomInt } from "node:crypto";
import { MILLISECOND, UsageError, type Instant } from "../core/index.js";
import {
  REQUEST_REPLY_DEFAULTS,
  ServerRole,
  keepsReplies,
  type Answer,
  type ByteRange,
  type CallMode,
  type ClientRecord,
  type ServerEffects,
  type ServerState,
  type Service,
  type ToClient,
} from "../protocols/index.js";
import { TransportError, type Connection, type Listener, type TransportTable } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { RunClock } from "./run-clock.js";
import {
  GREETING_MS_MAX,
  isGreeting,
  payloadForm,
  readGreeting,
  sendGreeting,
  SERVICE_WINDOW,
  transportOf,
} from "./service-frames.js";
import { LentRange, Packer, PackReader, WriterPool } from "./service-pack.js";
import { DurableServer } from "./durable-server.js";
import type { ServiceStore } from "./service-store.js";

/** Clients that are connected, or were in the last {@link FORGET_AFTER_MS}. One more is turned away. */
export const SERVICE_CLIENTS_MAX = 10_000;

/** Replies to a client that has gone are kept that long, in case it comes back; longer than any deadline of ours. */
export const FORGET_AFTER_MS = 10 * 60 * 1000;

/** A client that has not made room by then for what waits for it does not read: it is cut off. */
export const ROOM_MS_MAX = 5_000;

export interface ServeOptions {
  /** `tcp://127.0.0.1:65432`; port 0 lets the system choose. */
  readonly at: string;
  readonly transports: TransportTable;
  /** Keeps effects and replies through restarts: mode exactly-once, and no other. */
  readonly store?: ServiceStore;
  /** Default: exactly-once with a store, at-most-once without. */
  readonly mode?: CallMode;
  /** Told, a line each, of connections that failed and of what could not be kept. */
  readonly log?: (line: string) => void;
}

export interface ServiceServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: string;
  readonly mode: CallMode;
  /** Calls that have had their effect since the start; with a store, those that are kept. */
  readonly executed: number;
  /** Stops listening and ends every connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves a service to many clients at once, over whatever transport the address names.
 *
 * While replies to a client pile up beyond its connection's high-water mark its requests are ignored, to be repeated; a
 * client that makes no room for {@link ROOM_MS_MAX} is cut off, may come back, and gets them. Rejects as
 * `Transport.listen` does, with `UsageError` for a mode that does not fit the store, and as `ServiceStore.load` does.
 */
export async function serve<State, Payload>(
  service: Service<State, string, Payload>,
  options: ServeOptions,
): Promise<ServiceServer> {
  const server = new Server(service, options);
  await server.listen(options);
  return server;
}

const SERVER = "server";

/** One connection of a client that has greeted. */
interface Session<Payload> {
  readonly connection: Connection;
  readonly record: ClientRecord<Payload>;
  readonly packer: Packer<Payload>;
  /** Above its high-water mark. */
  full: boolean;
}

/** Runs the server's role of request/reply, in place, for many connections. */
class Server<State, Payload> implements ServiceServer {
  readonly mode: CallMode;
  readonly #service: Service<State, string, Payload>;
  readonly #log: (line: string) => void;
  readonly #role: ServerRole<State, Payload>;
  readonly #state: ServerState<State, Payload>;
  readonly #effects: ServerEffects<State, Payload> & { now: Instant };
  readonly #durable: DurableServer<State, Payload> | undefined;
  readonly #clock = new RunClock();
  readonly #sessions = new Map<string, Session<Payload>>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #reader: PackReader<Payload>;
  readonly #ranges: boolean;
  #pool: WriterPool | undefined;
  /** Where the message that is being handled lies. */
  #arrived: Uint8Array | undefined;
  /** Whose message is being handled. */
  #current: Session<Payload> | undefined;
  /** Who gets something at the end of the tick. */
  #waiting: Session<Payload>[] = [];
  #listener: Listener | undefined;
  #executed = 0;

  constructor(service: Service<State, string, Payload>, { store, mode, log = () => {} }: ServeOptions) {
    this.mode = mode ?? (store === undefined ? "at-most-once" : "exactly-once");
    if ((this.mode === "exactly-once") !== (store !== undefined)) {
      throw new UsageError(
        `mode ${this.mode} ${store === undefined ? "needs a store" : "takes no store"}; give a store for exactly-once`,
      );
    }
    this.#service = service;
    this.#log = log;
    this.#ranges = service.payload === "bytes" && keepsReplies(this.mode);
    this.#reader = new PackReader(payloadForm<Payload>(service).decode);
    this.#role = new ServerRole(service, {
      ...REQUEST_REPLY_DEFAULTS,
      server: SERVER,
      mode: this.mode,
      window: SERVICE_WINDOW,
    });
    this.#durable = store && new DurableServer(service, this.#role, store, log);
    this.#state = this.#durable?.state ?? this.#role.start();
    this.#effects = {
      // Without a store nothing counts the incarnations; one does not draw the number of another.
      incarnation: store === undefined ? randomInt(2 ** 48 - 1) : 0,
      now: 0,
      explain: undefined,
      send: (client, message) => this.#send(client, message),
      keep: (_state, record, answer, ran) => this.#durable?.keep(record, answer, ran),
      executed: () => void this.#executed++,
      forgotten: this.#ranges ? giveBack : undefined,
    };
    // Clients of a predecessor have until then to come back, like others that have gone.
    for (const client of Object.keys(this.#state.clients)) this.#left(client);
  }

  get address(): string {
    return this.#listener?.address ?? "";
  }

  get executed(): number {
    return this.#durable?.executed ?? this.#executed;
  }

  async listen({ at, transports }: ServeOptions): Promise<void> {
    const transport = transportOf(at, transports);
    this.#pool = new WriterPool(transport.promises.frameBytesMax);
    const accept = (connection: Connection): void => this.#accept(connection);
    const onProblem = (problem: Error): void => this.#log(problem.message);
    try {
      this.#listener = await transport.listen(at, accept, { onProblem });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    // What has had its effect is told before the connections end.
    this.#flush();
    await this.#listener?.close();
    for (const timeout of this.#leaving.values()) clearTimeout(timeout);
    this.#leaving.clear();
    this.#durable?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(connection: Connection): void {
    let session: Session<Payload> | undefined;
    const patience = setTimeout(() => connection.abort("no greeting came"), GREETING_MS_MAX);
    connection.receive((bytes, start, end) => {
      if (session !== undefined && !isGreeting(bytes, start, end)) {
        this.#receive(session, bytes, start, end);
        return;
      }
      session = this.#greet(connection, session, bytes, start, end);
      clearTimeout(patience);
    });
    void connection.closed.then(({ code, detail }) => {
      clearTimeout(patience);
      if (code !== "closed" && code !== "reset") this.#log(`${connection.remote}: ${detail}`);
      const client = session?.record.client;
      if (client !== undefined && this.#sessions.get(client) === session) this.#left(client);
    });
  }

  #greet(
    connection: Connection,
    session: Session<Payload> | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Session<Payload> | undefined {
    const greeting = readGreeting(bytes, start, end);
    if (greeting.kind !== "hello" || !/^[A-Za-z0-9-]{8,64}$/.test(greeting.client)) {
      throw new FrameError("protocol-error", "a greeting that no client sends");
    }
    const { client, service } = greeting;
    // Our welcome may be lost where frames are, and it asks again.
    const known = this.#sessions.has(client) || this.#leaving.has(client);
    const reason =
      service !== this.#service.name
        ? `here is the service ${this.#service.name}`
        : !known && this.#sessions.size + this.#leaving.size >= SERVICE_CLIENTS_MAX
          ? `the server has ${SERVICE_CLIENTS_MAX} clients, its limit`
          : undefined;
    if (reason !== undefined) {
      sendGreeting(connection, { kind: "unwelcome", reason });
      void connection.close();
      return session;
    }
    const { incarnation: server } = this.#effects;
    sendGreeting(connection, { kind: "welcome", mode: this.mode, server, methods: this.#service.methods });
    return session ?? this.#begin(connection, client);
  }

  #begin(connection: Connection, client: string): Session<Payload> {
    // The client knows better than we whether its former connection is still of use.
    this.#sessions.get(client)?.connection.abort("its client connected again");
    clearTimeout(this.#leaving.get(client));
    this.#leaving.delete(client);
    const record = this.#role.recordOf(this.#state, client);
    this.#pool ??= new WriterPool(2 ** 24);
    const packer = new Packer(payloadForm<Payload>(this.#service).encode, this.#pool);
    const session = { connection, record, packer, full: false };
    this.#sessions.set(client, session);
    return session;
  }

  #left(client: string): void {
    this.#sessions.delete(client);
    const timeout = setTimeout(() => {
      this.#leaving.delete(client);
      this.#role.forget(this.#state, client);
    }, FORGET_AFTER_MS);
    timeout.unref();
    this.#leaving.set(client, timeout);
  }

  #receive(session: Session<Payload>, bytes: Uint8Array, start: number, end: number): void {
    // It takes too little of what it asks for; it will ask again.
    if (session.full) return;
    const { methods } = this.#service;
    const fx = this.#effects;
    const reader = this.#reader;
    this.#current = session;
    fx.now = this.#clock.read();
    this.#arrived = bytes;
    reader.begin(bytes, start, end);
    for (;;) {
      const message = reader.toServer(methods, fx.incarnation);
      if (message === undefined) return;
      this.#role.onMessage(this.#state, session.record, message, fx);
    }
  }

  #send(client: string, message: ToClient<Payload>): void {
    const session = this.#current?.record.client === client ? this.#current : this.#sessions.get(client);
    // It has gone; if it comes back, it asks again.
    if (session === undefined || message.kind === "bound") return;
    if (session.packer.empty) this.#wait(session);
    try {
      session.packer.toClient(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#log(`${session.connection.remote}: the value of a call is too long to be sent: ${error.message}`);
      const reason = `it ran, but its value is too long: ${error.message}`;
      session.packer.toClient({ kind: "lost", seq: message.seq, reason, incarnation: message.incarnation });
    }
    if (this.#ranges && message.kind === "reply") this.#own(message, session.packer);
    // Nothing that must last first.
    if (this.#durable === undefined && session.packer.ripe) {
      this.#flushTo(session);
      session.connection.flush?.();
    }
  }

  /** A kept value that lies in what has arrived is moved to where it was written for its caller, and needs no copy. */
  #own(message: { value: Payload }, packer: Packer<Payload>): void {
    // Called for services of bytes alone.
    if ((message.value as ByteRange).bytes === this.#arrived) message.value = packer.keepLast() as Payload;
  }

  #wait(session: Session<Payload>): void {
    this.#waiting.push(session);
    if (this.#waiting.length > 1) return;
    // What all connections have brought in this turn of the loop is made to last in one go.
    if (this.#durable === undefined) process.nextTick(this.#flushNow);
    else setImmediate(this.#flushNow);
  }

  readonly #flushNow = (): void => this.#flush();

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    // Replies to what did not happen must not leave; whatever goes with them is asked for again.
    const lasts = this.#durable?.commit() ?? true;
    for (const session of waiting) {
      if (lasts) this.#flushTo(session, true);
      else session.packer.drop();
    }
  }

  /** `now`: the tick is over, so nothing is gained by waiting for its end again. */
  #flushTo(session: Session<Payload>, now = false): void {
    let room = true;
    try {
      session.packer.take((bytes, length) => {
        const { connection } = session;
        room =
          (now ? connection.sendNow?.(bytes, 0, length) : undefined) ?? connection.send(bytes, 0, length);
      });
    } catch (error) {
      // It broke; if the client comes back, it asks again.
      if (!(error instanceof TransportError)) throw error;
    }
    if (!room && !session.full) void this.#waitForRoom(session);
  }

  async #waitForRoom(session: Session<Payload>): Promise<void> {
    session.full = true;
    const { connection } = session;
    const patience = setTimeout(() => {
      this.#log(`${connection.remote}: cut off, for it does not read its replies`);
      connection.abort("the client does not read its replies");
    }, ROOM_MS_MAX);
    await connection.drained();
    clearTimeout(patience);
    session.full = false;
  }
}

function giveBack(answer: Answer<unknown>): void {
  if (answer.kind === "reply" && answer.value instanceof LentRange) answer.value.giveBack();
}

/** A deadline beyond this could outlive the replies that are kept for it. Microseconds. */
export const SERVICE_DEADLINE_MAX = (FORGET_AFTER_MS / 2) * MILLISECOND;
