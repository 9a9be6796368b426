import type { ProcessId } from "../core/index.js";
import type { TraceEvent, TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/** Fewest and most messages of one entry, where they depend on who else competes. */
export interface MessageRange {
  readonly min: number;
  readonly max: number;
}

export interface MessageCountOptions {
  /** Entries of which the process explains this rule, as its last before it enters, cost nothing. */
  readonly freeBy?: string;
  /** A run in which the algorithm sends a message of such a kind, to repair what it suspects, is not counted. */
  readonly unless?: readonly string[];
}

/**
 * A run without faults costs exactly `perEntry(n)` protocol messages per entry: 2(n-1) for Ricart–Agrawala.
 *
 * Where that is a range, all entries together stay within it. Counts what the algorithm sends; the acknowledgements
 * of a link below it are not its messages. Says nothing of a run with faults, or of one that was cut short.
 */
export function messagesPerEntry(
  formula: string,
  perEntry: (processes: number, options: TraceHeader["options"]) => number | MessageRange,
  { freeBy, unless = [] }: MessageCountOptions = {},
): Checker {
  const name = "messages-per-entry";
  return {
    name,
    claim: `without faults, an entry costs ${formula.includes("…") ? "" : "exactly "}${formula} messages`,
    only: { runs: "runs without faults", includes: (run) => run.faults === "" },
    kinds: [
      ...(["send", "drop", "duplicate", "crash", "output"] as const),
      ...(freeBy === undefined ? [] : (["explain"] as const)),
    ],
    begin(run) {
      const lastRule = new Map<ProcessId, string>();
      let entries = 0;
      let free = 0;
      let messages = 0;
      let disturbed = false;
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "explain") lastRule.set(event.process, event.rule);
          else if (event.kind === "send") {
            if (isAlgorithmMessage(event)) messages++;
            if (unless.length > 0 && unless.includes(kindOf(event.message))) disturbed = true;
          } else if (event.kind === "drop" || event.kind === "duplicate" || event.kind === "crash")
            disturbed = true;
          else if (mutexOutput(event)?.kind === "entered") {
            entries++;
            if (freeBy !== undefined && lastRule.get(event.process) === freeBy) free++;
          }
        },
        finish(end) {
          const violations = new Violations(name);
          const expected = times(entries - free, perEntry(run.processes.length, run.options));
          if (disturbed || end.stopped !== "quiescent") return violations.found;
          judged = entries;
          if (messages >= expected.min && messages <= expected.max) return violations.found;
          const makes =
            expected.min === expected.max ? String(expected.min) : `${expected.min} to ${expected.max}`;
          const ofThemFree = free === 0 ? "" : `, ${free} of them free`;
          violations.add(
            `${messages} messages for ${entries} ${entries === 1 ? "entry" : "entries"} of ${run.processes.length} processes${ofThemFree}; ${formula} makes ${makes}`,
            [],
          );
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

function times(entries: number, each: number | MessageRange): MessageRange {
  const { min, max } = typeof each === "number" ? { min: each, max: each } : each;
  return { min: entries * min, max: entries * max };
}

/** The kind of the message inside all envelopes; empty when it has none. */
function kindOf(message: unknown): string {
  let inner = message;
  while (typeof inner === "object" && inner !== null && "body" in inner) inner = inner.body;
  if (typeof inner !== "object" || inner === null || !("kind" in inner)) return "";
  return typeof inner.kind === "string" ? inner.kind : "";
}

/** Whether a send carries the algorithm's own message, bare or in a link's envelope, rather than the link's upkeep. */
export function isAlgorithmMessage(event: TraceEvent & { kind: "send" }): boolean {
  const message = event.message;
  if (typeof message !== "object" || message === null) return true;
  // Every envelope of `reliable` and `fifo` says which incarnation it is for; those without a body are upkeep.
  return !("toEpoch" in message) || "body" in message;
}
