import { operationId, type EventId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import type { Witness } from "./checker.js";
import { callMessage, operationOutput } from "./operation-output.js";

/**
 * The case that request/reply is about: the work was done, its reply was lost, and the caller asked again.
 *
 * Shown by the repeated reply; by the second run, in a mode that keeps no replies; by the unknown outcome, in mode
 * maybe, which does not ask again.
 */
export const lostReplyMadeGood: Witness = {
  name: "lost-reply-made-good",
  claim:
    "a reply was lost, and the mode of the call decided what became of it: repeated, run again, or left unknown",
  kinds: ["send", "drop", "explain", "output"],
  begin({ options }) {
    const mode = options["mode"];
    /** By sender and number of the send. */
    const replies = new Map<EventId, string>();
    const lost = new Set<string>();
    let found: EventId | undefined;
    return {
      observe(event) {
        if (found !== undefined) return;
        switch (event.kind) {
          case "send": {
            const message = callMessage(event.message);
            if (message?.kind !== "reply") return;
            replies.set(idOf(event), operationId(event.to, message.incarnation, message.seq));
            return;
          }
          case "drop": {
            const id = replies.get(`${event.from}:${event.send}`);
            if (id !== undefined) lost.add(id);
            return;
          }
          case "explain":
            if (event.rule === "rr.replay" && lost.has(String(event.terms["id"]))) found = idOf(event);
            return;
          default: {
            const output = operationOutput(event);
            if (output === undefined || !lost.has(output.id)) return;
            const again = mode === "at-least-once" && output.kind === "executed";
            const unknown = mode === "maybe" && output.kind === "completed" && output.outcome === "unknown";
            if (again || unknown) found = idOf(event);
          }
        }
      },
      finish: () => found,
    };
  },
};
