import type { Duration, Instant, ProcessId } from "../core/index.js";
import { idOf, type EventKind, type TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { clockOutput } from "./clock-output.js";
import { ClockTracks } from "./clock-tracks.js";
import { Violations } from "./violations.js";

/** Clocks are compared at these events only: elsewhere nothing new is learnt of them. */
const KINDS: readonly EventKind[] = ["start", "restart", "receive", "timer", "output"];

/**
 * A corrected clock never shows less than it did, and is slewed rather than set: only a correction of more than
 * `stepBeyond` may be made at once.
 *
 * Says nothing of what a clock does while its process is down and has lost what it had saved.
 */
export function clockMonotonic(stepBeyondOf: (run: TraceHeader) => Duration): Checker {
  const name = "clock-monotonic";
  return {
    name,
    claim: "no clock runs backward or jumps, unless it is too far out to be slewed",
    kinds: KINDS,
    begin(run) {
      const stepBeyond = stepBeyondOf(run);
      const violations = new Violations(name);
      const tracks = new ClockTracks();
      const shown = new Map<ProcessId, Instant>();
      let judged = 0;
      return {
        observe(event) {
          if (!KINDS.includes(event.kind)) return;
          const { process, at, local } = event;
          const before = local === undefined ? undefined : tracks.get(process);
          if (before !== undefined && local !== undefined) before.see(at, local);
          const went = before?.reading(at);
          const output = clockOutput(event);
          tracks.observe(event);
          const now = tracks.get(process)?.reading(at);
          if (now === undefined || local === undefined) return;
          const last = shown.get(process);
          // A host's clock that is set back takes the corrected one with it until the process sees to it, in the same step.
          if (output !== undefined || last === undefined || now > last) shown.set(process, now);
          if (output !== undefined && output.reading !== now) {
            violations.add(
              `${process} says at ${idOf(event)} that it shows ${output.reading} µs; its course gives ${now}`,
              [idOf(event)],
            );
          }
          if (last === undefined || went === undefined) return;
          // With its memory a process may lose corrections.
          if (output?.cause === "start" || event.kind === "restart") return;
          judged++;
          const jump =
            output?.cause === "step" || output?.cause === "slew" || output?.cause === "arrived"
              ? now - went
              : 0;
          if (output?.cause === "step" && Math.abs(jump) > stepBeyond) return;
          if (jump !== 0) {
            violations.add(
              `${process} jumps by ${jump} µs at ${idOf(event)}; up to ${stepBeyond} µs it must slew`,
              [idOf(event)],
            );
          } else if (now < last && output !== undefined) {
            violations.add(`${process} runs backward by ${last - now} µs at ${idOf(event)}`, [idOf(event)]);
          }
        },
        finish: () => violations.found,
        occasions: () => judged,
      };
    },
  };
}
