import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  firstUnplain,
  formatDuration,
  LightconeError,
  MILLISECOND,
  parseDuration,
  UsageError,
  type Duration,
  type Instant,
  type Plain,
} from "../core/index.js";
import {
  ClientRole,
  JITTER,
  REQUEST_REPLY_DEFAULTS,
  rangeOf,
  RESTARTED,
  unknownMethod,
  type ByteRange,
  type Call,
  type CallMode,
  type CallOutcome,
  type ClientEffects,
  type ClientState,
  type Service,
  type ToServer,
} from "../protocols/index.js";
import {
  TransportError,
  type Connection,
  type FrameReceiver,
  type Transport,
  type TransportTable,
} from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { callAt, RunClock } from "./run-clock.js";
import { SERVICE_DEADLINE_MAX } from "./serve.js";
import {
  GREETING_MS_MAX,
  isGreeting,
  payloadForm,
  readGreeting,
  sendGreeting,
  SERVICE_WINDOW,
  ServiceError,
  transportOf,
  type Greeting,
} from "./service-frames.js";
import { Packer, PackReader, WriterPool } from "./service-pack.js";
import { partArguments, serviceStream, type ServiceStream } from "./service-stream.js";

export interface ConnectOptions {
  readonly transports: TransportTable;
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal;
  /** How long the first attempt may take at each of its steps; default 5 s. */
  readonly patience?: Duration;
}

export interface CallOptions {
  /** `"2s"`, or microseconds; default 5 s, at most 5 min. */
  readonly deadline?: string | Duration;
  /** Takes the call back: it fails, unless it has run or that stays unknown. */
  readonly signal?: AbortSignal;
}

/** A call for each method of the service: `client.multiply({ a: 5, b: 10 }, { deadline: "2s" })`. */
export type ServiceClient<Method extends string, Payload = Plain> = ClientBase<Payload> & {
  readonly [Name in Exclude<Method, keyof ClientBase>]: (
    args: Payload,
    options?: CallOptions,
  ) => Promise<CallOutcome<Payload>>;
};

export interface ClientBase<Payload = Plain> extends AsyncDisposable {
  /** What the server promises. */
  readonly mode: CallMode;
  /**
   * Never rejects for what happens on the way; rejects with `UsageError` for a deadline that is none, and for arguments
   * that are not plain data. They must not change until the call is over.
   */
  call(method: string, args: Payload, options?: CallOptions): Promise<CallOutcome<Payload>>;
  /**
   * A call without a promise: `onOutcome` is called once, within the call itself at the earliest. Of a service of bytes
   * it is given a range of what has arrived, valid until it returns. Throws where {@link call} rejects. For the hottest
   * paths: a promise costs some 200 ns.
   */
  start(method: string, args: Payload, onOutcome: (outcome: CallOutcome<Payload>) => void): void;
  /**
   * The items that a method of the service's `streams` gives, an item or a batch at a time. Throws `UsageError` for a
   * method that does not stream; while iterating, see {@link ServiceStream}. `deadline` is that of each part.
   */
  stream(method: string, args: Plain, options?: CallOptions): ServiceStream;
  /** Ends the connection; calls under way end `unknown`. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a server of `service`, and again whenever the connection breaks: its calls go on until their deadlines.
 *
 * Rejects as `Transport.dial` does when the first attempt fails, and with `ServiceError` when the server turns it away.
 */
export async function connect<State, Method extends string, Payload = Plain>(
  service: Service<State, Method, Payload>,
  address: string,
  { transports, signal, patience }: ConnectOptions,
): Promise<ServiceClient<Method, Payload>> {
  const client = new Client<Payload>(service, transportOf(address, transports), address);
  await client.open(signal, patience);
  for (const method of service.methods) {
    if (method in client) continue;
    const call = (args: Payload, options?: CallOptions): Promise<CallOutcome<Payload>> =>
      client.call(method, args, options);
    Object.defineProperty(client, method, { value: call, enumerable: true });
  }
  // The loop above has made it one.
  return client as unknown as ServiceClient<Method, Payload>;
}

const SERVER = "server";

// A server that restarts is met soon after it listens again; one that stays away is not pressed.
const DIAL_AGAIN_MS = { first: 5, soon: 50, late: 500 } as const;
const LATE_AFTER_MS = 10_000;

/** How often a part of a stream is asked for anew when its server restarts meanwhile. */
const PART_ATTEMPTS_MAX = 100;

/** How often a greeting is repeated where it may be lost. */
const GREET_AGAIN_MS = 200;

/** Who wants the outcome of a call. */
type Ticket<Payload> = (outcome: CallOutcome<Payload>) => void;

type Welcome = Extract<Greeting, { kind: "welcome" }>;

interface Greeted {
  readonly connection: Connection;
  readonly welcome: Welcome;
  /** Sets who takes the frames that follow. */
  readonly receive: (onFrame: FrameReceiver) => void;
}

/** What a client has while it is connected. */
interface Link<Payload> {
  readonly connection: Connection;
  readonly methods: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly packer: Packer<Payload>;
  /** Above its high-water mark: new requests wait. */
  full: boolean;
}

/** Runs the clients' role of request/reply, in place, over one connection at a time. */
class Client<Payload> implements ClientBase<Payload> {
  readonly #service: Service<unknown, string, Payload>;
  readonly #transport: Transport;
  readonly #address: string;
  readonly #name = randomUUID();
  readonly #closing = new AbortController();
  readonly #clock = new RunClock();
  readonly #pool: WriterPool;
  readonly #reader: PackReader<Payload>;
  readonly #effects: Effects<Payload>;
  #role: ClientRole<Payload, Ticket<Payload>>;
  readonly #state: ClientState<Payload, Ticket<Payload>>;
  #mode: CallMode = "at-most-once";
  #link: Link<Payload> | undefined;
  #timer: Disposable | undefined;
  #timerAt: Instant = Infinity;
  #flushing = false;
  /** A call may need something that soon. */
  readonly #soonest: Duration;

