import type { ProcessId } from "./ids.js";
import type { Duration, Instant } from "./time.js";

/**
 * A deterministic state machine that performs no I/O: state and input in, next state and effects out. Same state and
 * input, same result, everywhere, for ever. Time, randomness, choice and delivery are inputs.
 *
 * `State`, `Message`, `Command` and `Output` are plain data (see `Plain`). A handler never changes the state it is
 * given; returning that same object says that nothing happened.
 */
export interface Protocol<State, Message, Command = never, Output = never> {
  readonly name: string;

  start(ctx: Context<Message, Output>): State;

  onMessage(state: State, from: ProcessId, message: Message, ctx: Context<Message, Output>): State;

  onTimer?(state: State, timer: string, ctx: Context<Message, Output>): State;

  onCommand?(state: State, command: Command, ctx: Context<Message, Output>): State;

  /** After a crash: only what was last given to `ctx.save` survives. Without this handler a restart is a `start`. */
  onRestart?(saved: unknown, ctx: Context<Message, Output>): State;
}

/** Any protocol, where its type parameters do not matter: the runners' view. */
// oxlint-disable-next-line typescript/no-explicit-any -- handlers are contravariant in every parameter; only `any` admits all protocols
export type AnyProtocol = Protocol<any, any, any, any>;

/** What a handler may do. Valid during its step alone; a later call throws. */
export interface Context<Message, Output = never> {
  readonly self: ProcessId;

  /** All the other processes, in the same order everywhere. */
  readonly peers: readonly ProcessId[];

  /** All processes, `self` included, in the same order everywhere. */
  readonly processes: readonly ProcessId[];

  /** 0 at the first start, one more after each restart. */
  readonly incarnation: number;

  /** This process's own clock, read once per step; it may be wrong. */
  readonly now: Instant;

  send(to: ProcessId, message: Message): void;

  /** A send to every peer, in their order. */
  broadcast(message: Message): void;

  /** Fires once, `after` from now by this process's clock; setting a name again replaces its timer. */
  setTimer(name: string, after: Duration): void;

  cancelTimer(name: string): void;

  /** Survives a crash, in effect before this step's sends leave; replaces what was saved before. */
  save(durable: unknown): void;

  /** To the application: entered, elected, synchronised. */
  output(value: Output): void;

  /**
   * Hands a peer's message over to the layer above: for links, the protocol inside; for a broadcast, the application.
   * `sequence` is its number among those of `from` in this layer, counted from 1.
   */
  deliver(layer: string, from: ProcessId, sequence: number, message: unknown): void;

  /** One of the options: seeded in simulation and host, each in turn under the explorer. Never empty. */
  choose<Option>(name: string, options: readonly Option[]): Option;

  /** Why: the rule that decided and its terms, such as `"ra.defer", { own: [4, "P2"], theirs: [5, "P3"] }`. */
  explain(rule: string, terms: Readonly<Record<string, unknown>>): void;
}
