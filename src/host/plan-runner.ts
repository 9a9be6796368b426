import { performance } from "node:perf_hooks";
import { invariant, type Duration, type ProcessId } from "../core/index.js";
import { scheduleOf, type FaultPlan, type SchedulePoint } from "../faults/index.js";
import type { Collector } from "./collector.js";
import { callAt, type RunClock } from "./run-clock.js";
import type { Supervised } from "./supervised.js";

/** Peers have that long to say which messages to a crashed process had left, before it is restarted. Milliseconds. */
const LOST_MS_MAX = 500;

export interface PlanRunnerOptions {
  readonly all: readonly Supervised[];
  readonly faults: FaultPlan;
  readonly clock: RunClock;
  readonly collector: Collector;
  /** Starts the next incarnation of a participant. */
  readonly spawn: (one: Supervised) => void;
  /** Runs something whose error ends the run. */
  readonly guard: (action: () => void) => void;
}

/**
 * Does to the participants what the plan says, at its times: crash is SIGKILL, pause SIGSTOP. Faults of links, clocks
 * and disks act in the participants by themselves and are only recorded here.
 */
export class PlanRunner implements Disposable {
  readonly #options: PlanRunnerOptions;
  readonly #due: Disposable[] = [];
  /** The last crash or restart of each participant; never rejects. */
  readonly #turns = new Map<ProcessId, Promise<void>>();
  #left = 0;
  #over = false;

  constructor(options: PlanRunnerOptions) {
    this.#options = options;
  }

  /** What is still to be done, or not finished yet. */
  get left(): number {
    return this.#left;
  }

  /** The run begins now; what lies beyond its duration is left out. */
  begin(duration: Duration): void {
    const { faults, clock, guard } = this.#options;
    for (const point of scheduleOf(faults)) {
      if (point.at > duration) continue;
      this.#left++;
      const act = (): void => {
        this.#left--;
        guard(() => this.#act(point));
      };
      this.#due.push(callAt(clock, point.at, act));
    }
  }

  /** A restarted participant runs again. */
  restarted(): void {
    this.#left--;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const due of this.#due) due[Symbol.dispose]();
  }

  #act(point: SchedulePoint): void {
    const { collector, clock } = this.#options;
    switch (point.kind) {
      case "crash":
        this.#inTurn(this.#named(point.process), (one) => this.#crash(one));
        return;
      case "restart":
        this.#inTurn(this.#named(point.process), (one) => this.#restart(one));
        return;
      case "pause":
      case "resume":
        this.#pause(this.#named(point.process), point.kind);
        return;
      case "clock":
        collector.network({ kind: "fault", fault: point.fault, phase: "begin" }, clock.read());
        return;
      case "begin":
      case "end":
        collector.network({ kind: "fault", fault: point.fault, phase: point.kind }, clock.read());
        return;
    }
  }

  #pause(one: Supervised, kind: "pause" | "resume"): void {
    one.paused = kind === "pause";
    one.heardMs = performance.now();
    if (one.phase !== "crashed") one.child?.signal(one.paused ? "SIGSTOP" : "SIGCONT");
    this.#options.collector.network({ kind, target: one.process }, this.#options.clock.read());
  }

  /** Both take a while: what comes next for the same participant waits, so that no crash misses a restart before it. */
  #inTurn(one: Supervised, action: (one: Supervised) => Promise<void>): void {
    this.#left++;
    const before = this.#turns.get(one.process) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (!this.#over) await action(one);
      this.#left--;
    });
    this.#turns.set(one.process, turn);
  }

  async #crash(one: Supervised): Promise<void> {
    if (one.phase === "crashed" || one.phase === "gone") return;
    // A restart that has not got as far as running is over, too.
    if (one.phase !== "running") this.#left--;
    one.phase = "crashed";
    one.lossesAwaited = new Set();
    one.child?.signal("SIGKILL");
    await one.child?.exited;
    one.channel?.abort("crashed");
    if (!this.#over) this.#options.guard(() => this.#crashed(one));
  }

  #crashed(one: Supervised): void {
    one.lane.crash(this.#options.clock.read());
    for (const other of this.#options.all) {
      if (!other.isReachable) continue;
      if (!other.paused) one.lossesAwaited.add(other.process);
      other.send({ kind: "peer-down", process: one.process });
    }
  }

  async #restart(one: Supervised): Promise<void> {
    if (one.phase !== "crashed") return;
    // Before it comes back, or a message to its new incarnation could be taken for one that the old one lost.
    if (one.lossesAwaited.size > 0) await lossesKnown(one);
    if (this.#over) return;
    one.incarnation++;
    // Until it runs again: see `restarted`.
    this.#left++;
    this.#options.guard(() => this.#options.spawn(one));
  }

  #named(process: ProcessId): Supervised {
    const one = this.#options.all.find((other) => other.process === process);
    invariant(one !== undefined, `the plan names ${process}, which is not in this run`);
    return one;
  }
}

function lossesKnown(one: Supervised): Promise<void> {
  return new Promise((resolve) => {
    const timeout = setTimeout(resolve, LOST_MS_MAX);
    one.onLossesKnown = () => {
      clearTimeout(timeout);
      resolve();
    };
  });
}
