import type { Duration, Effect, Input, Instant, Place, ProcessId, Protocol } from "../../src/core/index.js";
import { deepFreeze, firstUnplain, invariant, placeOf, Random, step } from "../../src/core/index.js";

/** How the network treats messages. Each is delayed on its own, so with `min` < `max` they overtake each other. */
export interface Weather<Message> {
  readonly seed: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly delay?: readonly [min: Duration, max: Duration];
  /** Loses exactly these, besides what chance takes. Called once per message, in the order sent. */
  drops?(packet: Packet<Message>): boolean;
}

export interface Packet<Message> {
  readonly from: ProcessId;
  readonly to: ProcessId;
  readonly message: Message;
  readonly at: Instant;
}

/** What a process did, and when. */
export interface Deed<Message, Output> {
  readonly at: Instant;
  readonly process: ProcessId;
  readonly incarnation: number;
  readonly effect: Effect<Message, Output>;
}

interface Participant<State> {
  readonly place: Place;
  state: State | undefined;
  up: boolean;
  incarnation: number;
  saved: unknown;
  readonly timers: Map<string, number>;
}

interface Happening {
  readonly at: Instant;
  readonly run: () => void;
}

/**
 * A few processes and a seeded bad network, for tests of protocols alone: every step goes through core's `step`, every
 * state and message is checked to be plain data and frozen, so that a handler that changes its state fails at once.
 */
export class PureNetwork<State, Message, Command, Output> {
  readonly deeds: Deed<Message, Output>[] = [];
  now: Instant = 0;
  readonly #protocol: Protocol<State, Message, Command, Output>;
  readonly #weather: Weather<Message>;
  readonly #random: Random;
  readonly #places = new Map<ProcessId, Participant<State>>();
  readonly #happenings: Happening[] = [];
  #timersSet = 0;

