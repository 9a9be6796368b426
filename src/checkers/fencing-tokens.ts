import type { EventId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/**
 * Every entry into the critical section has a larger fencing token than all entries before it.
 *
 * So a resource that refuses smaller tokens than it has seen is safe even from a process that is late to learn that
 * it is no longer inside. The order of entries is the trace's, which keeps causes before effects.
 *
 * Source: C. Gray, D. Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache
 * Consistency", SOSP 1989, for the danger; the token is M. Kleppmann's word for the remedy.
 */
export const fencingTokens: Checker = {
  name: "fencing-tokens",
  claim: "every entry has a larger fencing token than all entries before it",
  kinds: ["output"],
  begin() {
    const violations = new Violations("fencing-tokens");
    let highest: { readonly fence: number; readonly id: EventId } | undefined;
    let entries = 0;
    return {
      observe(event) {
        const output = mutexOutput(event);
        if (output?.kind !== "entered" || output.fence === undefined) return;
        const { fence } = output;
        const id = idOf(event);
        entries++;
        if (highest !== undefined && fence <= highest.fence) {
          violations.add(
            `${event.process} entered at ${id} with fencing token ${fence}, after ${highest.id} with ${highest.fence}`,
            [id, highest.id],
          );
        }
        if (highest === undefined || fence > highest.fence) highest = { fence, id };
      },
      finish: () => violations.found,
      occasions: () => entries,
    };
  },
};
