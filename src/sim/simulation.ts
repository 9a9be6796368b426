import {
  firstUnplain,
  deepFreeze,
  invariant,
  NETWORK,
  placeOf,
  Random,
  SECOND,
  step,
  type AnyProtocol,
  type AnyUser,
  type Duration,
  type Effect,
  type Input,
  type Instant,
  type Place,
  type ProcessId,
  type RunSettings,
  type Surroundings,
  type UserPlace,
  type UserStep,
  type Step,
} from "../core/index.js";
import { AdjustableClock } from "../clocks/index.js";
import {
  createInjector,
  DELIVERED,
  NO_FAULTS,
  scheduleOf,
  type DelayFault,
  type FaultPlan,
  type Injector,
  type SchedulePoint,
} from "../faults/index.js";
import type { DropReason, InputEvent, StopReason, TraceEvent } from "../trace/index.js";
import { EventQueue } from "./event-queue.js";

/** Everything that decides a simulated run. */
export interface SimulationSettings extends RunSettings {
  readonly protocol: AnyProtocol;
  readonly user?: AnyUser;
  readonly faults?: FaultPlan;
  /**
   * Refuses states, messages and outputs that are no plain data, and freezes them, so that a handler which changes what
   * it was given is found. Costs more than the steps themselves; default off.
   */
  readonly strict?: boolean;
  /** Stops at this virtual time; default a minute. */
  readonly duration?: Duration;
  /** Stops after so many steps of all processes together; default a million. */
  readonly stepsMax?: number;
  /** Delay of the healthy network, uniform; default 0.2 to 1 ms. A link keeps its order. */
  readonly latency?: DelayFault;
}

const LATENCY: DelayFault = { min: 200, max: 1_000 };

/** Takes the events of a run, in an order that respects causality. */
export type Recorder = (event: TraceEvent) => void;

/**
 * A run in virtual time: one thread, one seed, no real clock. The same settings give the same events, everywhere.
 *
 * `record` absent: nothing is recorded, for measuring and for searches that look at states only.
 */
export class Simulation {
  readonly #settings: SimulationSettings;
  readonly #record: Recorder | undefined;
  readonly #injector: Injector;
  readonly #queue = new EventQueue<Due>();
  readonly #processes: SimulatedProcess[];
  readonly #byName: ReadonlyMap<ProcessId, SimulatedProcess>;
  readonly #links: readonly Link[];
  readonly #latencyMin: Duration;
  readonly #latencySpread: number;
  readonly #duration: Duration;
  readonly #stepsMax: number;
  #now: Instant = 0;
  #steps = 0;
  #failure: Error | undefined = undefined;
  #networkEvents = 0;

  constructor(settings: SimulationSettings, record?: Recorder) {
    const faults = settings.faults ?? NO_FAULTS;
    const latency = settings.latency ?? LATENCY;
    this.#settings = settings;
    this.#record = record;
    this.#injector = createInjector(faults, settings.processes, settings.seed);
    this.#processes = settings.processes.map((name, index) => new SimulatedProcess(name, index, settings));
    this.#byName = new Map(this.#processes.map((process) => [process.name, process]));
    this.#links = settings.processes.flatMap((from) =>
      settings.processes.map((to) => ({
        latency: Random.stream(settings.seed, `latency:${from}>${to}`),
        inLine: 0,
      })),
    );
    this.#latencyMin = latency.min;
    this.#latencySpread = latency.max - latency.min + 1;
    this.#duration = settings.duration ?? 60 * SECOND;
    this.#stepsMax = settings.stepsMax ?? 1_000_000;
    const schedule = scheduleOf(faults);
    for (const change of schedule) if (precedesStarts(change)) this.#queue.push(0, { kind: "fault", change });
    for (const process of this.#processes) this.#queue.push(0, { kind: "start", process });
    for (const change of schedule) {
      if (!precedesStarts(change)) this.#queue.push(change.at, { kind: "fault", change });
    }
  }

  /** Virtual time. */
  get now(): Instant {
    return this.#now;
  }

  /** What went wrong in a handler, once the run has ended as `failed`; its `cause` is what the handler threw. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Handlers run so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The current state of a process; `undefined` before its start and while it is down. */
  stateOf(process: ProcessId): unknown {
    return this.#byName.get(process)?.state;
  }

