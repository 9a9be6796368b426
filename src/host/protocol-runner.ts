import {
  placeOf,
  step,
  type Effect,
  type Input,
  type Instant,
  type ProcessId,
  type Protocol,
} from "../core/index.js";
import { callAt, RunClock } from "./run-clock.js";

export interface RunnerSurroundings<Message, Output> {
  readonly self: ProcessId;
  /** Those the protocol is told of, `self` among them. */
  readonly processes: readonly ProcessId[];
  readonly incarnation: number;
  send(to: ProcessId, message: Message): void;
  output?(value: Output): void;
  /** Looks on: what is handed over to the layer above, and why things are decided. */
  observe?(effect: Extract<Effect, { kind: "deliver" | "explain" }>): void;
  /** Index of the option taken, from 0 to `count` - 1; at random unless given. */
  pick?(name: string, count: number): number;
  /**
   * Keeps it before anything else of the step happens. `false`: it could not be kept, and the step has not happened:
   * the state stays, nothing is sent.
   */
  save?(saved: unknown): boolean;
}

/** Runs a protocol in this program, with its clock and timers, without recording: for services. */
export class ProtocolRunner<State, Message, Command, Output> implements Disposable {
  readonly #protocol: Protocol<State, Message, Command, Output>;
  readonly #around: RunnerSurroundings<Message, Output>;
  readonly #place;
  readonly #clock = new RunClock();
  readonly #timers = new Map<string, Disposable>();
  #state: State | undefined;

  constructor(
    protocol: Protocol<State, Message, Command, Output>,
    around: RunnerSurroundings<Message, Output>,
    saved?: unknown,
  ) {
    this.#protocol = protocol;
    this.#around = around;
    this.#place = placeOf(around.processes, around.self);
    this.#step(saved === undefined ? { kind: "start" } : { kind: "restart", saved });
  }

  message(from: ProcessId, message: Message): void {
    this.#step({ kind: "message", from, message });
  }

  command(command: Command): void {
    this.#step({ kind: "command", command });
  }

  /** Fires every timer whose name begins so, now instead of later. */
  hurry(prefix: string): void {
    const names = [...this.#timers.keys()].filter((name) => name.startsWith(prefix));
    for (const name of names) this.#fire(name);
  }

  /** Between steps: what no message of the protocol can say. */
  change(change: (state: State) => State): void {
    if (this.#state !== undefined) this.#state = change(this.#state);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#state = undefined;
  }

  #fire(timer: string): void {
    if (!this.#timers.has(timer)) return;
    this.#cancel(timer);
    this.#step({ kind: "timer", timer });
  }

  #cancel(timer: string): void {
    this.#timers.get(timer)?.[Symbol.dispose]();
    this.#timers.delete(timer);
  }

  #step(input: Input<Message, Command>): void {
    const now: Instant = this.#clock.read();
    const { state, effects } = step(this.#protocol, this.#state, input, {
      place: this.#place,
      incarnation: this.#around.incarnation,
      now,
      pick: (name, count) => this.#around.pick?.(name, count) ?? Math.floor(Math.random() * count),
    });
    for (const effect of effects) {
      if (effect.kind === "save" && this.#around.save?.(effect.saved) === false) return;
    }
    this.#state = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#around.send(effect.to, effect.message);
          break;
        case "set-timer": {
          const { timer, after } = effect;
          this.#cancel(timer);
          this.#timers.set(
            timer,
            callAt(this.#clock, now + after, () => this.#fire(timer)),
          );
          break;
        }
        case "cancel-timer":
          this.#cancel(effect.timer);
          break;
        case "output":
          this.#around.output?.(effect.value);
          break;
        case "deliver":
        case "explain":
          this.#around.observe?.(effect);
          break;
        case "save":
          break;
      }
    }
  }
}
