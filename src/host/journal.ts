import type { AdjustableClock, LiveVector } from "../clocks/index.js";
import type { Duration, Effect, Input, Instant, ProcessId } from "../core/index.js";
import { type DropReason, type InputEvent, type TraceEvent } from "../trace/index.js";
import type { Recorder } from "./recorder.js";
import type { RunClock } from "./run-clock.js";

/** A vector on every send and receive of a larger run would be most of its trace; it is evidence, not needed. */
export const RECORDED_VECTOR_MAX = 64;

/** Where a message came from: its send event at the sender, and the number its receipt has here. */
export interface Receipt {
  readonly number: number;
  readonly send: number;
}

/**
 * Counts the events of one process and writes them down, each with its number and the times of the present step.
 *
 * Events are counted whether or not there is a recorder: messages carry the count. Event literals are spelled out,
 * because an object spread costs several times what the rest of the line does.
 */
export class Journal {
  /** The reference axis at the present step. */
  at: Instant = 0;
  /** The process's own clock at the present step. */
  local: Instant = 0;
  readonly #self: ProcessId;
  readonly #incarnation: number;
  readonly #live: LiveVector;
  readonly #clock: RunClock;
  readonly #ownClock: AdjustableClock;
  readonly #recorder: Recorder | undefined;
  readonly #vectors: boolean;

  constructor(
    self: ProcessId,
    incarnation: number,
    live: LiveVector,
    clock: RunClock,
    ownClock: AdjustableClock,
    recorder: Recorder | undefined,
  ) {
    this.#self = self;
    this.#incarnation = incarnation;
    this.#live = live;
    this.#clock = clock;
    this.#ownClock = ownClock;
    this.#recorder = recorder;
    this.#vectors = live.size <= RECORDED_VECTOR_MAX;
  }

  /** Reads both clocks: a step begins, or something happens outside of steps. */
  readClocks(): void {
    this.at = this.#clock.read();
    this.local = this.#ownClock.read(this.at);
  }

  /** The receipt of a message has been counted already: its number came with merging the clocks. */
  receive(from: ProcessId, { number, send }: Receipt, picks: readonly number[]): void {
    if (this.#recorder === undefined) return;
    const [process, at, local] = [this.#self, this.at, this.local];
    if (this.#vectors) {
      const vector = this.#live.copy();
      this.#input({ process, number, at, local, vector, kind: "receive", from, send }, picks);
    } else {
      this.#input({ process, number, at, local, kind: "receive", from, send }, picks);
    }
  }

  /** Any other input. */
  input(input: Exclude<Input, { kind: "message" }>, picks: readonly number[]): void {
    const number = this.#live.tick();
    if (this.#recorder === undefined) return;
    const [process, at, local, incarnation] = [this.#self, this.at, this.local, this.#incarnation];
    switch (input.kind) {
      case "start":
        this.#input({ process, number, at, local, kind: "start", incarnation }, picks);
        return;
      case "restart": {
        const saved = input.saved === undefined ? {} : { saved: input.saved };
        this.#input({ process, number, at, local, kind: "restart", incarnation, ...saved }, picks);
        return;
      }
      case "timer":
        this.#input({ process, number, at, local, kind: "timer", timer: input.timer }, picks);
        return;
      case "command":
        this.#input({ process, number, at, local, kind: "command", command: input.command }, picks);
        return;
    }
  }

  /** Gives the number of the send event. */
  send(to: ProcessId, message: unknown): number {
    const number = this.#live.tick();
    if (this.#recorder === undefined) return number;
    const [process, at, local] = [this.#self, this.at, this.local];
    if (this.#vectors) {
      const vector = this.#live.copy();
      this.#write({ process, number, at, local, vector, kind: "send", to, message });
    } else {
      this.#write({ process, number, at, local, kind: "send", to, message });
    }
    return number;
  }

  effect(effect: Extract<Effect, { kind: "save" | "output" | "deliver" | "explain" }>): void {
    const number = this.#live.tick();
    if (this.#recorder === undefined) return;
    const [process, at, local] = [this.#self, this.at, this.local];
    switch (effect.kind) {
      case "save":
        this.#write({ process, number, at, local, kind: "save", saved: effect.saved });
        return;
      case "output":
        this.#write({ process, number, at, local, kind: "output", value: effect.value });
        return;
      case "deliver": {
        const { layer, from, sequence, message } = effect;
        this.#write({ process, number, at, local, kind: "deliver", layer, from, sequence, message });
        return;
      }
      case "explain":
        this.#write({ process, number, at, local, kind: "explain", rule: effect.rule, terms: effect.terms });
        return;
    }
  }

  drop(to: ProcessId, send: number, reason: DropReason): void {
    const [process, number, at, local] = [this.#self, this.#live.tick(), this.at, this.local];
    this.#write({ process, number, at, local, kind: "drop", from: process, send, to, reason });
  }

  duplicate(to: ProcessId, send: number, copies: number): void {
    const [process, number, at, local] = [this.#self, this.#live.tick(), this.at, this.local];
    this.#write({ process, number, at, local, kind: "duplicate", from: process, send, to, copies });
  }

  hold(to: ProcessId, send: number, by: Duration): void {
    const [process, number, at, local] = [this.#self, this.#live.tick(), this.at, this.local];
    this.#write({ process, number, at, local, kind: "hold", from: process, send, to, by, reason: "reorder" });
  }

  flush(): void {
    this.#recorder?.flush();
  }

  #input(event: InputEvent, picks: readonly number[]): void {
    this.#write(picks.length === 0 ? event : { ...event, picks });
  }

  #write(event: TraceEvent): void {
    this.#recorder?.append(event);
  }
}
