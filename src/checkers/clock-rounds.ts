import type { Duration, ProcessId } from "../core/index.js";
import { idOf, type TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import {
  clockOutput,
  masterOutput,
  roundOutput,
  type RoundOutputRead,
  type RoundRead,
} from "./clock-output.js";
import { Violations } from "./violations.js";

/** A round corrects by the mean of the largest set of clocks within γ, the master's own among the candidates. */
export const faultTolerantMean: Checker = {
  name: "fault-tolerant-mean",
  claim:
    "each round corrects by the mean of the largest set of clocks within γ, the master's own counted too",
  kinds: ["output"],
  begin() {
    const violations = new Violations("fault-tolerant-mean");
    let judged = 0;
    return {
      observe(event) {
        const round = roundOutput(event);
        if (round === undefined) return;
        judged++;
        const wrong = wrongIn(round, event.process);
        if (wrong === undefined) return;
        violations.add(`round ${round.round[1]} of ${event.process}, ${idOf(event)}: ${wrong}`, [
          idOf(event),
        ]);
      },
      finish: () => violations.found,
      occasions: () => judged,
    };
  },
};

function wrongIn(
  { clocks, averaged, average, gamma }: RoundOutputRead,
  master: ProcessId,
): string | undefined {
  const own = clocks.find(({ process }) => process === master);
  if (own?.offset !== 0) return "the master's own clock is not among those it compares, with 0";
  const members = clocks.filter(({ process }) => averaged.includes(process)).map(({ offset }) => offset);
  if (members.length !== averaged.length || members.length === 0) return "it averages clocks it did not hear";
  const lowest = Math.min(...members);
  if (Math.max(...members) - lowest > gamma) return `it averages clocks more than ${gamma} µs apart`;
  const largest = largestWithin(
    clocks.map(({ offset }) => offset),
    gamma,
  );
  if (members.length < largest)
    return `it averages ${members.length} clocks, and ${largest} are within ${gamma} µs`;
  const mean = lowest + members.reduce((sum, offset) => sum + (offset - lowest), 0) / members.length;
  return Math.abs(mean - average) <= 1
    ? undefined
    : `it moves its clock by ${average} µs, and the mean is ${mean}`;
}

/** Counts for each clock those from it up to γ above: the plain definition, not the algorithm. */
function largestWithin(offsets: readonly Duration[], gamma: Duration): number {
  return Math.max(
    0,
    ...offsets.map((low) => offsets.filter((offset) => offset >= low && offset - low <= gamma).length),
  );
}

/** No process makes a correction of a round twice, or one of an earlier round after a later one. */
export const correctionsInOrder: Checker = {
  name: "corrections-in-order",
  claim: "a clock is corrected once in each round, and never by an earlier round after a later one",
  kinds: ["output"],
  begin() {
    const violations = new Violations("corrections-in-order");
    const last = new Map<ProcessId, { readonly round: RoundRead; readonly id: string }>();
    let judged = 0;
    return {
      observe(event) {
        const output = clockOutput(event);
        if (output === undefined) return;
        const { round, cause } = output;
        if (cause === "start") last.delete(event.process);
        if (cause !== "slew" && cause !== "step") return;
        judged++;
        const before = last.get(event.process);
        last.set(event.process, { round, id: idOf(event) });
        if (before === undefined || isLater(round, before.round)) return;
        violations.add(
          `${event.process} is corrected by round ${round[1]} of epoch ${round[0]} at ${idOf(event)}, after round ${before.round[1]} of epoch ${before.round[0]} at ${before.id}`,
          [idOf(event), before.id],
        );
      },
      finish: () => violations.found,
      occasions: () => judged,
    };
  },
};

function isLater(a: RoundRead, b: RoundRead): boolean {
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

/** An epoch has one master. */
export const oneMasterPerEpoch: Checker = {
  name: "one-master-per-epoch",
  claim: "no two processes are master of the same epoch, and none is twice",
  kinds: ["output"],
  begin() {
    const violations = new Violations("one-master-per-epoch");
    const masters = new Map<number, string>();
    return {
      observe(event) {
        const epoch = masterOutput(event);
        if (epoch === undefined) return;
        const before = masters.get(epoch);
        if (before === undefined) masters.set(epoch, idOf(event));
        else
          violations.add(`epoch ${epoch} begins at ${idOf(event)}, and began at ${before} before`, [
            idOf(event),
            before,
          ]);
      },
      finish: () => violations.found,
      occasions: () => masters.size,
    };
  },
};

/** What the rounds of a protocol cost. */
export interface RoundCost {
  /** In words: `(2m+2)(n-1)`. */
  readonly formula: string;
  /** Kinds of the messages that count. */
  readonly kinds: readonly string[];
  /** Of each round that somebody told of. */
  readonly of: (run: TraceHeader) => { readonly messages: number; readonly corrections: number };
}

/**
 * A round without faults corrects everybody whom it is for, and costs exactly what the formula says.
 *
 * Says nothing of a run with faults, of one that was cut short, or in which an answer came too late to count.
 */
export function roundCost({ formula, kinds, of }: RoundCost): Checker {
  const name = "round-cost";
  return {
    name,
    claim: `without faults, a round corrects everybody it is for, with ${formula} messages`,
    only: { runs: "runs without faults", includes: (run) => run.faults === "" },
    kinds: ["send", "output", "explain"],
    begin(run) {
      const cost = of(run);
      let messages = 0;
      let corrections = 0;
      let rounds = 0;
      let disturbed = false;
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "explain") disturbed ||= DISTURBED.includes(event.rule);
          else if (event.kind === "send") messages += isOneOf(kinds, event.message) ? 1 : 0;
          else if (roundOutput(event) !== undefined) rounds++;
          else {
            const cause = clockOutput(event)?.cause;
            if (cause === "slew" || cause === "step") corrections++;
          }
        },
        finish(end) {
          const violations = new Violations(name);
          if (disturbed || end.stopped !== "quiescent") return violations.found;
          judged = rounds;
          if (messages !== rounds * cost.messages) {
            violations.add(
              `${messages} messages for ${rounds} rounds among ${run.processes.length} processes; ${formula} makes ${rounds * cost.messages}`,
              [],
            );
          }
          if (corrections !== rounds * cost.corrections) {
            violations.add(
              `${corrections} corrections in ${rounds} rounds among ${run.processes.length} processes; each round has ${cost.corrections}`,
              [],
            );
          }
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

/** An answer came too late, or not at all: then messages are repeated, or missing. */
const DISTURBED: readonly string[] = [
  "bk.late",
  "bk.unheard",
  "bk.again",
  "cr.late",
  "cr.other",
  "cr.silent",
  "ntp.late",
  "ntp.silent",
];

function isOneOf(kinds: readonly string[], message: unknown): boolean {
  if (typeof message !== "object" || message === null || !("kind" in message)) return false;
  return typeof message.kind === "string" && kinds.includes(message.kind);
}
