import type { EventId, ProcessId } from "../core/index.js";
import { idOf, type TraceEvent, type TraceHeader } from "../trace/index.js";
import type { Checker, Witness } from "./checker.js";
import { isAlgorithmMessage, type MessageRange } from "./message-count.js";
import { Violations } from "./violations.js";

/** What an election told its user, as a trace carries it. */
export interface ElectionOutputRead {
  readonly kind: "started" | "elected";
  readonly leader: ProcessId | undefined;
}

/** Reads an election's output, or gives `undefined`: traces hold whatever their writer put in. */
export function electionOutput(event: TraceEvent): ElectionOutputRead | undefined {
  if (event.kind !== "output") return undefined;
  const value = event.value;
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  if (value.kind === "started") return { kind: "started", leader: undefined };
  if (value.kind !== "elected" || !("leader" in value) || typeof value.leader !== "string") return undefined;
  return { kind: "elected", leader: value.leader };
}

/** Nobody is taken for the leader that has not, before that, taken itself for it. By causality. */
export const leaderDeclaresItself: Checker = {
  name: "leader-declares-itself",
  claim: "whoever is taken for the leader has taken the lead before",
  kinds: ["output"],
  begin() {
    const declared = new Map<ProcessId, number>();
    const violations = new Violations("leader-declares-itself");
    let judged = 0;
    return {
      observe(event, past) {
        const output = electionOutput(event);
        if (output?.leader === undefined) return;
        const { leader } = output;
        if (leader === event.process) {
          if (!declared.has(leader)) declared.set(leader, event.number);
          return;
        }
        judged++;
        const first = declared.get(leader);
        if (first !== undefined && first <= past.known(leader)) return;
        violations.add(
          `${event.process} took ${leader} for the leader at ${idOf(event)}, which ${leader} had not said`,
          [idOf(event)],
        );
      },
      finish: () => violations.found,
      occasions: () => judged,
    };
  },
};

/** Once nothing is left to happen, all that are up take the same process for the leader, one that is up. */
export const oneLeaderAtTheEnd: Checker = {
  name: "one-leader-at-the-end",
  claim: "when nothing is left to happen, all that are up have the same leader, which is up",
  kinds: ["output", "crash", "restart"],
  begin(run) {
    const leaders = new Map<ProcessId, { readonly leader: ProcessId; readonly id: EventId }>();
    const down = new Set<ProcessId>();
    const electing = new Set<ProcessId>();
    let began: EventId | undefined;
    let judged = 0;
    return {
      observe(event) {
        if (event.kind === "crash") {
          down.add(event.process);
          leaders.delete(event.process);
          electing.delete(event.process);
          // Nobody need miss a leader that died when all was over.
          if (electing.size === 0) began = undefined;
        }
        if (event.kind === "restart") {
          down.delete(event.process);
          began = idOf(event);
        }
        const output = electionOutput(event);
        if (output?.kind === "started") {
          began = idOf(event);
          electing.add(event.process);
        }
        if (output?.leader !== undefined) {
          electing.delete(event.process);
          leaders.set(event.process, { leader: output.leader, id: idOf(event) });
        }
      },
      finish(end) {
        const violations = new Violations("one-leader-at-the-end");
        if (end.stopped !== "quiescent" || began === undefined) return violations.found;
        const up = run.processes.filter((process) => !down.has(process));
        judged = up.length;
        const [first] = leaders.values();
        for (const process of up) {
          const own = leaders.get(process);
          if (own === undefined) {
            violations.add(`${process} has no leader, and nothing is left to happen since ${began}`, [began]);
          } else if (down.has(own.leader)) {
            violations.add(`${process} still takes ${own.leader} for the leader, which is down`, [own.id]);
          } else if (first !== undefined && own.leader !== first.leader) {
            violations.add(
              `${process} takes ${own.leader} for the leader and another takes ${first.leader}`,
              [own.id, first.id],
            );
          }
        }
        return violations.found;
      },
      occasions: () => judged,
    };
  },
};

