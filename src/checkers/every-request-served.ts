import type { ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/** Once nothing is left to happen, nobody is still waiting. Says nothing of a run that was cut short. */
export const everyRequestServed: Checker = {
  name: "every-request-served",
  claim: "when nothing is left to happen, every request has been followed by its entry",
  kinds: ["output", "crash", "restart"],
  begin() {
    const waiting = new Map<ProcessId, { id: string; timestamp: number }>();
    const down = new Set<ProcessId>();
    let requests = 0;
    let judged = 0;
    return {
      observe(event) {
        if (event.kind === "crash") {
          waiting.delete(event.process);
          down.add(event.process);
        }
        if (event.kind === "restart") down.delete(event.process);
        const output = mutexOutput(event);
        if (output?.kind === "requested") {
          requests++;
          waiting.set(event.process, { id: idOf(event), timestamp: output.stamp[0] });
        } else if (output?.kind === "entered") {
          waiting.delete(event.process);
        }
      },
      finish(end) {
        const violations = new Violations("every-request-served");
        if (end.stopped !== "quiescent") return violations.found;
        judged = requests;
        const because = down.size === 0 ? "" : `; ${[...down].join(", ")} crashed and never came back`;
        for (const [process, { id, timestamp }] of waiting) {
          violations.add(
            `${process} waits for ever: its request (${timestamp}, ${process}) of ${id} was never granted, and nothing is left to happen${because}`,
            [id],
          );
        }
        return violations.found;
      },
      occasions: () => judged,
    };
  },
};
