import { performance } from "node:perf_hooks";
import { stillness, type Report } from "./quiescence.js";
import type { Supervised } from "./supervised.js";

const START_MS_MAX = 15_000;
const ANSWER_MS_MAX = 10_000;

export interface WatchOptions {
  readonly startMsMax?: number | undefined;
  readonly answerMsMax?: number | undefined;
}

/** What a round of watching found. */
export type Finding =
  | { readonly kind: "busy" }
  /** Nothing is going on any more. */
  | { readonly kind: "quiescent" }
  /** A participant hangs. */
  | { readonly kind: "hanging"; readonly detail: string };

const BUSY: Finding = { kind: "busy" };

/** Asks all participants, round by round, what they are doing; finds out when nothing is going on, and who hangs. */
export class Watch {
  readonly #all: readonly Supervised[];
  readonly #options: WatchOptions;
  #poll = 0;
  #still: string | undefined;
  #lastRoundMs = 0;

  constructor(all: readonly Supervised[], options: WatchOptions) {
    this.#all = all;
    this.#options = options;
  }

  /** The participant runs from now on and is asked from the next poll on. */
  welcome(one: Supervised): void {
    one.poll = this.#poll;
    one.status = undefined;
  }

  /** `begun`: all have been told to go. `quiet`: nobody outside is about to do anything either. */
  round(begun: boolean, quiet: boolean): Finding {
    const hanging = this.#hanging(begun);
    if (hanging !== undefined) return { kind: "hanging", detail: hanging };
    return begun && this.#asked(quiet) ? { kind: "quiescent" } : BUSY;
  }

  /** Judges the answers of the last poll once all are there, and asks again. */
  #asked(quiet: boolean): boolean {
    const running = this.#all.filter((one) => one.phase === "running");
    if (running.some((one) => one.poll < this.#poll)) return false;
    const still = quiet ? this.#stillness(running) : undefined;
    if (still !== undefined && still === this.#still) return true;
    this.#still = still;
    this.#poll++;
    for (const one of running) one.send({ kind: "poll", poll: this.#poll });
    return false;
  }

  #stillness(running: readonly Supervised[]): string | undefined {
    const reports: Report[] = [];
    for (const { process, status, commandsGiven, lane } of running) {
      if (status === undefined) return undefined;
      reports.push({ process, status, commandsGiven, read: lane.number });
    }
    return stillness(reports);
  }

  #hanging(begun: boolean): string | undefined {
    const { startMsMax = START_MS_MAX, answerMsMax = ANSWER_MS_MAX } = this.#options;
    const now = performance.now();
    // After a pause of this process itself nobody else is to blame: what they said is still waiting to be read.
    const wasAway = now - this.#lastRoundMs > 1_000;
    this.#lastRoundMs = now;
    for (const one of this.#all) {
      if (wasAway) one.heardMs = now;
      if (!one.isAlive || one.phase === "crashed" || one.paused) continue;
      const silentMs = now - one.heardMs;
      const silence = `${(silentMs / 1000).toFixed(1)} s`;
      if (one.phase === "running" && begun) {
        // Who has answered the last poll is waiting for those who have not.
        if (one.poll < this.#poll && silentMs >= answerMsMax)
          return `${one.process} has not answered for ${silence}`;
      } else if (silentMs >= startMsMax) {
        const words = one.child?.lastWords ?? "";
        const what = one.phase === "starting" ? "start" : "connect to its peers";
        return `${one.process} did not ${what} within ${silence}${words === "" ? "" : `: ${words}`}`;
      }
    }
    return undefined;
  }
}