  /** Runs to the end and says why it ended. */
  run(): StopReason {
    for (;;) {
      const stopped = this.advance();
      if (stopped !== undefined) return stopped;
    }
  }

  /** Does the next thing that is due; gives the reason once there is nothing more to do. */
  advance(): StopReason | undefined {
    const queue = this.#queue;
    if (queue.size === 0) return "quiescent";
    if (this.#steps >= this.#stepsMax) return "event-limit";
    if (queue.nextAt > this.#duration) {
      return this.#onlyIdleWork() ? "quiescent" : "time-limit";
    }
    const at = queue.nextAt;
    const due = queue.pop();
    // What is void stays queued; it must not move the clock, or a run would seem to last longer than it did.
    if (isVoid(due)) return undefined;
    this.#now = at;
    try {
      this.#handle(due);
    } catch (error) {
      if (!(error instanceof ProtocolFailure)) throw error;
      this.#failure = error;
      return "failed";
    }
    return undefined;
  }

  /** Whether what is left beyond the end of the run could not make any process do anything. */
  #onlyIdleWork(): boolean {
    while (this.#queue.size > 0) {
      const due = this.#queue.pop();
      if (!isVoid(due) && !isMark(due)) return false;
    }
    return true;
  }

  #handle(due: Due): void {
    switch (due.kind) {
      case "start":
        this.#step(due.process, { kind: "start" });
        this.#instruct(due.process, this.#settings.user?.start(due.process.userPlace));
        return;
      case "arrival":
        this.#arrive(due);
        return;
      case "timer":
        if (this.#postponed(due.process, due)) return;
        due.process.timers.delete(due.timer);
        this.#step(due.process, { kind: "timer", timer: due.timer });
        return;
      case "command":
        if (this.#postponed(due.process, due)) return;
        this.#step(due.process, { kind: "command", command: due.command });
        return;
      case "fault":
        this.#change(due.change);
        return;
    }
  }

  #arrive(arrival: Arrival): void {
    const { to, from, send, message } = arrival;
    if (to.state === undefined) {
      this.#network({ kind: "drop", from: from.name, send, to: to.name, reason: "crashed" });
      return;
    }
    if (this.#postponed(to, arrival)) return;
    if (from !== to && !this.#injector.receives(to.name, this.#now)) {
      this.#network({ kind: "drop", from: from.name, send, to: to.name, reason: "failed-receive" });
      return;
    }
    this.#step(to, { kind: "message", from: from.name, message }, send);
  }

  /** A paused process takes nothing in; what reaches it waits, in order, until it resumes. */
  #postponed(process: SimulatedProcess, due: Due): boolean {
    if (process.postponed === undefined) return false;
    process.postponed.push(due);
    return true;
  }

  #step(process: SimulatedProcess, input: Input, send = 0): void {
    const local = process.clock === undefined ? this.#now : process.clock.read(this.#now);
    process.now = local;
    const { state, effects, picks } = this.#run(process, input);
    process.state = state;
    this.#steps++;
    if (this.#record !== undefined) this.#recordInput(process, input, local, send, picks);
    for (const effect of effects) this.#apply(process, effect, local);
    const user = this.#settings.user;
    if (user !== undefined && (user.onOutput !== undefined || user.onDeliver !== undefined)) {
      for (const effect of effects) {
        if (effect.kind === "output") {
          this.#instruct(process, user.onOutput?.(process.userState, effect.value, process.userPlace));
        } else if (effect.kind === "deliver") {
          this.#instruct(process, user.onDeliver?.(process.userState, effect, process.userPlace));
        }
      }
    }
  }

