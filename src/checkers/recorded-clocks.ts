import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { Violations } from "./violations.js";

/**
 * The vector clocks that real processes recorded equal those derived from the trace.
 *
 * Recorded clocks are evidence: a mismatch means that the stamping, the wire or the trace is wrong. Events without a
 * recorded clock, all of a simulation's, have nothing to compare.
 */
export const recordedClocks: Checker = {
  name: "recorded-clocks",
  claim: "the vector clock a process recorded at an event is the one that the messages imply",
  only: { runs: "runs of real processes", includes: (run) => run.source === "processes" },
  begin(run) {
    const violations = new Violations("recorded-clocks");
    let compared = 0;
    return {
      observe(event, past) {
        const recorded = event.vector;
        if (recorded === undefined) return;
        compared++;
        const derived = run.processes.map((process) => past.known(process));
        if (recorded.length === derived.length && derived.every((count, k) => count === recorded[k])) return;
        violations.add(
          `${event.process} recorded [${recorded.join(", ")}] at ${idOf(event)}; its messages imply [${derived.join(", ")}]`,
          [idOf(event)],
        );
      },
      finish: () => violations.found,
      occasions: () => compared,
    };
  },
};
