import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  firstUnplain,
  formatDuration,
  LightconeError,
  operationId,
  parseDuration,
  UsageError,
  type Duration,
  type OperationId,
  type Plain,
} from "../core/index.js";
import {
  REPEAT_TIMERS,
  requestReply,
  type CallCommand,
  type CallMode,
  type CallOutcome,
  type CallOutput,
  type RequestReplyMessage,
  type RequestReplyState,
  type Service,
} from "../protocols/index.js";
import { TransportError, type Connection, type Transport, type TransportTable } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import { ProtocolRunner } from "./protocol-runner.js";
import { SERVICE_DEADLINE_MAX } from "./serve.js";
import {
  GREETING_MS_MAX,
  readGreeting,
  readToClient,
  SERVICE_WINDOW,
  sendFrame,
  ServiceError,
  transportOf,
} from "./service-frames.js";

export interface ConnectOptions {
  readonly transports: TransportTable;
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  /** `"2s"`, or microseconds; default 5 s, at most 5 min. */
  readonly deadline?: string | Duration;
  /** Takes the call back: it fails, unless it has run or that stays unknown. */
  readonly signal?: AbortSignal;
}

/** A call for each method of the service: `client.multiply({ a: 5, b: 10 }, { deadline: "2s" })`. */
export type ServiceClient<Method extends string> = ClientBase & {
  readonly [Name in Exclude<Method, keyof ClientBase>]: (
    args: Plain,
    options?: CallOptions,
  ) => Promise<CallOutcome>;
};

export interface ClientBase extends AsyncDisposable {
  /** What the server promises. */
  readonly mode: CallMode;
  /** Never rejects for what happens on the way; rejects with `UsageError` for a deadline that is none. */
  call(method: string, args: Plain, options?: CallOptions): Promise<CallOutcome>;
  /** Ends the connection; calls under way end `unknown`. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a server of `service`, and again whenever the connection breaks: its calls go on until their deadlines.
 *
 * Rejects as `Transport.dial` does when the first attempt fails, and with `ServiceError` when the server turns it away.
 */
export async function connect<State, Method extends string>(
  service: Service<State, Method>,
  address: string,
  { transports, signal }: ConnectOptions,
): Promise<ServiceClient<Method>> {
  const client = new Client(service, transportOf(address, transports), address);
  await client.open(signal);
  for (const method of service.methods) {
    if (method in client) continue;
    const call = (args: Plain, options?: CallOptions): Promise<CallOutcome> =>
      client.call(method, args, options);
    Object.defineProperty(client, method, { value: call, enumerable: true });
  }
  // The loop above has made it one.
  return client as unknown as ServiceClient<Method>;
}

const SERVER = "server";
const DIAL_AGAIN_MS_MAX = 500;

class Client<State> implements ClientBase {
  readonly #service: Service<State>;
  readonly #transport: Transport;
  readonly #address: string;
  readonly #name = randomUUID();
  readonly #outcomes = new Map<OperationId, (outcome: CallOutcome) => void>();
  readonly #closing = new AbortController();
  #mode: CallMode = "at-most-once";
  #connection: Connection | undefined;
  #runner: ProtocolRunner<RequestReplyState<State>, RequestReplyMessage, CallCommand, CallOutput> | undefined;
  #invoked: OperationId = "";

  constructor(service: Service<State>, transport: Transport, address: string) {
    this.#service = service;
    this.#transport = transport;
    this.#address = address;
  }

  get mode(): CallMode {
    return this.#mode;
  }

  async open(signal?: AbortSignal): Promise<void> {
    const signals =
      signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    this.#mode = await this.#dial(signals);
    this.#runner = new ProtocolRunner(
      // Attempts cost little here: none is lost while a connection lives.
      requestReply(this.#service, {
        server: SERVER,
        mode: this.#mode,
        attemptsMax: 10_000,
        window: SERVICE_WINDOW,
      }),
      {
        self: this.#name,
        processes: [SERVER, this.#name],
        incarnation: 0,
        send: (_server, message) => this.#send(message),
        output: (output) => this.#learn(output),
      },
    );
  }

