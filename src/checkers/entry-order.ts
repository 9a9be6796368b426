import type { ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { mutexOutput } from "./mutex-output.js";
import { Violations } from "./violations.js";

/**
 * The critical section is entered in the order of the requests' stamps (timestamp, then process).
 *
 * True of Lamport's and of Ricart and Agrawala's algorithm; not of token or quorum algorithms.
 */
export const entryOrder: Checker = {
  name: "entry-order",
  claim: "entries happen in the order of the requests' stamps: lower timestamp first, ties by process",
  kinds: ["output"],
  begin(run) {
    const position = new Map(run.processes.map((process, index) => [process, index]));
    const violations = new Violations("entry-order");
    let compared = 0;
    let last: { stamp: readonly [number, ProcessId]; id: string } | undefined;
    return {
      observe(event) {
        const output = mutexOutput(event);
        if (output?.kind !== "entered") return;
        const [timestamp, process] = output.stamp;
        if (last !== undefined) {
          compared++;
          const [lastTimestamp, lastProcess] = last.stamp;
          const after =
            timestamp > lastTimestamp ||
            (timestamp === lastTimestamp &&
              (position.get(process) ?? -1) > (position.get(lastProcess) ?? -1));
          if (!after) {
            violations.add(
              `request (${timestamp}, ${process}) entered at ${idOf(event)}, after (${lastTimestamp}, ${lastProcess}) at ${last.id}`,
              [idOf(event), last.id],
            );
          }
        }
        last = { stamp: output.stamp, id: idOf(event) };
      },
      finish: () => violations.found,
      occasions: () => compared,
    };
  },
};