  constructor(
    protocol: Protocol<State, Message, Command, Output>,
    processes: readonly ProcessId[],
    weather: Weather<Message>,
  ) {
    this.#protocol = protocol;
    this.#weather = weather;
    this.#random = Random.stream(weather.seed, "pure-network");
    for (const self of processes) {
      const place = placeOf(processes, self);
      this.#places.set(self, {
        place,
        state: undefined,
        up: true,
        incarnation: 0,
        saved: undefined,
        timers: new Map(),
      });
    }
    for (const self of processes) this.#step(self, { kind: "start" });
  }

  command(process: ProcessId, command: Command, at: Instant = this.now): void {
    this.#plan(at, () => {
      if (this.#at(process).up) this.#step(process, { kind: "command", command });
    });
  }

  /** A message that nobody sent, or sent long ago, arrives. */
  inject(from: ProcessId, to: ProcessId, message: Message, at: Instant = this.now): void {
    this.#plan(at, () => {
      if (this.#at(to).up) this.#step(to, { kind: "message", from, message: deepFreeze(message) });
    });
  }

  crash(process: ProcessId, at: Instant = this.now): void {
    this.#plan(at, () => {
      const place = this.#at(process);
      place.up = false;
      place.state = undefined;
      place.timers.clear();
    });
  }

  restart(process: ProcessId, at: Instant = this.now): void {
    this.#plan(at, () => {
      const place = this.#at(process);
      place.up = true;
      place.incarnation += 1;
      this.#step(process, { kind: "restart", saved: place.saved });
    });
  }

  /** Until nothing is left to happen, or one of the bounds is reached. */
  run(bounds: { readonly until?: Instant; readonly stepsMax?: number } = {}): "quiescent" | "bound" {
    const until = bounds.until ?? Infinity;
    let steps = bounds.stepsMax ?? 20_000;
    for (;;) {
      const next = this.#happenings.at(-1);
      if (next === undefined) return "quiescent";
      if (next.at > until || steps-- === 0) return "bound";
      this.#happenings.pop();
      this.now = next.at;
      next.run();
    }
  }

  state(process: ProcessId): State {
    const { state } = this.#at(process);
    invariant(state !== undefined, `${process} is down`);
    return state;
  }

  liveTimers(process: ProcessId): readonly string[] {
    return [...this.#at(process).timers.keys()];
  }

  outputs(process: ProcessId): Output[] {
    return this.deeds.flatMap((deed) =>
      deed.process === process && deed.effect.kind === "output" ? [deed.effect.value] : [],
    );
  }

  sent(process: ProcessId): Message[] {
    return this.deeds.flatMap((deed) =>
      deed.process === process && deed.effect.kind === "send" ? [deed.effect.message] : [],
    );
  }

  /** Terms of every time `process` explained `rule`. */
  explained(process: ProcessId, rule: string): Readonly<Record<string, unknown>>[] {
    return this.deeds.flatMap(({ process: who, effect }) =>
      who === process && effect.kind === "explain" && effect.rule === rule ? [effect.terms] : [],
    );
  }

  /** Sequence numbers that `layer` handed over at `process`, as `from:sequence`, in order. */
  handedOver(process: ProcessId, layer: string): string[] {
    return this.deeds.flatMap(({ process: who, effect }) =>
      who === process && effect.kind === "deliver" && effect.layer === layer
        ? [`${effect.from}:${effect.sequence}`]
        : [],
    );
  }

  #at(process: ProcessId): Participant<State> {
    const place = this.#places.get(process);
    invariant(place !== undefined, `${process} is not in this network`);
    return place;
  }

  #step(process: ProcessId, input: Input<Message, Command>): void {
    const at = this.#at(process);
    const { state, effects } = step(this.#protocol, at.state, input, {
      place: at.place,
      incarnation: at.incarnation,
      now: this.now,
      pick: (_, count) => this.#random.below(count),
    });
    invariant(
      firstUnplain(state) === undefined,
      `state of ${process} is not plain data at ${firstUnplain(state)}`,
    );
    at.state = deepFreeze(state);
    for (const effect of effects) {
      this.deeds.push({ at: this.now, process, incarnation: at.incarnation, effect });
      this.#apply(process, at, effect);
    }
  }

  #apply(process: ProcessId, at: Participant<State>, effect: Effect<Message, Output>): void {
    switch (effect.kind) {
      case "send":
        invariant(firstUnplain(effect.message) === undefined, `a message of ${process} is not plain data`);
        this.#carry({ from: process, to: effect.to, message: deepFreeze(effect.message), at: this.now });
        break;
      case "set-timer": {
        const serial = ++this.#timersSet;
        at.timers.set(effect.timer, serial);
        this.#plan(this.now + effect.after, () => {
          if (at.timers.get(effect.timer) !== serial) return;
          at.timers.delete(effect.timer);
          this.#step(process, { kind: "timer", timer: effect.timer });
        });
        break;
      }
      case "cancel-timer":
        at.timers.delete(effect.timer);
        break;
      case "save":
        at.saved = effect.saved;
        break;
      case "output":
      case "deliver":
      case "explain":
        break;
    }
  }

  #carry(packet: Packet<Message>): void {
    const { loss = 0, duplicate = 0, delay: [min, max] = [1_000, 1_000] } = this.#weather;
    const lost = this.#random.chance(loss);
    const copies = this.#random.chance(duplicate) ? 2 : 1;
    if (this.#weather.drops?.(packet) === true || lost) return;
    for (let i = 0; i < copies; i++) {
      this.#plan(this.now + this.#random.between(min, max), () => {
        if (!this.#at(packet.to).up) return;
        this.#step(packet.to, { kind: "message", from: packet.from, message: packet.message });
      });
    }
  }

  /** Kept latest first, so that the next one is popped off the end; of two at the same time the first planned. */
  #plan(at: Instant, run: () => void): void {
    let index = this.#happenings.length;
    while (index > 0 && (this.#happenings[index - 1] as Happening).at <= at) index--;
    this.#happenings.splice(index, 0, { at, run });
  }
}
