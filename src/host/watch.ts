import { performance } from "node:perf_hooks";
import { stillness, type Report } from "./quiescence.js";
import type { Supervised } from "./supervised.js";

const START_MS_MAX = 15_000;
/** More for each participant: they share the cores, and each pair of them a connection. */
const START_MS_EACH = 250;
const ANSWER_MS_MAX = 10_000;
/** Everybody's answer tells of everybody: 32 participants are asked every 41 ms, 64 every 164 ms. */
const POLL_MS_EACH_PAIR = 1 / 25;
/** At the end of the run a silence of that long is worth a word; or of half the run, if that is less. */
const SILENCE_MS_MIN = 1_000;

// Far longer than a datagram is under way on one machine whose processes answer.
const QUIET_MS_MIN = 500;

export interface WatchOptions {
  /** Whether the transport between the participants loses nothing; default true. */
  readonly lossless?: boolean | undefined;
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
  #stillSinceMs = 0;
  #lastRoundMs = 0;
  #polledMs = 0;

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
    const now = performance.now();
    if (now - this.#polledMs < POLL_MS_EACH_PAIR * this.#all.length ** 2) return false;
    this.#polledMs = now;
    const still = quiet ? this.#stillness(running) : undefined;
    const { lossless = true } = this.#options;
    if (still === undefined || still !== this.#still) this.#stillSinceMs = now;
    else if (lossless || now - this.#stillSinceMs >= QUIET_MS_MIN) return true;
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
    return stillness(reports, this.#options.lossless);
  }

  /** Names the participants that are asked and do not answer, when they have been silent for a while. */
  silent(durationMs: number): string | undefined {
    const now = performance.now();
    const silences = this.#all
      .filter((one) => one.phase === "running" && one.isAlive && !one.paused && one.poll < this.#poll)
      .map((one) => ({ one, silentMs: now - one.heardMs }))
      .filter(({ silentMs }) => silentMs >= Math.min(SILENCE_MS_MIN, durationMs / 2))
      .map(({ one, silentMs }) => notAnswered(one, silentMs));
    return silences.length === 0 ? undefined : silences.join(", ");
  }

  #hanging(begun: boolean): string | undefined {
    const startMsUsual = START_MS_MAX + START_MS_EACH * this.#all.length;
    const { startMsMax = startMsUsual, answerMsMax = ANSWER_MS_MAX } = this.#options;
    const now = performance.now();
    // After a pause of this process itself nobody else is to blame: what they said is still waiting to be read.
    const wasAway = now - this.#lastRoundMs > 1_000;
    this.#lastRoundMs = now;
    for (const one of this.#all) {
      if (wasAway) one.heardMs = now;
      if (!one.isAlive || one.paused) continue;
      // Who listens is waiting for others; a dead one for its plan.
      if (one.phase === "crashed" || one.phase === "listening") continue;
      const silentMs = now - one.heardMs;
      if (one.phase === "running" && begun) {
        // Who has answered the last poll is waiting for those who have not.
        if (one.poll < this.#poll && silentMs >= answerMsMax) return notAnswered(one, silentMs);
      } else if (silentMs >= startMsMax) {
        const words = one.child?.lastWords ?? "";
        const what = one.phase === "starting" ? "start" : "connect to its peers";
        return `${one.process} did not ${what} within ${inSeconds(silentMs)}${words === "" ? "" : `: ${words}`}`;
      }
    }
    return undefined;
  }
}

function notAnswered({ process, child }: Supervised, silentMs: number): string {
  const doing = child?.state;
  const why =
    doing === "stopped"
      ? " (a signal has stopped it)"
      : doing === "busy"
        ? " (it is busy: a handler that does not return?)"
        : "";
  return `${process} has not answered for ${inSeconds(silentMs)}${why}`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