  constructor(service: Service<unknown, string, Payload>, transport: Transport, address: string) {
    this.#service = service;
    this.#transport = transport;
    this.#address = address;
    this.#pool = new WriterPool(transport.promises.frameBytesMax);
    this.#reader = new PackReader(payloadForm<Payload>(service).decode);
    this.#effects = new Effects(
      this.#name,
      (call, budget, ackUpTo) => {
        if (this.#link !== undefined) this.#pack(this.#link, call, budget, ackUpTo);
      },
      (cancel) => {
        if (this.#link === undefined) return;
        this.#link.packer.cancel(cancel);
        this.#flushSoon(this.#link);
      },
    );
    const { reliable } = transport.promises;
    this.#soonest = reliable ? REQUEST_REPLY_DEFAULTS.probeAfter : REQUEST_REPLY_DEFAULTS.backOffBase;
    this.#role = this.#newRole();
    this.#state = this.#role.start();
  }

  get mode(): CallMode {
    return this.#mode;
  }

  async open(signal?: AbortSignal, patience?: Duration): Promise<void> {
    const signals =
      signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    const greeted = await this.#dial(signals, patience);
    this.#mode = greeted.welcome.mode;
    this.#role = this.#newRole();
    this.#connected(greeted);
  }

  call(method: string, args: Payload, options?: CallOptions): Promise<CallOutcome<Payload>> {
    if (options !== undefined && (options.deadline !== undefined || options.signal !== undefined)) {
      return this.#callWith(method, args, options);
    }
    return new Promise((resolve, reject) => {
      try {
        this.#call(method, args, REQUEST_REPLY_DEFAULTS.deadline, this.#settling(resolve));
      } catch (error) {
        reject(error as Error);
      }
    });
  }

  start(method: string, args: Payload, onOutcome: Ticket<Payload>): void {
    this.#call(method, args, REQUEST_REPLY_DEFAULTS.deadline, onOutcome);
  }

  stream(method: string, args: Plain, options?: CallOptions): ServiceStream {
    const service = this.#service;
    if (service.streams?.includes(method) !== true) {
      throw new UsageError(`${method} of ${service.name} is not a stream; call it`);
    }
    // Services of plain data alone stream.
    const prepared = this.#prepared(method, args as Payload) as Plain;
    return serviceStream(async (from, most) => {
      const part = partArguments(prepared, from, most) as Payload;
      for (let attempt = 1; ; attempt++) {
        const outcome = (await this.call(method, part, options)) as CallOutcome;
        // A server that restarted leaves unknown what it was asked; of a part there is nothing to be unsure about.
        if (outcome.kind !== "unknown" || outcome.reason !== RESTARTED || attempt === PART_ATTEMPTS_MAX)
          return outcome;
      }
    });
  }

  /** With whatever the caller has left to chance. */
  #prepared(method: string, args: Payload): Payload {
    return this.#service.prepare?.(method, args, randomInt(2 ** 48 - 1)) ?? args;
  }