  /** The handler, and whose fault it is when it fails. */
  #run(process: SimulatedProcess, input: Input): Step<unknown> {
    try {
      const result = step(this.#settings.protocol, process.state, input, process);
      if (this.#settings.strict === true) keepPlain(result);
      return result;
    } catch (error) {
      throw new ProtocolFailure(process.name, input, error);
    }
  }

  #apply(process: SimulatedProcess, effect: Effect, local: Instant): void {
    const record = this.#record;
    const at = this.#now;
    switch (effect.kind) {
      case "send": {
        const number = ++process.events;
        record?.({
          process: process.name,
          number,
          at,
          local,
          kind: "send",
          to: effect.to,
          message: effect.message,
        });
        this.#transmit(process, effect.to, number, effect.message, local);
        return;
      }
      case "set-timer": {
        const timer: TimerDue = { kind: "timer", process, timer: effect.timer };
        process.timers.set(effect.timer, timer);
        const after =
          process.clock === undefined ? effect.after : process.clock.referenceDuration(effect.after, at);
        this.#queue.push(at + after, timer);
        return;
      }
      case "cancel-timer":
        process.timers.delete(effect.timer);
        return;
      case "save":
        if (this.#injector.savesFail(process.name, at)) return;
        process.saved = effect.saved;
        record?.({
          process: process.name,
          number: ++process.events,
          at,
          local,
          kind: "save",
          saved: effect.saved,
        });
        return;
      case "output":
        record?.({
          process: process.name,
          number: ++process.events,
          at,
          local,
          kind: "output",
          value: effect.value,
        });
        return;
      case "deliver":
        record?.({
          process: process.name,
          number: ++process.events,
          at,
          local,
          kind: "deliver",
          layer: effect.layer,
          from: effect.from,
          sequence: effect.sequence,
          message: effect.message,
        });
        return;
      case "explain":
        record?.({
          process: process.name,
          number: ++process.events,
          at,
          local,
          kind: "explain",
          rule: effect.rule,
          terms: effect.terms,
        });
        return;
    }
  }

  #transmit(
    process: SimulatedProcess,
    toName: ProcessId,
    send: number,
    message: unknown,
    local: Instant,
  ): void {
    const to = this.#byName.get(toName);
    if (to === undefined) {
      const known = this.#settings.processes.join(", ");
      throw new ProtocolFailure(process.name, undefined, `it sent to ${toName}; this run has ${known}`);
    }
    const link = this.#links[process.index * this.#processes.length + to.index];
    invariant(link !== undefined, "every pair of processes has a link");
    const verdict = this.#injector.verdict(process.name, toName, this.#now);
    const latency = this.#latencyMin + Math.floor((link.latency.uint32() / 2 ** 32) * this.#latencySpread);
    const due = this.#now + latency;
    if (verdict === DELIVERED) {
      link.inLine = Math.max(due, link.inLine);
      this.#queue.push(link.inLine, { kind: "arrival", from: process, to, send, message });
      return;
    }
    const { name } = process;
    const at = this.#now;
    const record = this.#record;
    if (verdict.kind === "drop") {
      const { reason } = verdict;
      const number = ++process.events;
      record?.({ process: name, number, at, local, kind: "drop", from: name, send, to: toName, reason });
      return;
    }
    const copies = verdict.arrivals.length;
    if (copies > 1) {
      const number = ++process.events;
      record?.({ process: name, number, at, local, kind: "duplicate", from: name, send, to: toName, copies });
    }
    for (const { after, overtakable, held } of verdict.arrivals) {
      if (held === "reorder") {
        const number = ++process.events;
        const by = after;
        record?.({
          process: name,
          number,
          at,
          local,
          kind: "hold",
          from: name,
          send,
          to: toName,
          by,
          reason: held,
        });
      }
      const arrival = Math.max(due + after, link.inLine);
      if (!overtakable) link.inLine = arrival;
      this.#queue.push(arrival, { kind: "arrival", from: process, to, send, message });
    }
  }

