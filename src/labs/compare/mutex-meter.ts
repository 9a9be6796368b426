import { isAlgorithmMessage, mutexOutput } from "../../checkers/index.js";
import type { Instant, ProcessId } from "../../core/index.js";
import type { TraceEvent } from "../../trace/index.js";
import type { Meter, Reading } from "./family.js";

interface Wait {
  readonly since: Instant;
  /** How often each other process has entered since. */
  readonly overtakenBy: Map<ProcessId, number>;
}

/** Measures a run of mutual exclusion: what an entry costs, how long it takes, and who is overtaken. */
export class MutexMeter implements Meter {
  #messages = 0;
  #entries = 0;
  #waited = 0;
  #overtaken = 0;
  #handovers = 0;
  #handoverTime = 0;
  /** The last exit, if somebody waited then. */
  #left: Instant | undefined;
  readonly #waiting = new Map<ProcessId, Wait>();

  observe(event: TraceEvent): void {
    if (event.kind === "send" && isAlgorithmMessage(event)) this.#messages++;
    if (event.kind === "crash") this.#waiting.delete(event.process);
    switch (mutexOutput(event)?.kind) {
      case "requested":
        this.#waiting.set(event.process, { since: event.at, overtakenBy: new Map() });
        break;
      case "entered":
        this.#entered(event.process, event.at);
        break;
      case "exited":
        this.#left = this.#waiting.size > 0 ? event.at : undefined;
        break;
      case undefined:
        break;
    }
  }

  finish(): Reading {
    const values: Record<string, number> = {};
    if (this.#entries > 0) values["wait"] = this.#waited / this.#entries;
    if (this.#handovers > 0) values["handover"] = this.#handoverTime / this.#handovers;
    values["overtaken"] = this.#overtaken;
    return {
      operations: this.#entries,
      messages: this.#messages,
      values,
      unfinished: this.#waiting.size,
    };
  }

  #entered(process: ProcessId, at: Instant): void {
    const wait = this.#waiting.get(process);
    this.#entries++;
    // Who asked only after the exit does not tell how fast the section is handed over.
    if (this.#left !== undefined && wait !== undefined && wait.since <= this.#left) {
      this.#handovers++;
      this.#handoverTime += at - this.#left;
    }
    this.#left = undefined;
    if (wait !== undefined) this.#waited += at - wait.since;
    this.#waiting.delete(process);
    for (const { overtakenBy } of this.#waiting.values()) {
      const times = (overtakenBy.get(process) ?? 0) + 1;
      overtakenBy.set(process, times);
      this.#overtaken = Math.max(this.#overtaken, times);
    }
  }
}
