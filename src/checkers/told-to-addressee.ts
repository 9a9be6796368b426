import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { Violations } from "./violations.js";

/**
 * In `layer`, a message `{ text, to }` that is for one process shows its text to that one, and to its sender, alone.
 *
 * Says nothing of what could be read on the way there.
 */
export function toldToAddressee(layer: string): Checker {
  const name = `told-to-addressee:${layer}`;
  return {
    name,
    claim: `what ${layer} hands over for one process has its text for nobody else`,
    kinds: ["deliver"],
    begin() {
      const violations = new Violations(name);
      let deliveries = 0;
      return {
        observe(event) {
          if (event.kind !== "deliver" || event.layer !== layer) return;
          deliveries++;
          const { process, from, sequence, message } = event;
          if (typeof message !== "object" || message === null) return;
          if (!("text" in message && "to" in message)) return;
          const { to } = message;
          if (to === process || from === process) return;
          violations.add(
            `${process} was told message ${sequence} of ${from} at ${idOf(event)}, which is for ${String(to)}`,
            [idOf(event)],
          );
        },
        finish: () => violations.found,
        occasions: () => deliveries,
      };
    },
  };
}
