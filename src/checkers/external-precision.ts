import type { Duration, Instant, ProcessId } from "../core/index.js";
import { idOf, type EventKind, type TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { roundOutput, type RoundOutputRead } from "./clock-output.js";
import { ClockTracks } from "./clock-tracks.js";
import { Violations } from "./violations.js";

/** Clocks are compared at these events only: elsewhere nothing new is learnt of them. */
const KINDS: readonly EventKind[] = ["start", "restart", "receive", "output", "crash"];

/** Rounding of the readings, of the offset and of the mean. */
const ROUNDING: Duration = 4;

/**
 * A client's clock, once corrected, is no further from each server that it trusts than its last round says: the error of
 * that server's offset, and how far the correction was from that offset; and 2ρ of the time since.
 *
 * A correction that is still being slewed counts as made. Says nothing after a host's clock was set, until a round that
 * rests on nothing older. `driftPpmOf` gives ρ.
 */
export function externalPrecision(driftPpmOf: (run: TraceHeader) => number): Checker {
  const name = "external-precision";
  return {
    name,
    claim: "a corrected clock is as close to the servers it trusts as its last round says",
    kinds: KINDS,
    begin(run) {
      const driftPpm = driftPpmOf(run);
      const violations = new Violations(name);
      const tracks = new ClockTracks(driftPpm);
      const rounds = new Map<
        ProcessId,
        { readonly found: RoundOutputRead; readonly began: Instant; made: boolean }
      >();
      const told = new Set<string>();
      let compared = 0;
      return {
        observe(event) {
          if (!KINDS.includes(event.kind)) return;
          const { process, at } = event;
          const output = tracks.observe(event);
          const found = roundOutput(event);
          if (found !== undefined) rounds.set(process, { found, began: at - found.took, made: false });
          const round = rounds.get(process);
          const client = tracks.get(process);
          if (round === undefined || client === undefined || !client.up) return;
          if (output?.cause === "slew" || output?.cause === "step") round.made = true;
          if (!round.made || round.began <= tracks.upsetAt) return;
          const { clocks, averaged, average } = round.found;
          for (const { process: server, offset, error } of clocks) {
            const track = tracks.get(server);
            if (!averaged.includes(server) || server === process || track === undefined || !track.up)
              continue;
            compared++;
            const aged = Math.ceil((2 * driftPpm * (at - round.began)) / 1_000_000);
            const most = error + Math.abs(offset - average) + aged;
            const apart = Math.abs(client.aim(at) - track.aim(at));
            if (apart <= most + tracks.unsure(track, at) + ROUNDING) continue;
            const which = `${process} ${server} ${round.found.round.join("/")}`;
            if (told.has(which)) continue;
            told.add(which);
            violations.add(
              `${process} is ${apart} µs from ${server} at ${idOf(event)}; its round ${round.found.round[1]} says at most ${most} µs`,
              [idOf(event)],
            );
          }
        },
        finish: () => violations.found,
        occasions: () => compared,
      };
    },
  };
}
