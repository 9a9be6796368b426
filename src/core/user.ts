import type { ProcessId } from "./ids.js";
import type { Random } from "./random.js";
import type { Duration } from "./time.js";

/** What the parts of a lab are told about the run they are in. */
export interface RunSettings {
  readonly processes: readonly ProcessId[];
  readonly seed: number;
  readonly options: Readonly<Record<string, number | string | boolean>>;
}

/**
 * The person or program at each process: gives commands at the start, in answer to outputs and to deliveries. It
 * stands outside the process, so it survives a crash of it. Plain state, like a protocol's.
 */
export interface User<State, Command, Output> {
  start(at: UserPlace): UserStep<State, Command>;

  onOutput?(state: State, output: Output, at: UserPlace): UserStep<State, Command>;

  /** Sees every `ctx.deliver` of its process, those of links included: look at `layer`. */
  onDeliver?(state: State, delivery: Delivery, at: UserPlace): UserStep<State, Command>;

  /** After its process crashed and came back; commands given before the crash are void. Default: `start` again. */
  onRestart?(state: State, at: UserPlace): UserStep<State, Command>;
}

/** Any user, where its type parameters do not matter: the runners' view. */
// oxlint-disable-next-line typescript/no-explicit-any -- contravariant in every parameter; only `any` admits all users
export type AnyUser = User<any, any, any>;

export interface Delivery {
  readonly layer: string;
  readonly from: ProcessId;
  readonly sequence: number;
  readonly message: unknown;
}

export interface UserPlace {
  readonly self: ProcessId;
  /** Place in the run's order of processes, from 0. */
  readonly index: number;
  readonly run: RunSettings;
  /** This user's own stream: `Random.stream(seed, "user:P1")`, the same in a simulation and in a real run. */
  readonly random: Random;
}

export interface UserStep<State, Command> {
  readonly state: State;
  readonly commands: readonly Timed<Command>[];
}

/** A command to give `after` from now on the reference axis. */
export interface Timed<Command> {
  readonly after: Duration;
  readonly command: Command;
}