  async call(method: string, args: Plain, { deadline, signal }: CallOptions = {}): Promise<CallOutcome> {
    const time = typeof deadline === "string" ? parseDuration(deadline) : deadline;
    if (time !== undefined && !(Number.isSafeInteger(time) && time > 0 && time <= SERVICE_DEADLINE_MAX)) {
      const limit = formatDuration(SERVICE_DEADLINE_MAX);
      throw new UsageError(`a deadline is more than 0 and at most ${limit}; ${deadline} given`);
    }
    const unplain = firstUnplain(args);
    if (unplain !== undefined) {
      throw new UsageError(`the arguments are not plain data at ${unplain}; give what JSON carries`);
    }
    const runner = this.#runner;
    if (runner === undefined || this.#closing.signal.aborted) {
      return { kind: "failed", reason: "the client is closed" };
    }
    if (signal?.aborted === true) return { kind: "failed", reason: "cancelled before it was sent" };
    return new Promise((resolve) => {
      let take = resolve;
      this.#learnFirst = (outcome) => take(outcome);
      runner.command({ kind: "call", method, args, ...(time !== undefined && { deadline: time }) });
      if (signal === undefined) return;
      const id = this.#invoked;
      const cancel = (): void => this.#runner?.command({ kind: "cancel", id });
      signal.addEventListener("abort", cancel, { once: true });
      take = (outcome) => {
        signal.removeEventListener("abort", cancel);
        resolve(outcome);
      };
    });
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error("the client is closed"));
    this.#runner?.[Symbol.dispose]();
    this.#runner = undefined;
    for (const end of this.#outcomes.values()) end({ kind: "unknown", reason: "the client was closed" });
    this.#outcomes.clear();
    await this.#connection?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The outcome of the call that is being given to the protocol. */
  #learnFirst: (outcome: CallOutcome) => void = () => {};

  #learn(output: CallOutput): void {
    if (output.kind === "invoked") {
      this.#invoked = output.id;
      this.#outcomes.set(output.id, this.#learnFirst);
    } else if (output.kind === "completed") {
      this.#outcomes.get(output.id)?.(output.outcome);
      this.#outcomes.delete(output.id);
    }
  }

  #send(message: RequestReplyMessage): void {
    // Without a connection it is lost, and repeated once there is one.
    if (this.#connection === undefined) return;
    if (message.kind !== "bind" && message.kind !== "request" && message.kind !== "cancel") return;
    try {
      sendFrame(this.#connection, message);
    } catch (error) {
      if (error instanceof FrameError && message.kind === "request") this.#tooLong(message.seq, error);
      // It broke: what was not sent is repeated over the next one.
      else if (!(error instanceof TransportError)) throw error;
    }
  }

  /** A request that no frame can hold was never sent. */
  #tooLong(seq: number, { message }: FrameError): void {
    const id = operationId(this.#name, 0, seq);
    this.#learn({ kind: "completed", id, outcome: { kind: "failed", reason: message } });
    // After the step that sends.
    queueMicrotask(() => this.#runner?.command({ kind: "cancel", id }));
  }

  /** Connects and greets; gives the server's mode. */
  async #dial(signal: AbortSignal): Promise<CallMode> {
    const connection = await this.#transport.dial(this.#address, { signal });
    let greeted: (mode: CallMode) => void = () => {};
    let failed: (error: LightconeError) => void = () => {};
    const greeting = new Promise<CallMode>((resolve, reject) => {
      greeted = resolve;
      failed = reject;
    });
    const patience = setTimeout(() => connection.abort("the server did not greet"), GREETING_MS_MAX);
    let welcome = false;
    connection.receive((bytes, start, end) => {
      if (welcome) {
        this.#runner?.message(SERVER, readToClient(bytes, start, end));
        return;
      }
      const answer = readGreeting(bytes, start, end);
      if (answer.kind === "hello") throw new FrameError("protocol-error", "a server that greets first");
      if (answer.kind === "unwelcome") {
        failed(new ServiceError("unwelcome", `${this.#address}: ${answer.reason}`));
        return;
      }
      welcome = true;
      greeted(answer.mode);
    });
    void connection.closed.then(({ detail }) => {
      clearTimeout(patience);
      failed(new TransportError("closed", `${this.#address}: ${detail}`, { address: this.#address }));
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      void this.#dialAgain();
    });
    sendFrame(connection, { kind: "hello", service: this.#service.name, client: this.#name });
    const mode = await greeting;
    clearTimeout(patience);
    if (signal.aborted) {
      connection.abort("the client is closed");
      throw new TransportError("closed", "the client is closed");
    }
    this.#connection = connection;
    return mode;
  }

  async #dialAgain(): Promise<void> {
    const { signal } = this.#closing;
    for (let ceiling = 10; !signal.aborted; ceiling = Math.min(2 * ceiling, DIAL_AGAIN_MS_MAX)) {
      try {
        const mode = await this.#dial(signal);
        if (mode !== this.#mode) {
          // Its calls were made to a server that promised something else.
          await this.close();
          return;
        }
        for (const timers of REPEAT_TIMERS) this.#runner?.hurry(timers);
        return;
      } catch (error) {
        if (!(error instanceof LightconeError) && !signal.aborted) throw error;
        await pause(Math.random() * ceiling, signal);
      }
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const end = new AbortController();
  const timeout = setTimeout(() => end.abort(), ms);
  await once(AbortSignal.any([signal, end.signal]), "abort");
  clearTimeout(timeout);
}
