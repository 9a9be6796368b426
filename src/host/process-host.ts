import { AdjustableClock, LiveVector } from "../clocks/index.js";
import {
  escapeText,
  invariant,
  LightconeError,
  placeOf,
  Random,
  stepAny,
  type AnyProtocol,
  type Effect,
  type Input,
  type Instant,
  type Place,
  type ProcessId,
  type Step,
  type Surroundings,
} from "../core/index.js";
import { createInjector, NO_FAULTS, scheduleOf, type FaultPlan, type Injector } from "../faults/index.js";
import type { Connection, FrameReceiver } from "../transports/index.js";
import { HostError, messageOf } from "./errors.js";
import { Inbox } from "./inbox.js";
import { Journal, type Receipt } from "./journal.js";
import { Link, type Delivery } from "./link.js";
import { Loopback } from "./loopback.js";
import { Outbox } from "./outbox.js";
import type { Recorder } from "./recorder.js";
import { callAt, type RunClock } from "./run-clock.js";
import { MemoryStore, type Store } from "./store.js";

/** Messages that arrive before the start step and wait for it; a peer that sends more is cut off. */
export const EARLY_MAX = 100_000;

/** Bytes of those. */
export const EARLY_BYTES_MAX = 64 * 2 ** 20;

const IN_SEQUENCE: Delivery = { ordered: true, reliable: true };

/** What a host tells whoever runs it; called outside of steps. */
export interface HostListener {
  onOutput?(value: unknown): void;
  /** Something that a user may answer was recorded and is durable. */
  onRecordedForUser?(): void;
  /** A message that arrived was lost here by a `failed-receive` fault. */
  onNotReceived?(from: ProcessId, send: number): void;
  /** What the protocol saved was not kept. Not called when a `disk-full` fault is why. */
  onNotSaved?(reason: string): void;
  /** A peer sent what no correct host sends; its connection was ended. */
  onTrouble?(error: LightconeError): void;
  /** The host has stopped for good: a handler threw, or the trace cannot be written. */
  onFailure(error: Error): void;
}

export interface ProcessHostOptions {
  readonly protocol: AnyProtocol;
  readonly self: ProcessId;
  readonly processes: readonly ProcessId[];
  readonly seed: number;
  readonly clock: RunClock;
  readonly listener: HostListener;
  readonly faults?: FaultPlan;
  /** What is wrong with a message, where peers may be no hosts of ours; such a peer's connection is ended. */
  readonly problemOf?: (from: ProcessId, message: unknown) => string | undefined;
  /** Absent: nothing is recorded. */
  readonly recorder?: Recorder;
  readonly store?: Store;
  /** 0 at the first start; above it the first step is a restart. */
  readonly incarnation?: number;
  /** Number of the first event, counted from 1; above 1 after a restart. */
  readonly firstNumber?: number;
  /** What the lane knew at its last event before. */
  readonly vector?: readonly number[];
  /** What survived the crash. */
  readonly saved?: unknown;
}

/** How busy a host is; see `quiescence.ts` for what follows from it. */
export interface HostStatus {
  readonly timers: number;
  readonly held: number;
  readonly commands: number;
  /** Number of the last event. */
  readonly number: number;
  readonly links: readonly {
    readonly peer: ProcessId;
    readonly connection: string;
    readonly sent: number;
    readonly received: number;
  }[];
}

/**
 * One participant in this operating-system process: a protocol, its place, its clock, its timers and its links.
 *
 * An input becomes one atomic step; its effects are applied in order. Events of all steps of a tick are recorded with
 * one write before any frame of these steps leaves, and what was saved is kept before too, so `kill -9` at any moment
 * leaves no message received whose send was not recorded. Every message carries a vector clock, whatever the
 * protocol; link faults act between the protocol and the connection, on the sender's side.
 *
 * A protocol knows no back-pressure: messages that a slow or absent peer does not take wait up to
 * `BUFFERED_BYTES_MAX` and `WAITING_MAX`, then are dropped and recorded as `disconnected`.
 */
