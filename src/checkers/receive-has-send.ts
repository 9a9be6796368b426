import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { Violations } from "./violations.js";

/**
 * Every receive has an earlier send to the receiver, and a message arrives once unless a fault duplicated it.
 *
 * The network's own honesty: without it nothing else in a trace means anything.
 */
export const receiveHasSend: Checker = {
  name: "receive-has-send",
  claim:
    "every message received was sent before, to its receiver, and arrives once per copy the network made",
  kinds: ["send", "duplicate", "receive"],
  begin() {
    const violations = new Violations("receive-has-send");
    /** Arrivals still possible, by sender and number of the send; gone once all have come. */
    const sends = new Map<string, Map<number, { to: string; left: number }>>();
    return {
      observe(event) {
        if (event.kind === "send") {
          let lane = sends.get(event.process);
          if (lane === undefined) sends.set(event.process, (lane = new Map()));
          lane.set(event.number, { to: event.to, left: 1 });
        } else if (event.kind === "duplicate") {
          const sent = sends.get(event.from)?.get(event.send);
          if (sent !== undefined) sent.left = event.copies;
        } else if (event.kind === "receive") {
          const lane = sends.get(event.from);
          const sent = lane?.get(event.send);
          const send = `${event.from}:${event.send}`;
          if (sent === undefined) {
            violations.add(
              `${event.process} received ${send} at ${idOf(event)}, which was never sent, or arrived more often than it was sent`,
              [idOf(event)],
            );
          } else if (sent.to !== event.process) {
            violations.add(
              `${event.process} received ${send} at ${idOf(event)}, which was sent to ${sent.to}`,
              [idOf(event), send],
            );
          } else {
            sent.left--;
            if (sent.left === 0) lane?.delete(event.send);
          }
        }
      },
      finish: () => violations.found,
    };
  },
};
