import type { ProcessId } from "./ids.js";
import { invariant } from "./invariant.js";
import type { AnyProtocol, Context, Protocol } from "./protocol.js";
import type { Duration, Instant } from "./time.js";

/** What happens to a process. Together with the clock reading and the picks it determines the step. */
export type Input<Message = unknown, Command = unknown> =
  | { readonly kind: "start" }
  | { readonly kind: "restart"; readonly saved: unknown }
  | { readonly kind: "message"; readonly from: ProcessId; readonly message: Message }
  | { readonly kind: "timer"; readonly timer: string }
  | { readonly kind: "command"; readonly command: Command };

/** What a step asks its surroundings to do, in the order asked. */
export type Effect<Message = unknown, Output = unknown> =
  | { readonly kind: "send"; readonly to: ProcessId; readonly message: Message }
  | { readonly kind: "set-timer"; readonly timer: string; readonly after: Duration }
  | { readonly kind: "cancel-timer"; readonly timer: string }
  | { readonly kind: "save"; readonly saved: unknown }
  | { readonly kind: "output"; readonly value: Output }
  | {
      readonly kind: "deliver";
      readonly layer: string;
      readonly from: ProcessId;
      readonly sequence: number;
      readonly message: unknown;
    }
  | { readonly kind: "explain"; readonly rule: string; readonly terms: Readonly<Record<string, unknown>> };

/** Where a process stands; the same object serves all of its steps. */
export interface Place {
  readonly self: ProcessId;
  readonly processes: readonly ProcessId[];
  readonly peers: readonly ProcessId[];
}

/** What a step may draw from besides its input. */
export interface Surroundings {
  readonly place: Place;
  readonly incarnation: number;
  readonly now: Instant;
  /** Index of the option taken, from 0 to `count` - 1. */
  pick(name: string, count: number): number;
}

export interface Step<State, Message = unknown, Output = unknown> {
  readonly state: State;
  readonly effects: readonly Effect<Message, Output>[];
  /** Indices that `choose` took, in order; empty for most steps. */
  readonly picks: readonly number[];
}

const NO_PICKS: readonly number[] = [];
const NO_EFFECTS: readonly never[] = [];

/** `place(["P1", "P2", "P3"], "P2")`: who one process is, and who the others are. */
export function placeOf(processes: readonly ProcessId[], self: ProcessId): Place {
  invariant(processes.includes(self), `${self} is not one of ${processes.join(", ")}`);
  return { self, processes, peers: processes.filter((process) => process !== self) };
}

/**
 * Runs one handler: the only dispatcher. Simulator, host, explorer and replay all come through here.
 *
 * Throws what the handler throws; the state before the step is then still the process's state.
 */
export function step<State, Message, Command, Output>(
  protocol: Protocol<State, Message, Command, Output>,
  state: State | undefined,
  input: Input<Message, Command>,
  surroundings: Surroundings,
): Step<State, Message, Output> {
  const ctx = new StepContext<Message, Output>(surroundings);
  try {
    const next = dispatch(protocol, state, input, ctx);
    // Here and below a message is only built when it is needed: this runs for every step.
    if (next === undefined)
      invariant(
        false,
        `${protocol.name} returned nothing from a ${input.kind}; a handler returns the next state`,
      );
    return { state: next, effects: ctx.effects, picks: ctx.picks };
  } finally {
    ctx.over = true;
  }
}

/** {@link step} for runners that hold protocols of unknown type. */
export const stepAny: (
  protocol: AnyProtocol,
  state: unknown,
  input: Input,
  surroundings: Surroundings,
) => Step<unknown> = step;

function dispatch<State, Message, Command, Output>(
  protocol: Protocol<State, Message, Command, Output>,
  state: State | undefined,
  input: Input<Message, Command>,
  ctx: Context<Message, Output>,
): State {
  if (input.kind === "start") return protocol.start(ctx);
  if (input.kind === "restart") {
    return protocol.onRestart === undefined ? protocol.start(ctx) : protocol.onRestart(input.saved, ctx);
  }
  if (state === undefined)
    invariant(false, `${protocol.name}: a ${input.kind} reached a process that has not started`);
  switch (input.kind) {
    case "message":
      return protocol.onMessage(state, input.from, input.message, ctx);
    case "timer":
      invariant(
        protocol.onTimer !== undefined,
        `${protocol.name} set timer "${input.timer}" but has no onTimer`,
      );
      return protocol.onTimer(state, input.timer, ctx);
    case "command":
      invariant(protocol.onCommand !== undefined, `${protocol.name} takes no commands`);
      return protocol.onCommand(state, input.command, ctx);
  }
}

class StepContext<Message, Output> implements Context<Message, Output> {
  picks: readonly number[] = NO_PICKS;
  over = false;
  readonly #surroundings: Surroundings;
  #effects: Effect<Message, Output>[] | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get effects(): readonly Effect<Message, Output>[] {
    return this.#effects ?? NO_EFFECTS;
  }

  get self(): ProcessId {
    return this.#surroundings.place.self;
  }

  get peers(): readonly ProcessId[] {
    return this.#surroundings.place.peers;
  }

  get processes(): readonly ProcessId[] {
    return this.#surroundings.place.processes;
  }

  get incarnation(): number {
    return this.#surroundings.incarnation;
  }

  get now(): Instant {
    return this.#surroundings.now;
  }

  send(to: ProcessId, message: Message): void {
    this.#effect({ kind: "send", to, message });
  }

  broadcast(message: Message): void {
    for (const to of this.#surroundings.place.peers) this.#effect({ kind: "send", to, message });
  }

  setTimer(timer: string, after: Duration): void {
    invariant(
      Number.isSafeInteger(after) && after >= 0,
      `timer "${timer}" set to ${after}; whole microseconds from 0 up`,
    );
    this.#effect({ kind: "set-timer", timer, after });
  }

  cancelTimer(timer: string): void {
    this.#effect({ kind: "cancel-timer", timer });
  }

  save(saved: unknown): void {
    this.#effect({ kind: "save", saved });
  }

  output(value: Output): void {
    this.#effect({ kind: "output", value });
  }

  deliver(layer: string, from: ProcessId, sequence: number, message: unknown): void {
    this.#effect({ kind: "deliver", layer, from, sequence, message });
  }

  choose<Option>(name: string, options: readonly Option[]): Option {
    invariant(!this.over, "a context is valid during its step only");
    invariant(options.length > 0, `choose("${name}") has no options`);
    const index = options.length === 1 ? 0 : this.#surroundings.pick(name, options.length);
    if (options.length > 1) this.picks = [...this.picks, index];
    const option = options[index];
    invariant(index in options, `choose("${name}") was given option ${index} of ${options.length}`);
    return option as Option;
  }

  explain(rule: string, terms: Readonly<Record<string, unknown>>): void {
    this.#effect({ kind: "explain", rule, terms });
  }

  #effect(effect: Effect<Message, Output>): void {
    invariant(!this.over, "a context is valid during its step only");
    // Made at the size that most steps need: a list that grows from nothing takes room for seventeen.
    if (this.#effects === undefined) this.#effects = [effect];
    else this.#effects.push(effect);
  }
}
