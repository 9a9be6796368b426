import type { Duration, Instant, ProcessId } from "../core/index.js";
import { idOf, type EventKind, type TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { roundOutput, type RoundRead } from "./clock-output.js";
import { ClockTracks, type ClockTrack } from "./clock-tracks.js";
import { Violations } from "./violations.js";

/** Clocks are compared at these events only: elsewhere nothing new is learnt of them. */
const KINDS: readonly EventKind[] = ["start", "restart", "receive", "output", "crash"];

/** What a precision rests on. */
export interface ClockBound {
  /** ρ: the most that a host's clock may gain or lose, in parts per million. */
  readonly driftPpm: number;
  /** τ, between the beginnings of two rounds. */
  readonly period: Duration;
  /** W, from the first poll of a round to its last correction. */
  readonly span: Duration;
  /** Samples with a longer round trip do not count. */
  readonly roundTripMax: Duration;
  /** The least that a message takes, if it is known; 0 otherwise. */
  readonly delayMin: Duration;
}

/** The most that an offset can be measured wrong: known before anything is measured. */
export function errorMax({ roundTripMax, delayMin }: ClockBound): Duration {
  return Math.max(0, Math.ceil(roundTripMax / 2) - delayMin);
}

/**
 * How far two clocks may be apart that were corrected in the same round: 2E + 2ρ(τ+W), in microseconds.
 *
 * E is `error`, the most that an offset was measured wrong; `age` is the time since the round began, which counts when
 * no later round has come in τ+W. Follows from C_i = truth ± E after a correction and two clocks that drift apart.
 */
export function clockBound(
  { driftPpm, period, span }: ClockBound,
  error: Duration,
  age: Duration = 0,
): Duration {
  return 2 * error + Math.ceil((2 * driftPpm * Math.max(period + span, age)) / 1_000_000);
}

/** Offsets, means and corrections are whole microseconds, each rounded once. */
const ROUNDING: Duration = 4;

/** Rounds whose error is remembered; a clock corrected in an older one is not judged. */
const ROUNDS_MAX = 64;

/** What a checker knows of a finished round. */
export interface RoundKnown {
  /** The most that an offset was measured wrong. */
  readonly error: Duration;
  /** On the reference axis. */
  readonly began: Instant;
}

/** Errors and beginnings of the latest rounds. */
export class RoundsKnown {
  readonly #rounds = new Map<string, RoundKnown>();

  add([epoch, round]: RoundRead, known: RoundKnown): void {
    this.#rounds.set(`${epoch}/${round}`, known);
    if (this.#rounds.size <= ROUNDS_MAX) return;
    for (const oldest of this.#rounds.keys()) {
      this.#rounds.delete(oldest);
      return;
    }
  }

  get([epoch, round]: RoundRead): RoundKnown | undefined {
    return this.#rounds.get(`${epoch}/${round}`);
  }
}

/**
 * Clocks that were corrected in the same round stay together, as close as {@link clockBound} allows.
 *
 * A correction that is still being slewed counts as made. When a host's clock leaves the reference axis faster than ρ,
 * as when somebody sets it, clocks are judged again from the next round on that begins after that was seen.
 */
export function clockPrecision(boundOf: (run: TraceHeader) => ClockBound): Checker {
  const name = "clock-precision";
  return {
    name,
    claim: "clocks corrected in the same round are no further apart than 2E + 2ρ(τ+W)",
    kinds: KINDS,
    begin(run) {
      const bound = boundOf(run);
      const violations = new Violations(name);
      const tracks = new ClockTracks(bound.driftPpm);
      const rounds = new RoundsKnown();
      const told = new Set<string>();
      let compared = 0;

      const compare = (one: ClockTrack, other: ClockTrack, at: Instant, id: string): void => {
        const { round } = one.last;
        if (!other.up || other.last.round[0] !== round[0] || other.last.round[1] !== round[1]) return;
        const known = rounds.get(round);
        if (known === undefined || known.began <= tracks.upsetAt) return;
        compared++;
        const unsure = tracks.unsure(other, at);
        const most = clockBound(bound, known.error, at - known.began);
        const apart = Math.abs(one.aim(at) - other.aim(at));
        if (apart <= most + unsure + ROUNDING) return;
        const which = pairOf(one.process, other.process, round);
        if (told.has(which)) return;
        told.add(which);
        violations.add(
          `${one.process} and ${other.process} are ${apart} µs apart at ${id}, after round ${round[1]} of epoch ${round[0]}; at most ${most} µs are allowed`,
          [id],
        );
      };

      return {
        observe(event) {
          if (!KINDS.includes(event.kind)) return;
          const { at } = event;
          tracks.observe(event);
          const round = roundOutput(event);
          if (round !== undefined) {
            const error = Math.max(0, ...round.clocks.map((clock) => clock.error));
            if (error > errorMax(bound)) {
              violations.add(
                `${event.process} averages at ${idOf(event)} what may be wrong by ${error} µs; half a round trip of ${bound.roundTripMax} µs is the most that counts`,
                [idOf(event)],
              );
            }
            rounds.add(round.round, { error, began: at - round.took });
          }
          const one = tracks.get(event.process);
          if (one === undefined || !one.up || one.last.round[1] === 0) return;
          for (const other of tracks.all()) if (other !== one) compare(one, other, at, idOf(event));
        },
        finish: () => violations.found,
        occasions: () => compared,
      };
    },
  };
}

function pairOf(one: ProcessId, other: ProcessId, [epoch, round]: RoundRead): string {
  return `${[one, other].sort().join("/")} ${epoch}/${round}`;
}