  async #callWith(
    method: string,
    args: Payload,
    { deadline = REQUEST_REPLY_DEFAULTS.deadline, signal }: CallOptions,
  ): Promise<CallOutcome<Payload>> {
    const time = deadlineOf(deadline);
    if (signal?.aborted === true) return { kind: "failed", reason: "cancelled before it was sent" };
    let cancel = (): void => {};
    const outcome = await new Promise<CallOutcome<Payload>>((resolve) => {
      const seq = this.#state.next;
      this.#call(method, args, time, this.#settling(resolve));
      cancel = () => this.#cancel(seq);
      signal?.addEventListener("abort", cancel, { once: true });
    });
    signal?.removeEventListener("abort", cancel);
    return outcome;
  }

  #settling(resolve: Ticket<Payload>): Ticket<Payload> {
    return this.#service.payload === "bytes" ? (outcome) => resolve(copied(outcome)) : resolve;
  }

  #call(method: string, args: Payload, deadline: Duration, ticket: Ticket<Payload>): void {
    const link = this.#link;
    if (this.#closing.signal.aborted) {
      return ticket({ kind: "failed", reason: "the client is closed" });
    }
    if (link === undefined) this.#checkUnsent(args);
    else if (!link.numbers.has(method)) {
      const reason = unknownMethod(method, link.methods) ?? "there is no such method";
      return ticket({ kind: "failed", reason });
    }
    const fx = this.#effects;
    // Once per tick: the calls of one tick are made at one time.
    if (!this.#flushing) fx.now = this.#clock.read();
    fx.unsendable = undefined;
    const seq = this.#state.next;
    // Whoever writes plain JavaScript may leave them out.
    const given = this.#service.prepare === undefined ? args : this.#prepared(method, args);
    this.#role.call(this.#state, method, given ?? NOTHING, deadline, ticket, fx);
    if (fx.unsendable !== undefined) this.#takeBack(seq, fx.unsendable);
    else if (fx.now + Math.min(deadline, this.#soonest) < this.#timerAt) this.#arm();
  }

  /** Without a connection nothing is encoded yet, but a mistake should be told at once. */
  #checkUnsent(args: Payload): void {
    const unplain = this.#service.payload === "bytes" ? undefined : firstUnplain(args);
    if (unplain === undefined) return;
    throw new UsageError(`the arguments are not plain data at ${unplain}; give what JSON carries`);
  }

  /** A request that cannot be written was never sent: it fails, and a mistake of the caller is told as one. */
  #takeBack(seq: number, error: Error): void {
    const fx = this.#effects;
    if (error instanceof FrameError) return this.#role.unsendable(this.#state, seq, error.message, fx);
    fx.silent = true;
    this.#role.unsendable(this.#state, seq, error.message, fx);
    fx.silent = false;
    throw error;
  }

  #cancel(seq: number): void {
    this.#effects.now = this.#clock.read();
    this.#role.cancel(this.#state, seq, this.#effects);
    this.#arm();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error("the client is closed"));
    this.#timer?.[Symbol.dispose]();
    const link = this.#link;
    if (link !== undefined) this.#flush();
    this.#link = undefined;
    this.#effects.connected = false;
    this.#role.abandon(this.#state, "the client was closed", this.#effects);
    await link?.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newRole(): ClientRole<Payload, Ticket<Payload>> {
    const { ordered, reliable } = this.#transport.promises;
    return new ClientRole({
      ...REQUEST_REPLY_DEFAULTS,
      server: SERVER,
      mode: this.#mode,
      // Attempts cost little here: none is lost while a connection lives.
      attemptsMax: 10_000,
      window: SERVICE_WINDOW,
      reliable: ordered && reliable,
    });
  }

  /** Packs a message, and has it sent at the end of the tick if not before. */
  #pack(write: Link<Payload>, call: Call<Payload, Ticket<Payload>>, budget: Duration, ackUpTo: number): void {
    const { packer, numbers } = write;
    try {
      packer.request(call.seq, numbers.get(call.method) ?? 0, call.args, budget, ackUpTo);
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof UsageError)) throw error;
      this.#effects.unsendable = error;
    }
    this.#flushSoon(write);
  }

  #flushSoon({ packer, connection }: Link<Payload>): void {
    if (packer.ripe) {
      this.#flush();
      connection.flush?.();
    }
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(this.#flushNow);
  }

  readonly #flushNow = (): void => {
    this.#flushing = false;
    this.#flush(true);
  };

  /** `now`: the tick is over, so nothing is gained by waiting for its end again. */
  #flush(now = false): void {
    const link = this.#link;
    if (link === undefined || link.packer.empty) return;
    let room = true;
    try {
      link.packer.take((bytes, length) => {
        const { connection } = link;
        room =
          (now ? connection.sendNow?.(bytes, 0, length) : undefined) ?? connection.send(bytes, 0, length);
      });
    } catch (error) {
      // It broke: what has no outcome is sent again over the next one.
      if (!(error instanceof TransportError)) throw error;
    }
    if (!room && !link.full) void this.#waitForRoom(link);
  }

  /** The server does not keep up: what is called meanwhile is sent when it has. */
  async #waitForRoom(link: Link<Payload>): Promise<void> {
    link.full = true;
    this.#effects.connected = false;
    await link.connection.drained();
    link.full = false;
    if (this.#link !== link) return;
    this.#effects.connected = true;
    this.#effects.now = this.#clock.read();
    this.#role.sendUnsent(this.#state, this.#effects);
    this.#arm();
  }

  #receive(link: Link<Payload>, bytes: Uint8Array, start: number, end: number): void {
    // A welcome that was sent again.
    if (this.#link !== link || isGreeting(bytes, start, end)) return;
    const fx = this.#effects;
    const reader = this.#reader;
    fx.now = this.#clock.read();
    reader.begin(bytes, start, end);
    for (;;) {
      const message = reader.toClient();
      if (message === undefined) return;
      this.#role.onMessage(this.#state, message, fx);
    }
  }

  #connected({ connection, welcome: { methods, server }, receive }: Greeted): void {
    const numbers = new Map(methods.map((method, number) => [method, number]));
    const packer = new Packer(payloadForm<Payload>(this.#service).encode, this.#pool);
    const link: Link<Payload> = { connection, methods, numbers, packer, full: false };
    this.#link = link;
    this.#effects.connected = true;
    this.#effects.now = this.#clock.read();
    receive((bytes, start, end) => this.#receive(link, bytes, start, end));
    void connection.closed.then(() => {
      if (this.#link !== link) return;
      this.#link = undefined;
      this.#effects.connected = false;
      packer.drop();
      void this.#dialAgain();
    });
    this.#role.reconnected(this.#state, server, this.#effects);
    this.#arm();
  }

  /** One timer for all calls, set for the first of them that needs something. */
  #arm(): void {
    const due = this.#role.dueAt(this.#state);
    if (due === null || (this.#timer !== undefined && due >= this.#timerAt)) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerAt = due;
    this.#timer = callAt(this.#clock, due, () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.#effects.now = this.#clock.read();
      this.#role.sweep(this.#state, this.#effects);
      this.#arm();
    });
  }

  /** Connects and greets. */
  async #dial(signal: AbortSignal, patience?: Duration): Promise<Greeted> {
    const msMax = patience === undefined ? GREETING_MS_MAX : patience / MILLISECOND;
    const connection = await this.#transport.dial(this.#address, {
      signal,
      ...(patience !== undefined && { connectMsMax: msMax, handshakeMsMax: msMax }),
    });
    const greeting = setTimeout(() => connection.abort("the server did not greet"), msMax);
    const hello: Greeting = { kind: "hello", service: this.#service.name, client: this.#name };
    const again = this.#transport.promises.reliable
      ? undefined
      : setInterval(() => sendGreeting(connection, hello), GREET_AGAIN_MS);
    let onFrame: FrameReceiver;
    try {
      const welcome = await new Promise<Welcome>((resolve, reject) => {
        onFrame = (bytes, start, end) => {
          const answer = readGreeting(bytes, start, end);
          if (answer.kind === "hello") throw new FrameError("protocol-error", "a server that greets first");
          if (answer.kind === "welcome") resolve(answer);
          else reject(new ServiceError("unwelcome", `${this.#address}: ${answer.reason}`));
        };
        connection.receive((bytes, start, end) => onFrame(bytes, start, end));
        void connection.closed.then(({ detail }) =>
          reject(new TransportError("closed", `${this.#address}: ${detail}`, { address: this.#address })),
        );
        sendGreeting(connection, hello);
      });
      const receive = (next: FrameReceiver): void => {
        onFrame = next;
      };
      if (!signal.aborted) return { connection, welcome, receive };
      connection.abort("the client is closed");
      throw new TransportError("closed", "the client is closed");
    } finally {
      clearTimeout(greeting);
      clearInterval(again);
    }
  }

  async #dialAgain(): Promise<void> {
    const { signal } = this.#closing;
    const since = performance.now();
    for (let ceiling: number = DIAL_AGAIN_MS.first; !signal.aborted; ceiling *= 2) {
      try {
        const greeted = await this.#dial(signal);
        if (greeted.welcome.mode === this.#mode) return this.#connected(greeted);
        // Its calls were made to a server that promised something else.
        greeted.connection.abort("the server has changed its mode");
        return await this.close();
      } catch (error) {
        if (!(error instanceof LightconeError) && !signal.aborted) throw error;
        const late = performance.now() - since > LATE_AFTER_MS;
        ceiling = Math.min(ceiling, late ? DIAL_AGAIN_MS.late : DIAL_AGAIN_MS.soon);
        await pause(Math.random() * ceiling, signal);
      }
    }
  }
}

/** A deadline in microseconds; throws `UsageError` for one that is none, or beyond 5 min. */
export function deadlineOf(deadline: string | Duration): Duration {
  const time = typeof deadline === "string" ? parseDuration(deadline) : deadline;
  if (Number.isSafeInteger(time) && time > 0 && time <= SERVICE_DEADLINE_MAX) return time;
  const limit = formatDuration(SERVICE_DEADLINE_MAX);
  throw new UsageError(`a deadline is more than 0 and at most ${limit}; ${deadline} given`);
}

/** What the role does to a client; `now` and `connected` are set before each of its steps. */
class Effects<Payload> implements ClientEffects<Payload, Ticket<Payload>> {
  readonly self: string;
  readonly incarnation = 0;
  readonly explain = undefined;
  readonly request: ClientEffects<Payload, Ticket<Payload>>["request"];
  readonly #cancel: (cancel: Extract<ToServer, { kind: "cancel" }>) => void;
  now: Instant = 0;
  connected = false;
  /** Why the last request could not be written. */
  unsendable: FrameError | UsageError | undefined;
  /** The caller is told in another way. */
  silent = false;

  constructor(
    self: string,
    request: ClientEffects<Payload, Ticket<Payload>>["request"],
    cancel: (cancel: Extract<ToServer, { kind: "cancel" }>) => void,
  ) {
    this.self = self;
    this.request = request;
    this.#cancel = cancel;
  }

  send(message: Extract<ToServer, { kind: "cancel" | "bind" }>): void {
    // The welcome has said which incarnation of the server it is.
    if (message.kind === "cancel") this.#cancel(message);
  }

  invoked(): void {}

  completed(call: Call<Payload, Ticket<Payload>>, outcome: CallOutcome<Payload>): void {
    if (!this.silent) call.ticket(outcome);
  }

  jitter(): number {
    return JITTER[Math.floor(Math.random() * JITTER.length)] ?? JITTER[0];
  }
}

// A payload of plain data; a service of bytes is given bytes.
const NOTHING = null as never;

/** Bytes lie in what has arrived, and whoever awaits them comes later. */
function copied<Payload>(outcome: CallOutcome<Payload>): CallOutcome<Payload> {
  if (outcome.kind !== "ok") return outcome;
  // Called for services of bytes alone.
  const { bytes, start, end } = outcome.value as ByteRange;
  return { kind: "ok", value: rangeOf(Uint8Array.prototype.slice.call(bytes, start, end)) as Payload };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const end = new AbortController();
  const timeout = setTimeout(() => end.abort(), ms);
  await once(AbortSignal.any([signal, end.signal]), "abort");
  clearTimeout(timeout);
}
