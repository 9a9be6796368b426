import type { TraceEvent } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/**
 * A run without faults costs exactly `perEntry(n)` protocol messages per entry: 2(n-1) for Ricart–Agrawala.
 *
 * Counts what the algorithm sends; the acknowledgements of a link below it are not its messages. Says nothing of a run
 * with faults, or of one that was cut short.
 */
export function messagesPerEntry(formula: string, perEntry: (processes: number) => number): Checker {
  const name = "messages-per-entry";
  return {
    name,
    claim: `without faults, an entry costs exactly ${formula} messages`,
    only: { runs: "runs without faults", includes: (run) => run.faults === "" },
    kinds: ["send", "drop", "duplicate", "crash", "output"],
    begin(run) {
      let entries = 0;
      let messages = 0;
      let disturbed = false;
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "send" && isAlgorithmMessage(event)) messages++;
          else if (event.kind === "drop" || event.kind === "duplicate" || event.kind === "crash")
            disturbed = true;
          else if (mutexOutput(event)?.kind === "entered") entries++;
        },
        finish(end) {
          const violations = new Violations(name);
          const expected = entries * perEntry(run.processes.length);
          if (disturbed || end.stopped !== "quiescent") return violations.found;
          judged = entries;
          if (messages === expected) return violations.found;
          violations.add(
            `${messages} messages for ${entries} ${entries === 1 ? "entry" : "entries"} of ${run.processes.length} processes; ${formula} makes ${expected}`,
            [],
          );
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

/** Whether a send carries the algorithm's own message, bare or in a link's envelope, rather than the link's upkeep. */
function isAlgorithmMessage(event: TraceEvent & { kind: "send" }): boolean {
  const message = event.message;
  if (typeof message !== "object" || message === null) return true;
  // Every envelope of `reliable` and `fifo` says which incarnation it is for; those without a body are upkeep.
  return !("toEpoch" in message) || "body" in message;
}
