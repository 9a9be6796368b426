import {
  Random,
  type AnyUser,
  type ProcessId,
  type RunSettings,
  type UserPlace,
  type UserStep,
} from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";
import { callAt, type RunClock } from "./run-clock.js";

/** Carries a command to its process; called at the command's time. */
export type GiveCommand = (process: ProcessId, command: unknown) => void;

/** Most commands of one process that wait for their time; a user that gives more at once is a mistake. */
export const COMMANDS_WAITING_MAX = 100_000;

/**
 * The users of a real run: they live with the supervisor, see the recorded outputs and deliveries of their process,
 * and have their commands carried to it. What a user sees is in the trace already.
 */
export class Users implements Disposable {
  readonly #user: AnyUser | undefined;
  readonly #clock: RunClock;
  readonly #give: GiveCommand;
  readonly #seats = new Map<ProcessId, Seat>();

  constructor(user: AnyUser | undefined, run: RunSettings, clock: RunClock, give: GiveCommand) {
    this.#user = user;
    this.#clock = clock;
    this.#give = give;
    for (const [index, self] of run.processes.entries()) {
      const random = Random.stream(run.seed, `user:${self}`);
      this.#seats.set(self, { place: { self, index, run, random }, state: undefined, waiting: new Set() });
    }
  }

  /** Commands that wait for their time. */
  get waiting(): number {
    let waiting = 0;
    for (const seat of this.#seats.values()) waiting += seat.waiting.size;
    return waiting;
  }

  /** Looks at an event of a process as its lane goes on; events of one process come in their order. */
  observe(event: TraceEvent): void {
    const user = this.#user;
    const seat = this.#seats.get(event.process);
    if (user === undefined || seat === undefined) return;
    switch (event.kind) {
      case "start":
        this.#instruct(seat, user.start(seat.place));
        return;
      case "restart":
        this.#instruct(seat, user.onRestart?.(seat.state, seat.place) ?? user.start(seat.place));
        return;
      case "output":
        if (user.onOutput !== undefined)
          this.#instruct(seat, user.onOutput(seat.state, event.value, seat.place));
        return;
      case "deliver":
        if (user.onDeliver !== undefined) this.#instruct(seat, user.onDeliver(seat.state, event, seat.place));
        return;
      case "crash":
        // Commands given before a crash are void.
        cancel(seat);
        return;
      default:
        return;
    }
  }

  #instruct(seat: Seat, step: UserStep<unknown, unknown>): void {
    seat.state = step.state;
    const now = this.#clock.read();
    for (const { after, command } of step.commands) {
      if (seat.waiting.size >= COMMANDS_WAITING_MAX) {
        throw new RangeError(`the user of ${seat.place.self} has ${COMMANDS_WAITING_MAX} commands waiting`);
      }
      if (after <= 0) {
        this.#give(seat.place.self, command);
        continue;
      }
      const due = callAt(this.#clock, now + after, () => {
        seat.waiting.delete(due);
        this.#give(seat.place.self, command);
      });
      seat.waiting.add(due);
    }
  }

  /** Forgets every command that has not been given. */
  [Symbol.dispose](): void {
    for (const seat of this.#seats.values()) cancel(seat);
  }
}

interface Seat {
  readonly place: UserPlace;
  state: unknown;
  readonly waiting: Set<Disposable>;
}

function cancel(seat: Seat): void {
  for (const due of seat.waiting) due[Symbol.dispose]();
  seat.waiting.clear();
}