  #change(change: SchedulePoint): void {
    switch (change.kind) {
      case "crash": {
        const process = this.#process(change.process);
        const waiting = process.crash();
        this.#record?.({ process: process.name, number: ++process.events, at: this.#now, kind: "crash" });
        for (const due of waiting) if (due.kind === "arrival") this.#arrive(due);
        return;
      }
      case "restart": {
        const process = this.#process(change.process);
        process.incarnation++;
        process.picks = pickStream(this.#settings.seed, process);
        this.#step(process, { kind: "restart", saved: process.saved });
        const user = this.#settings.user;
        if (user === undefined) return;
        const again = user.onRestart?.(process.userState, process.userPlace) ?? user.start(process.userPlace);
        this.#instruct(process, again);
        return;
      }
      case "pause":
        this.#process(change.process).postponed ??= [];
        this.#network({ kind: "pause", target: change.process });
        return;
      case "resume": {
        const process = this.#process(change.process);
        const postponed = process.postponed ?? [];
        process.postponed = undefined;
        this.#network({ kind: "resume", target: change.process });
        // Now and not through the queue, where what arrives at this very instant might stand before it.
        for (const due of postponed) if (!isVoid(due)) this.#handle(due);
        return;
      }
      case "clock": {
        const process = this.#process(change.process);
        process.clock ??= new AdjustableClock();
        process.clock.step(change.step, this.#now);
        process.clock.setDrift(change.driftPpm, this.#now);
        this.#network({ kind: "fault", fault: change.fault, phase: "begin" });
        return;
      }
      case "begin":
      case "end":
        this.#network({ kind: "fault", fault: change.fault, phase: change.kind });
        return;
    }
  }

  #process(name: ProcessId): SimulatedProcess {
    const process = this.#byName.get(name);
    invariant(process !== undefined, `the fault plan names ${name}, which is not in this run`);
    return process;
  }

  /** Gives a user's commands their time; the user's clock is the reference axis. */
  #instruct(process: SimulatedProcess, userStep: UserStep<unknown, unknown> | undefined): void {
    if (userStep === undefined) return;
    process.userState = userStep.state;
    for (const { after, command } of userStep.commands) {
      this.#queue.push(this.#now + after, {
        kind: "command",
        process,
        command,
        incarnation: process.incarnation,
      });
    }
  }

  /** Writes the objects out field by field: spreading here took a seventh of a whole sweep. */
  #recordInput(
    process: SimulatedProcess,
    input: Input,
    local: Instant,
    send: number,
    picks: readonly number[],
  ): void {
    const record = this.#record;
    if (record === undefined) return;
    const at = this.#now;
    const number = ++process.events;
    const event = inputEvent(process, number, at, local, input, send);
    record(picks.length === 0 ? event : { ...event, picks });
  }

  #network(event: NetworkEvent): void {
    this.#record?.({ process: NETWORK, number: ++this.#networkEvents, at: this.#now, ...event });
  }
}

function inputEvent(
  { name, incarnation }: SimulatedProcess,
  number: number,
  at: Instant,
  local: Instant,
  input: Input,
  send: number,
): InputEvent {
  switch (input.kind) {
    case "start":
      return { process: name, number, at, local, kind: "start", incarnation };
    case "restart":
      return input.saved === undefined
        ? { process: name, number, at, local, kind: "restart", incarnation }
        : { process: name, number, at, local, kind: "restart", incarnation, saved: input.saved };
    case "message":
      return { process: name, number, at, local, kind: "receive", from: input.from, send };
    case "timer":
      return { process: name, number, at, local, kind: "timer", timer: input.timer };
    case "command":
      return { process: name, number, at, local, kind: "command", command: input.command };
  }
}

type NetworkEvent =
  | { kind: "drop"; from: ProcessId; send: number; to: ProcessId; reason: DropReason }
  | { kind: "pause" | "resume"; target: ProcessId }
  | { kind: "fault"; fault: string; phase: "begin" | "end" };

/** What waits in the queue. */
type Due =
  | { readonly kind: "start"; readonly process: SimulatedProcess }
  | Arrival
  | TimerDue
  | {
      readonly kind: "command";
      readonly process: SimulatedProcess;
      readonly command: unknown;
      readonly incarnation: number;
    }
  | { readonly kind: "fault"; readonly change: SchedulePoint };

const NOTHING_DUE: readonly Due[] = [];

/** A timer cancelled or replaced meanwhile; a command to a process that has crashed since. */
function isVoid(due: Due): boolean {
  switch (due.kind) {
    case "timer":
      return due.process.timers.get(due.timer) !== due;
    case "command":
      return due.incarnation !== due.process.incarnation || due.process.state === undefined;
    default:
      return false;
  }
}

/** A beginning or end that wakes nobody: it only stands in the trace. */
function isMark(due: Due): boolean {
  if (due.kind !== "fault") return false;
  const { kind } = due.change;
  return kind === "begin" || kind === "end" || kind === "clock";
}

