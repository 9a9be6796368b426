import { eventId } from "../core/index.js";
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
    let receives = 0;
    /** Receivers of the messages still to arrive, by sender and number of the send. */
    const sends = new Map<string, Map<number, string>>();
    /** Further copies to come, by event id of the send; empty for most. */
    const copies = new Map<string, number>();
    return {
      observe(event) {
        if (event.kind === "send") {
          let lane = sends.get(event.process);
          if (lane === undefined) sends.set(event.process, (lane = new Map()));
          lane.set(event.number, event.to);
        } else if (event.kind === "duplicate") {
          copies.set(eventId(event.from, event.send), event.copies - 1);
        } else if (event.kind === "receive") {
          receives++;
          const lane = sends.get(event.from);
          const to = lane?.get(event.send);
          if (to !== event.process) {
            const send = eventId(event.from, event.send);
            const flaw =
              to === undefined
                ? "which was never sent, or arrived more often than it was sent"
                : `which was sent to ${to}`;
            violations.add(`${event.process} received ${send} at ${idOf(event)}, ${flaw}`, [
              idOf(event),
              send,
            ]);
          } else if (copies.size === 0 || !takeCopy(copies, eventId(event.from, event.send))) {
            lane?.delete(event.send);
          }
        }
      },
      finish: () => violations.found,
      occasions: () => receives,
    };
  },
};

/** Whether this arrival leaves another copy to come. */
function takeCopy(copies: Map<string, number>, send: string): boolean {
  const left = copies.get(send) ?? 0;
  if (left > 1) copies.set(send, left - 1);
  else copies.delete(send);
  return left > 0;
}