/**
 * Whoever takes the lead is the best of those that are up.
 *
 * In runs where messages neither fail nor dawdle; elsewhere the best may be out of reach, and nobody can know. With
 * crashes only where the algorithm still promises it.
 */
export function bestLeads(
  best: string,
  isBetter: (run: TraceHeader) => (a: ProcessId, b: ProcessId) => boolean,
  { throughCrashes }: { readonly throughCrashes: boolean },
): Checker {
  const name = "best-leads";
  return {
    name,
    claim: `whoever takes the lead is ${best} of those that are up`,
    only: {
      runs: throughCrashes ? "runs without faults of links" : "runs without faults",
      includes: ({ faults }) =>
        faults === "" ||
        (throughCrashes && faults.split(",").every((fault) => /^\s*(crash|restart)\b/.test(fault))),
    },
    kinds: ["output", "crash", "restart"],
    begin(run) {
      const better = isBetter(run);
      const down = new Set<ProcessId>();
      const violations = new Violations(name);
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "crash") down.add(event.process);
          if (event.kind === "restart") down.delete(event.process);
          const output = electionOutput(event);
          if (output?.leader !== event.process) return;
          judged++;
          const passedOver = run.processes.find(
            (process) => !down.has(process) && better(process, event.process),
          );
          if (passedOver === undefined) return;
          violations.add(`${event.process} took the lead at ${idOf(event)} while ${passedOver} was up`, [
            idOf(event),
          ]);
        },
        finish: () => violations.found,
        occasions: () => judged,
      };
    },
  };
}

/** What one run of elections came to, for a count of its messages. */
export interface ElectionsHeld {
  /** How often a process began to take part. */
  readonly started: number;
  /** How often a process took the lead. */
  readonly won: number;
}

/**
 * A run without faults costs as many protocol messages as `published` says of it; a range where that depends on who
 * starts when.
 *
 * Counts what the algorithm sends, and not the upkeep of the links below it.
 */
export function messagesOfElections(
  formula: string,
  published: (run: TraceHeader, held: ElectionsHeld) => MessageRange,
): Checker {
  const name = "messages-of-elections";
  return {
    name,
    claim: `without faults, elections cost ${formula} messages`,
    only: { runs: "runs without faults", includes: (run) => run.faults === "" },
    kinds: ["send", "drop", "duplicate", "crash", "output"],
    begin(run) {
      let started = 0;
      let won = 0;
      let messages = 0;
      let disturbed = false;
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "send") messages += isAlgorithmMessage(event) ? 1 : 0;
          else if (event.kind === "drop" || event.kind === "duplicate" || event.kind === "crash")
            disturbed = true;
          const output = electionOutput(event);
          if (output?.kind === "started") started++;
          if (output?.leader === event.process) won++;
        },
        finish(end) {
          const violations = new Violations(name);
          if (disturbed || end.stopped !== "quiescent") return violations.found;
          judged = started;
          const { min, max } = published(run, { started, won });
          if (messages >= min && messages <= max) return violations.found;
          const makes = min === max ? String(min) : `${min} to ${max}`;
          violations.add(`${messages} messages for ${won} won elections; ${formula} makes ${makes}`, []);
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

/** Two processes were electing at the same time, so there was something to decide. */
export const severalTookPart: Witness = {
  name: "several-took-part",
  claim: "a process took part in an election while another did",
  kinds: ["output", "crash"],
  begin() {
    const electing = new Set<ProcessId>();
    let found: EventId | undefined;
    return {
      observe(event) {
        if (event.kind === "crash") electing.delete(event.process);
        const output = electionOutput(event);
        if (output?.kind === "started") electing.add(event.process);
        else if (output?.kind === "elected") electing.delete(event.process);
        if (found === undefined && electing.size > 1) found = idOf(event);
      },
      finish: () => found,
    };
  },
};
