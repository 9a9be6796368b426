import { idOf, type EventKind, type TraceHeader } from "../trace/index.js";
import type { Duration } from "../core/index.js";
import type { Checker } from "./checker.js";
import { roundOutput } from "./clock-output.js";
import { ClockTracks } from "./clock-tracks.js";
import { Violations } from "./violations.js";

/** Clocks are compared at these events only: elsewhere nothing new is learnt of them. */
const KINDS: readonly EventKind[] = ["start", "restart", "receive", "output", "crash"];

/** Rounding of the two readings and of their half difference. */
const ROUNDING: Duration = 4;

/**
 * What a master measured is true: each offset differs from that of the clocks in the trace by no more than the error
 * that it states, which is half a round trip.
 *
 * Says nothing of a clock that was corrected or set while it was measured. `driftPpmOf` gives ρ.
 */
export function offsetAccuracy(driftPpmOf: (run: TraceHeader) => number): Checker {
  const name = "offset-accuracy";
  return {
    name,
    claim: "every measured offset is right to within half a round trip",
    kinds: KINDS,
    begin(run) {
      const driftPpm = driftPpmOf(run);
      const violations = new Violations(name);
      const tracks = new ClockTracks(driftPpm);
      let judged = 0;
      return {
        observe(event) {
          if (!KINDS.includes(event.kind)) return;
          const { process, at } = event;
          tracks.observe(event);
          const round = roundOutput(event);
          const master = tracks.get(process);
          if (round === undefined || master === undefined) return;
          const began = at - round.took;
          if (began <= tracks.upsetAt || master.changedAt > began) return;
          for (const { process: slave, offset, error } of round.clocks) {
            const track = tracks.get(slave);
            if (slave === process || track === undefined || track.changedAt > began) continue;
            judged++;
            const truth = track.aim(at) - master.aim(at);
            const drift = Math.ceil((2 * driftPpm * (round.took + at - track.seenAt)) / 1_000_000);
            if (Math.abs(truth - offset) <= error + drift + ROUNDING) continue;
            violations.add(
              `${process} measured at ${idOf(event)} that ${slave} is ${offset} µs ahead, to ${error} µs; it is ${truth} µs`,
              [idOf(event)],
            );
          }
        },
        finish: () => violations.found,
        occasions: () => judged,
      };
    },
  };
}