/** At 0 s a clock is wrong and a link is cut from the start, but only a process that has started can crash or pause. */
function precedesStarts(change: SchedulePoint): boolean {
  return change.at === 0 && (change.kind === "begin" || change.kind === "clock");
}

interface Arrival {
  readonly kind: "arrival";
  readonly from: SimulatedProcess;
  readonly to: SimulatedProcess;
  /** Number of the send event on its lane. */
  readonly send: number;
  readonly message: unknown;
}

interface TimerDue {
  readonly kind: "timer";
  readonly process: SimulatedProcess;
  readonly timer: string;
}

/** One direction between two processes. */
interface Link {
  readonly latency: Random;
  /** Latest arrival so far of those that keep the link's order. */
  inLine: Instant;
}

/** A participant, and the surroundings of its steps. */
class SimulatedProcess implements Surroundings {
  readonly name: ProcessId;
  readonly index: number;
  readonly place: Place;
  readonly userPlace: UserPlace;
  readonly timers = new Map<string, TimerDue>();
  /** `undefined` before the start and while crashed. */
  state: unknown = undefined;
  saved: unknown = undefined;
  userState: unknown = undefined;
  incarnation = 0;
  /** Events on its lane so far. */
  events = 0;
  now: Instant = 0;
  /** Absent while the clock is right: most are, and reading one costs. */
  clock: AdjustableClock | undefined = undefined;
  /** Set while paused: what has become due since. */
  postponed: Due[] | undefined = undefined;
  picks: Random | undefined = undefined;
  readonly #seed: number;

  constructor(name: ProcessId, index: number, settings: SimulationSettings) {
    this.name = name;
    this.index = index;
    this.#seed = settings.seed;
    this.place = placeOf(settings.processes, name);
    const run = { processes: settings.processes, seed: settings.seed, options: settings.options };
    this.userPlace = { self: name, index, run, random: Random.stream(settings.seed, `user:${name}`) };
  }

  /** `Surroundings`: a stream of its own for each incarnation. */
  pick(_name: string, count: number): number {
    this.picks ??= pickStream(this.#seed, this);
    return this.picks.below(count);
  }

  /** Gives what waited for the end of a pause: it has reached nobody. */
  crash(): readonly Due[] {
    invariant(this.state !== undefined, `${this.name} crashed while it was down`);
    this.state = undefined;
    this.timers.clear();
    const waiting = this.postponed ?? NOTHING_DUE;
    if (this.postponed !== undefined) this.postponed = [];
    return waiting;
  }
}

/** A handler threw, or asked for what cannot be. The protocol's fault, so it ends the run and not the simulator. */
class ProtocolFailure extends Error {
  constructor(process: ProcessId, input: Input | undefined, cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const changes = /read only property|not extensible|Cannot (add|delete) property/.test(text);
    const reason = changes ? `${text}; a handler must not change what it is given` : text;
    super(`${process} failed${input === undefined ? "" : ` at ${inputText(input)}`}: ${reason}`, { cause });
  }
}

function inputText(input: Input): string {
  switch (input.kind) {
    case "start":
    case "restart":
      return `its ${input.kind}`;
    case "message":
      return `a message from ${input.from}`;
    case "timer":
      return `timer "${input.timer}"`;
    case "command":
      return "a command";
  }
}

/** Throws for what is no plain data, and freezes the rest. */
function keepPlain({ state, effects }: Step<unknown>): void {
  const kept: readonly (readonly [what: string, value: unknown])[] = [
    ["its state", state],
    ...effects.map((effect) => [`what it gave to ctx.${CALLS[effect.kind]}`, effect] as const),
  ];
  for (const [what, value] of kept) {
    const at = firstUnplain(value);
    invariant(at === undefined, `${what} is no plain data at ${String(at)}; use what JSON can carry`);
    deepFreeze(value);
  }
}

const CALLS: Readonly<Record<Effect["kind"], string>> = {
  send: "send",
  "set-timer": "setTimer",
  "cancel-timer": "cancelTimer",
  save: "save",
  output: "output",
  deliver: "deliver",
  explain: "explain",
};

function pickStream(seed: number, process: { name: ProcessId; incarnation: number }): Random {
  return Random.stream(seed, `choose:${process.name}:${process.incarnation}`);
}