export class ProcessHost implements Surroundings, Disposable {
  readonly place: Place;
  readonly incarnation: number;
  readonly #protocol: AnyProtocol;
  readonly #seed: number;
  readonly #clock: RunClock;
  readonly #ownClock = new AdjustableClock();
  readonly #listener: HostListener;
  readonly #problemOf: ProcessHostOptions["problemOf"];
  readonly #faults: FaultPlan;
  readonly #injector: Injector;
  readonly #store: Store;
  readonly #saved: unknown;
  readonly #live: LiveVector;
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #inbox = new Inbox();
  readonly #links = new Map<ProcessId, Link>();
  readonly #timers = new Map<string, Disposable>();
  readonly #clockFaults: Disposable[] = [];
  #picks: Random | undefined;
  #state: unknown = undefined;
  #phase: "new" | "running" | "over" = "new";
  #early: { readonly link: Link; readonly frame: Uint8Array }[] = [];
  #earlyBytes = 0;
  #commands = 0;
  #flushPlanned = false;
  #forUser = false;

  constructor(options: ProcessHostOptions) {
    const { processes, self, clock, incarnation = 0, firstNumber = 1, faults = NO_FAULTS } = options;
    this.place = placeOf(processes, self);
    this.incarnation = incarnation;
    this.#protocol = options.protocol;
    this.#seed = options.seed;
    this.#clock = clock;
    this.#listener = options.listener;
    this.#problemOf = options.problemOf;
    this.#faults = faults;
    this.#injector = createInjector(faults, processes, options.seed);
    this.#store = options.store ?? new MemoryStore();
    this.#saved = options.saved;
    const index = processes.indexOf(self);
    const start = processes.map((_, i) => (i === index ? firstNumber - 1 : (options.vector?.[i] ?? 0)));
    this.#live = new LiveVector(processes.length, index, { start });
    this.#journal = new Journal(self, incarnation, this.#live, clock, this.#ownClock, options.recorder);
    this.#outbox = new Outbox(self, this.#live, this.#journal, this.#injector);
    for (const [i, peer] of processes.entries()) {
      const link: Link = new Link(peer, i, processes.length, clock, (held) => {
        this.#outbox.release(held, link);
        this.#planFlush();
      });
      this.#links.set(peer, link);
    }
    const loopback = new Loopback();
    loopback.receive(this.attach(self, loopback, "loopback"));
  }

  /** Number of the last event on its lane. */
  get number(): number {
    return this.#live.own;
  }

  /** The process's own clock at the present step; `Surroundings`. */
  get now(): Instant {
    return this.#journal.local;
  }

  /** `Surroundings`: a stream of its own for each incarnation. */
  pick(_name: string, count: number): number {
    this.#picks ??= Random.stream(this.#seed, `choose:${this.place.self}:${this.incarnation}`);
    return this.#picks.below(count);
  }

