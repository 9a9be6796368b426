import type { ProcessId } from "./ids.js";
import type { Context } from "./protocol.js";
import type { Duration, Instant } from "./time.js";

/** What a wrapper changes for the protocol inside it; everything else passes through. */
export interface Layer<Inner, InnerOutput> {
  send(to: ProcessId, message: Inner): void;
  save?(durable: unknown): void;
  output?(value: InnerOutput): void;
}

/**
 * The context that a wrapper gives to the protocol inside it: sends (and saves, and outputs) go through the layer,
 * the rest to `outer`. This is how `reliable(p)` and `fifo(p)` compose.
 *
 * A wrapper prefixes the names of its own timers with its name and "/", and hands all others inward.
 */
export function innerContext<Outer, Inner, Output>(
  outer: Context<Outer, Output>,
  layer: Layer<Inner, Output>,
): Context<Inner, Output> {
  return new InnerContext(outer, layer);
}

class InnerContext<Outer, Inner, Output> implements Context<Inner, Output> {
  readonly #outer: Context<Outer, Output>;
  readonly #layer: Layer<Inner, Output>;

  constructor(outer: Context<Outer, Output>, layer: Layer<Inner, Output>) {
    this.#outer = outer;
    this.#layer = layer;
  }

  get self(): ProcessId {
    return this.#outer.self;
  }

  get peers(): readonly ProcessId[] {
    return this.#outer.peers;
  }

  get processes(): readonly ProcessId[] {
    return this.#outer.processes;
  }

  get incarnation(): number {
    return this.#outer.incarnation;
  }

  get now(): Instant {
    return this.#outer.now;
  }

  send(to: ProcessId, message: Inner): void {
    this.#layer.send(to, message);
  }

  broadcast(message: Inner): void {
    for (const to of this.#outer.peers) this.#layer.send(to, message);
  }

  setTimer(name: string, after: Duration): void {
    this.#outer.setTimer(name, after);
  }

  cancelTimer(name: string): void {
    this.#outer.cancelTimer(name);
  }

  save(durable: unknown): void {
    if (this.#layer.save === undefined) this.#outer.save(durable);
    else this.#layer.save(durable);
  }

  output(value: Output): void {
    if (this.#layer.output === undefined) this.#outer.output(value);
    else this.#layer.output(value);
  }

  deliver(layer: string, from: ProcessId, sequence: number, message: unknown): void {
    this.#outer.deliver(layer, from, sequence, message);
  }

  choose<Option>(name: string, options: readonly Option[]): Option {
    return this.#outer.choose(name, options);
  }

  explain(rule: string, terms: Readonly<Record<string, unknown>>): void {
    this.#outer.explain(rule, terms);
  }
}
