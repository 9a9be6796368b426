import type { Duration, ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
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

/**
 * A round without faults corrects everybody and costs exactly (2m+2)(n-1) messages, with `samplesOf` giving m.
 *
 * Says nothing of a run with faults, of one that was cut short, or in which an answer came too late to count.
 */
export function roundCost(samplesOf: (options: Readonly<Record<string, unknown>>) => number): Checker {
  const name = "round-cost";
  return {
    name,
    claim: "without faults, a round corrects every clock, with (2m+2)(n-1) messages for m samples",
    only: { runs: "runs without faults", includes: (run) => run.faults === "" },
    kinds: ["send", "output", "explain"],
    begin(run) {
      const n = run.processes.length;
      let messages = 0;
      let corrections = 0;
      let rounds = 0;
      let disturbed = false;
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "explain") disturbed ||= DISTURBED.includes(event.rule);
          else if (event.kind === "send") messages += isOfRound(event.message) ? 1 : 0;
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
          const cost = rounds * (2 * samplesOf(run.options) + 2) * (n - 1);
          if (messages !== cost)
            violations.add(
              `${messages} messages for ${rounds} rounds of ${n} processes; (2m+2)(n-1) makes ${cost}`,
              [],
            );
          if (corrections !== rounds * n)
            violations.add(
              `${corrections} corrections in ${rounds} rounds of ${n} processes; each round has ${n}`,
              [],
            );
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

const DISTURBED: readonly string[] = ["bk.late", "bk.unheard", "bk.again"];

function isOfRound(message: unknown): boolean {
  if (typeof message !== "object" || message === null || !("kind" in message)) return false;
  const { kind } = message;
  return kind === "poll" || kind === "answer" || kind === "adjust" || kind === "ack";
}