  status(): HostStatus {
    const links = [];
    for (const { peer, connection, name, sent, received } of this.#links.values()) {
      if (connection !== undefined) links.push({ peer, connection: name, sent, received });
    }
    const { number } = this;
    return { timers: this.#timers.size, held: this.#outbox.waiting, commands: this.#commands, number, links };
  }

  /** The start step, or the restart step of a later incarnation; then whatever arrived before. */
  start(): void {
    invariant(this.#phase === "new", "a host starts once");
    this.#phase = "running";
    this.#planClockFaults();
    if (this.incarnation === 0) this.#step({ kind: "start" });
    else this.#step({ kind: "restart", saved: this.#saved });
    const early = this.#early;
    this.#early = [];
    for (const { link, frame } of early) this.#receive(link, frame, 0, frame.length);
  }

  /** Gives the process a command; nothing once the host is over. */
  command(command: unknown): void {
    invariant(this.#phase !== "new", "a command came before the start");
    this.#commands++;
    this.#step({ kind: "command", command });
  }

  /**
   * Uses the connection for the link to `peer`; both ends call it `name`. Replaces one that is still there. Gives what
   * is to receive its frames. `delivery` is what the connection's transport promises: clocks are compressed only where
   * nothing is lost or overtaken.
   */
  attach(peer: ProcessId, connection: Connection, name: string, delivery = IN_SEQUENCE): FrameReceiver {
    const link = this.#linkTo(peer);
    link.connection?.abort("replaced by a newer connection");
    link.attach(connection, name, delivery);
    connection.beforeFlush = () => this.flush();
    this.#outbox.attached(link);
    return (bytes, start, end) => {
      if (link.connection === connection) this.#onFrame(link, bytes, start, end);
    };
  }

  /** The connection is over; messages to the peer wait for the next one. */
  detach(peer: ProcessId, connection: Connection): void {
    const link = this.#linkTo(peer);
    if (link.connection === connection) link.connection = undefined;
  }

  /**
   * The peer has crashed: what waits for it is lost, and so is what is sent to it until it is attached again.
   * Gives the send events of the messages that a fault still holds back.
   */
  peerDown(peer: ProcessId): readonly number[] {
    const link = this.#linkTo(peer);
    link.down = true;
    link.connection?.abort("the peer has crashed");
    link.connection = undefined;
    this.#outbox.peerDown(link);
    this.#planFlush();
    return link.held.sends;
  }

  /** Makes everything recorded and saved durable; comes before any frame leaves. */
  flush(): void {
    this.#flushPlanned = false;
    if (this.#phase === "over") return;
    try {
      this.#journal.flush();
      this.#store.commit();
    } catch (cause) {
      this.#fail(new HostError("not-saved", `cannot write its events: ${messageOf(cause)}`, {}, { cause }));
      return;
    }
    if (this.#forUser) {
      this.#forUser = false;
      this.#listener.onRecordedForUser?.();
    }
  }

  /** Ends it: no more steps, timers cleared, connections ended; what was recorded is flushed. */
  [Symbol.dispose](): void {
    if (this.#phase === "over") return;
    this.flush();
    this.#end("its process has stopped");
  }

  #end(reason: string): void {
    this.#phase = "over";
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    for (const fault of this.#clockFaults) fault[Symbol.dispose]();
    for (const link of this.#links.values()) {
      link.held[Symbol.dispose]();
      link.connection?.abort(reason);
    }
    this.#early = [];
  }

  #fail(error: Error): void {
    if (this.#phase === "over") return;
    // Frames of the failed step must not leave: their sends may not be recorded.
    this.#end("its process failed");
    this.#listener.onFailure(error);
  }

  #step(input: Input, receipt?: Receipt): void {
    if (this.#phase !== "running") return;
    // A message's arrival has read them.
    if (input.kind !== "message") this.#journal.readClocks();
    let result: Step<unknown>;
    try {
      result = stepAny(this.#protocol, this.#state, input, this);
      this.#recordInput(input, receipt, result.picks);
      this.#state = result.state;
      this.#outbox.beginStep();
      for (const effect of result.effects) this.#apply(effect);
    } catch (error) {
      this.#fail(asFailure(error, this.#protocol.name, input));
      return;
    }
    this.#planFlush();
    if (this.#listener.onOutput === undefined) return;
    for (const effect of result.effects) {
      if (effect.kind === "output") this.#listener.onOutput(effect.value);
    }
  }

  #recordInput(input: Input, receipt: Receipt | undefined, picks: readonly number[]): void {
    if (input.kind === "message") {
      invariant(receipt !== undefined, "a message has a receipt");
      this.#journal.receive(input.from, receipt, picks);
      return;
    }
    // A user begins with the start and goes on after a restart.
    if (input.kind === "start" || input.kind === "restart") this.#forUser = true;
    this.#journal.input(input, picks);
  }

  #apply(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.#outbox.send(this.#linkTo(effect.to), effect.message);
        return;
      case "set-timer":
        this.#setTimer(effect.timer, effect.after);
        return;
      case "cancel-timer":
        this.#timers.get(effect.timer)?.[Symbol.dispose]();
        this.#timers.delete(effect.timer);
        return;
      case "save":
        if (this.#keep(effect.saved)) this.#journal.effect(effect);
        return;
      case "output":
      case "deliver":
        this.#forUser = true;
        this.#journal.effect(effect);
        return;
      case "explain":
        this.#journal.effect(effect);
        return;
    }
  }

  #setTimer(name: string, after: number): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    const { at } = this.#journal;
    const timer = callAt(this.#clock, at + this.#ownClock.referenceDuration(after, at), () => {
      this.#timers.delete(name);
      this.#step({ kind: "timer", timer: name });
    });
    this.#timers.set(name, timer);
  }

  /** Whether what the protocol saves can be kept; a fault or the disk may say no, and the protocol is not told. */
  #keep(saved: unknown): boolean {
    if (this.#injector.savesFail(this.place.self, this.#journal.at)) return false;
    // JSON.stringify gives undefined for what JSON cannot carry, against its declared type.
    const json: string | undefined = JSON.stringify(saved);
    const problem = this.#store.prepare(json ?? "null");
    if (problem !== undefined) this.#listener.onNotSaved?.(problem);
    return problem === undefined;
  }

  #onFrame(link: Link, bytes: Uint8Array, start: number, end: number): void {
    if (this.#phase === "running") {
      this.#receive(link, bytes, start, end);
    } else if (this.#phase === "new") {
      this.#earlyBytes += end - start;
      if (this.#early.length < EARLY_MAX && this.#earlyBytes <= EARLY_BYTES_MAX) {
        // Not `slice`, which shares the bytes when they are a Buffer.
        this.#early.push({ link, frame: Uint8Array.from(bytes.subarray(start, end)) });
      } else {
        this.#refuse(link, new HostError("peer-violation", `${link.peer} sent too much before the start`));
      }
    }
  }

  #receive(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const from = link.peer;
    let receipt: Receipt;
    let message: unknown;
    try {
      const arrived = this.#inbox.read(link, bytes, start, end);
      if (arrived === undefined) return;
      message = arrived.message;
      const problem = this.#problemOf?.(from, message);
      if (problem !== undefined) throw new HostError("peer-violation", `${from} sent ${problem}`, { from });
      link.received++;
      this.#journal.readClocks();
      if (!this.#injector.receives(this.place.self, this.#journal.at)) {
        this.#listener.onNotReceived?.(from, arrived.send);
        return;
      }
      receipt = { number: this.#live.receive(arrived.stamp), send: arrived.send };
    } catch (error) {
      // Frame, payload and clock errors are the peer's; anything else is ours.
      if (!(error instanceof LightconeError)) throw error;
      this.#refuse(link, error);
      return;
    }
    this.#step({ kind: "message", from, message }, receipt);
  }

  #refuse(link: Link, error: LightconeError): void {
    link.connection?.abort(escapeText(error.message));
    link.connection = undefined;
    this.#listener.onTrouble?.(error);
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    process.nextTick(() => this.flush());
  }

  #linkTo(peer: ProcessId): Link {
    const link = this.#links.get(peer);
    // The message is only built when it is needed: this runs for every send.
    if (link === undefined) invariant(false, `${this.place.self} sent to ${peer}, which is not in this run`);
    return link;
  }

  /** Steps of the clock that lie in the past have happened to this process too: the clock is the machine's. */
  #planClockFaults(): void {
    for (const point of scheduleOf(this.#faults)) {
      if (point.kind !== "clock" || point.process !== this.place.self) continue;
      const change = (): void => {
        this.#ownClock.step(point.step, point.at);
        this.#ownClock.setDrift(point.driftPpm, point.at);
      };
      if (point.at <= this.#clock.read()) change();
      else this.#clockFaults.push(callAt(this.#clock, point.at, change));
    }
  }
}

function asFailure(error: unknown, protocol: string, input: Input): Error {
  if (error instanceof HostError) return error;
  const what = input.kind === "message" ? `a message from ${input.from}` : `a ${input.kind}`;
  return new HostError(
    "protocol-failed",
    `${protocol} failed at ${what}: ${escapeText(messageOf(error))}`,
    {},
    { cause: error },
  );
}
