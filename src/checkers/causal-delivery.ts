import type { EventId, ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { Violations } from "./violations.js";

/**
 * In `layer`, nobody is handed a broadcast before the broadcasts it may answer.
 *
 * A broadcast follows another when its sender had been handed the other before, or by a chain of such steps. The
 * sender's hand-over to itself marks the broadcast. Derived here from the hand-overs alone, never from the stamps the
 * protocol computed. K. Birman, A. Schiper and P. Stephenson, ACM TOCS 9(3), 1991, §3.
 */
export function causalDelivery(layer: string): Checker {
  const name = `causal-delivery:${layer}`;
  return {
    name,
    claim: `${layer} hands no broadcast over before those that its sender had been handed`,
    kinds: ["deliver"],
    begin(run) {
      const violations = new Violations(name);
      let deliveries = 0;
      const index = new Map(run.processes.map((process, k) => [process, k]));
      const size = run.processes.length;
      const members = run.processes.map(() => ({
        /** Highest broadcast of each process in the causal past. */
        past: new Array<number>(size).fill(0),
        handed: Array.from({ length: size }, () => new Prefix()),
      }));
      /** What each broadcast follows, by sender and number. */
      const follows = run.processes.map(() => new Map<number, { past: readonly number[]; id: EventId }>());
      return {
        observe(event) {
          if (event.kind !== "deliver" || event.layer !== layer) return;
          deliveries++;
          const self = index.get(event.process);
          const from = index.get(event.from);
          if (self === undefined || from === undefined) return;
          const member = members[self];
          const broadcasts = follows[from];
          if (member === undefined || broadcasts === undefined) return;
          if (self === from) broadcasts.set(event.sequence, { past: [...member.past], id: idOf(event) });
          const broadcast = broadcasts.get(event.sequence);
          if (broadcast === undefined) {
            violations.add(
              `${event.process} was handed ${event.from}#${event.sequence} at ${idOf(event)}, which ${event.from} never broadcast`,
              [idOf(event)],
            );
            return;
          }
          for (let k = 0; k < size; k++) {
            const needed = broadcast.past[k] ?? 0;
            const handed = member.handed[k];
            if (handed === undefined || handed.upTo >= needed) continue;
            const absent = handed.firstMissing(needed);
            if (absent === undefined) continue;
            const origin = run.processes[k] as ProcessId;
            const earlier = follows[k]?.get(absent)?.id;
            violations.add(
              `${event.process} was handed ${event.from}#${event.sequence} at ${idOf(event)} before ${origin}#${absent}, which ${event.from} had seen when it wrote it`,
              earlier === undefined ? [idOf(event), broadcast.id] : [idOf(event), broadcast.id, earlier],
            );
          }
          member.handed[from]?.add(event.sequence);
          for (let k = 0; k < size; k++) {
            member.past[k] = Math.max(member.past[k] ?? 0, broadcast.past[k] ?? 0);
          }
          member.past[from] = Math.max(member.past[from] ?? 0, event.sequence);
        },
        finish: () => violations.found,
        occasions: () => deliveries,
      };
    },
  };
}

/** Once nothing is left to happen, every process still up has been handed every broadcast of `layer`. */
export function allDelivered(layer: string): Checker {
  const name = `all-delivered:${layer}`;
  return {
    name,
    claim: `when nothing is left to happen, every process has been handed every broadcast of ${layer}`,
    kinds: ["deliver", "crash"],
    begin(run) {
      const broadcasts = new Map<
        string,
        { from: ProcessId; sequence: number; id: EventId; handedTo: Set<ProcessId> }
      >();
      const crashed = new Set<ProcessId>();
      let judged = 0;
      return {
        observe(event) {
          if (event.kind === "crash") crashed.add(event.process);
          if (event.kind !== "deliver" || event.layer !== layer) return;
          const key = `${event.from}#${event.sequence}`;
          let broadcast = broadcasts.get(key);
          if (broadcast === undefined) {
            broadcast = { from: event.from, sequence: event.sequence, id: idOf(event), handedTo: new Set() };
            broadcasts.set(key, broadcast);
          }
          broadcast.handedTo.add(event.process);
        },
        finish(end) {
          const violations = new Violations(name);
          if (end.stopped !== "quiescent") return violations.found;
          judged = broadcasts.size;
          for (const { from, sequence, id, handedTo } of broadcasts.values()) {
            const without = run.processes.filter(
              (process) => !handedTo.has(process) && !crashed.has(process),
            );
            // A crash may take a broadcast with it; reliable broadcast promises more and has its own checker.
            if (without.length === 0 || crashed.has(from)) continue;
            violations.add(
              `${without.join(" and ")} never got ${from}#${sequence}, broadcast at ${id}, and nothing is left to happen`,
              [id],
            );
          }
          return violations.found;
        },
        occasions: () => judged,
      };
    },
  };
}

/** Which numbers have come: all up to `upTo`, and some beyond. */
class Prefix {
  upTo = 0;
  readonly #beyond = new Set<number>();

  add(number: number): void {
    this.#beyond.add(number);
    while (this.#beyond.delete(this.upTo + 1)) this.upTo++;
  }

  firstMissing(last: number): number | undefined {
    for (let number = this.upTo + 1; number <= last; number++) {
      if (!this.#beyond.has(number)) return number;
    }
    return undefined;
  }
}
