import type { EventId, ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Witness } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";

/** Some process explained a step with one of these rules. */
export function explained(name: string, claim: string, rules: readonly string[]): Witness {
  return {
    name,
    claim,
    kinds: ["explain"],
    begin() {
      let found: EventId | undefined;
      return {
        observe(event) {
          if (found === undefined && event.kind === "explain" && rules.includes(event.rule))
            found = idOf(event);
        },
        finish: () => found,
      };
    },
  };
}

/** Somebody entered between another's request and that one's own entry: they really competed. */
export const somebodyWaited: Witness = {
  name: "somebody-waited",
  claim: "a process had to wait while another was let in first",
  kinds: ["output", "crash"],
  begin() {
    const waiting = new Set<ProcessId>();
    let found: EventId | undefined;
    return {
      observe(event) {
        if (found !== undefined) return;
        if (event.kind === "crash") waiting.delete(event.process);
        const output = mutexOutput(event);
        if (output?.kind === "requested") waiting.add(event.process);
        else if (output?.kind === "entered") {
          waiting.delete(event.process);
          if (waiting.size > 0) found = idOf(event);
        }
      },
      finish: () => found,
    };
  },
};
