import type { EventId, ProcessId } from "../core/index.js";
import { idOf, type TraceEvent } from "../trace/index.js";
import type { CausalPast, Checker, Violation } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/**
 * Between any two stays in the critical section, one's exit happens before the other's entry.
 *
 * By causality, not by overlap in time: it finds a broken protocol also in the runs where the stays happened not to
 * meet. This is ¬Possibly(two inside) of R. Cooper and K. Marzullo, "Consistent Detection of Global Predicates", 1991.
 * A stay that ends in a crash has no exit and is not compared; those of the process before it are.
 */
export const mutualExclusion: Checker = {
  name: "mutual-exclusion",
  claim: "no two processes are inside the critical section at once: every exit happens before the next entry",
  kinds: ["output", "crash"],
  begin(run) {
    /** Each process is sequential, so its latest stay stands for all of its earlier ones. */
    const inside = new Map<ProcessId, Stay>();
    const left = new Map<ProcessId, Stay>();
    const violations = new Violations("mutual-exclusion");
    let compared = 0;
    return {
      observe(event, past) {
        if (event.kind === "crash") inside.delete(event.process);
        const output = mutexOutput(event);
        if (output?.kind === "exited") {
          const stay = inside.get(event.process);
          if (stay === undefined) return;
          inside.delete(event.process);
          left.set(event.process, { ...stay, exit: event.number });
        } else if (output?.kind === "entered") {
          for (const other of run.processes) {
            const stay = other === event.process ? undefined : (inside.get(other) ?? left.get(other));
            if (stay === undefined) continue;
            compared++;
            compare(event, stay, past, violations);
          }
          inside.set(event.process, { process: event.process, entry: event.number, exit: undefined });
        }
      },
      finish: (): readonly Violation[] => violations.found,
      occasions: () => compared,
    };
  },
};

interface Stay {
  readonly process: ProcessId;
  readonly entry: number;
  readonly exit: number | undefined;
}

function compare(entry: TraceEvent, stay: Stay, past: CausalPast, violations: Violations): void {
  const known = past.known(stay.process);
  if (stay.exit !== undefined && stay.exit <= known) return;
  const other: EventId = `${stay.process}:${stay.entry}`;
  const message =
    stay.exit === undefined
      ? `${entry.process} entered at ${idOf(entry)} while ${stay.process}, inside since ${other}, had not left`
      : `${entry.process} entered at ${idOf(entry)} without knowing that ${stay.process} had left: ` +
        `${stay.process} was inside from ${other} to ${stay.process}:${stay.exit}, and no message tells of it`;
  violations.add(message, [idOf(entry), other]);
}
