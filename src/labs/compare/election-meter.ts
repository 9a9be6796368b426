import { electionOutput, isAlgorithmMessage } from "../../checkers/index.js";
import type { Instant, ProcessId } from "../../core/index.js";
import type { TraceEvent } from "../../trace/index.js";
import type { Meter, Reading } from "./family.js";

/** Measures a run of elections: what it costs until one leads, and how long until all know. */
export class ElectionMeter implements Meter {
  #messages = 0;
  #won = 0;
  #began: Instant | undefined;
  #decided: Instant | undefined;
  #known: Instant | undefined;
  readonly #electing = new Set<ProcessId>();

  observe(event: TraceEvent): void {
    if (event.kind === "send" && isAlgorithmMessage(event)) this.#messages++;
    if (event.kind === "crash") this.#electing.delete(event.process);
    const output = electionOutput(event);
    if (output === undefined) return;
    if (output.kind === "started") {
      this.#began ??= event.at;
      this.#electing.add(event.process);
      return;
    }
    this.#electing.delete(event.process);
    this.#known = event.at;
    if (output.leader !== event.process) return;
    this.#won++;
    this.#decided = event.at;
  }

  finish(): Reading {
    const values: Record<string, number> = { won: this.#won };
    if (this.#began !== undefined) {
      if (this.#decided !== undefined) values["decided"] = this.#decided - this.#began;
      if (this.#known !== undefined) values["known"] = this.#known - this.#began;
    }
    // The work is one election, however many processes take the lead on the way.
    return {
      operations: this.#won > 0 ? 1 : 0,
      messages: this.#messages,
      values,
      unfinished: this.#electing.size,
    };
  }
}
