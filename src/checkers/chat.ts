import type { EventId, ProcessId } from "../core/index.js";
import { idOf } from "../trace/index.js";
import { chatEvent } from "./chat-event.js";
import type { Checker, Witness } from "./checker.js";
import { Violations } from "./violations.js";

interface Placed {
  readonly what: string;
  readonly post: string;
  readonly event: EventId;
}

/** Whatever two members see at one place of the room is the same, and no post has two places. */
export const chatOneOrder: Checker = {
  name: "chat-one-order",
  claim: "every member sees the messages in the same order, and none of them twice",
  kinds: ["deliver"],
  begin() {
    const violations = new Violations("chat-one-order");
    const order = new Map<number, Placed>();
    const places = new Map<string, number>();
    return {
      observe(event) {
        const read = chatEvent(event);
        if (read?.kind !== "message") return;
        const { place, post, what } = read;
        const known = order.get(place);
        if (known === undefined) order.set(place, { what, post, event: idOf(event) });
        else if (known.what !== what) {
          violations.add(
            `message ${place} is ${known.what} at ${known.event} and ${what} at ${idOf(event)}`,
            [idOf(event), known.event],
          );
        }
        const other = places.get(post);
        if (other === undefined) places.set(post, place);
        else if (other !== place) {
          const first = order.get(other)?.event;
          violations.add(`${what} is message ${other} and message ${place} as well`, [
            idOf(event),
            ...(first === undefined ? [] : [first]),
          ]);
        }
      },
      finish: () => violations.found,
      occasions: () => order.size,
    };
  },
};

/** Each member is handed 1, 2, 3, …; from 1 again after it lost its memory in a crash. The server's crash changes nothing. */
export const chatNoGap: Checker = {
  name: "chat-no-gap",
  claim: "a member gets the messages from the first on, one after the other, without gap or repeat",
  kinds: ["deliver", "restart"],
  begin() {
    const violations = new Violations("chat-no-gap");
    const last = new Map<ProcessId, { readonly place: number; readonly event: EventId }>();
    let handed = 0;
    return {
      observe(event) {
        if (event.kind === "restart") {
          last.delete(event.process);
          return;
        }
        const read = chatEvent(event);
        if (read?.kind !== "message") return;
        handed++;
        const before = last.get(event.process);
        const due = (before?.place ?? 0) + 1;
        if (read.place !== due) {
          violations.add(
            `${event.process} was handed message ${read.place} at ${idOf(event)}, when ${due} was next`,
            before === undefined ? [idOf(event)] : [idOf(event), before.event],
          );
        }
        last.set(event.process, { place: read.place, event: idOf(event) });
      },
      finish: () => violations.found,
      occasions: () => handed,
    };
  },
};

/** Each post has one outcome, and what an author was told about it is so. */
export const chatHonest: Checker = {
  name: "chat-honest",
  claim: "a post has one outcome; acknowledged, it is in the room for good; failed, it never gets there",
  kinds: ["deliver", "output"],
  begin() {
    const violations = new Violations("chat-honest");
    const posting = new Set<string>();
    const outcomes = new Map<string, { readonly kind: string; readonly event: EventId }>();
    const seen = new Map<string, EventId>();
    return {
      observe(event) {
        const read = chatEvent(event);
        if (read === undefined) return;
        const { post } = read;
        switch (read.kind) {
          case "message":
            if (!seen.has(post)) seen.set(post, idOf(event));
            if (!posting.has(post)) {
              violations.add(`${read.what} at ${idOf(event)} was posted by nobody`, [idOf(event)]);
            }
            return;
          case "posting":
            posting.add(post);
            return;
          default: {
            const before = outcomes.get(post);
            if (before !== undefined) {
              violations.add(
                `${post} was ${before.kind} at ${before.event} and ${read.kind} at ${idOf(event)}`,
                [idOf(event), before.event],
              );
            }
            outcomes.set(post, { kind: read.kind, event: idOf(event) });
          }
        }
      },
      finish(end) {
        for (const [post, { kind, event }] of outcomes) {
          const shown = seen.get(post);
          if (kind === "failed" && shown !== undefined) {
            violations.add(`${post} failed at ${event}, and yet it is in the room at ${shown}`, [
              event,
              shown,
            ]);
          }
          // Before the end it may still be on its way to everybody.
          if (kind === "posted" && shown === undefined && end.stopped === "quiescent") {
            violations.add(`${post} was acknowledged at ${event}, and nobody ever gets it`, [event]);
          }
        }
        return violations.found;
      },
      occasions: () => outcomes.size,
    };
  },
};

/** Once nothing is left to happen, every member that is there has all that anyone has, and its posts have outcomes. */
export const chatComplete: Checker = {
  name: "chat-complete",
  claim: "in the end every member has every message, and knows what became of its own",
  kinds: ["deliver", "output", "crash", "restart"],
  begin({ processes }) {
    const violations = new Violations("chat-complete");
    const has = new Map<ProcessId, number>();
    const open = new Map<string, { readonly process: ProcessId; readonly event: EventId }>();
    const down = new Set<ProcessId>();
    const away = new Set<ProcessId>();
    let most = 0;
    return {
      observe(event) {
        const { process } = event;
        if (event.kind === "crash") {
          down.add(process);
          has.delete(process);
          for (const [post, { process: of }] of open) if (of === process) open.delete(post);
        }
        if (event.kind === "restart") {
          down.delete(process);
          away.delete(process);
        }
        const read = chatEvent(event);
        if (read === undefined) {
          if (turnedAway(event)) away.add(process);
          return;
        }
        if (read.kind === "message") {
          has.set(process, read.place);
          most = Math.max(most, read.place);
        } else if (read.kind === "posting") open.set(read.post, { process, event: idOf(event) });
        else open.delete(read.post);
      },
      finish(end) {
        const [server = "", ...members] = processes;
        // Without a server nobody can be told anything.
        if (end.stopped !== "quiescent" || down.has(server)) return violations.found;
        for (const member of members) {
          const count = has.get(member) ?? 0;
          if (down.has(member) || away.has(member) || count === most) continue;
          violations.add(`${member} has ${count} of ${most} messages, and nothing is left to happen`, []);
        }
        for (const [post, { event }] of open) {
          violations.add(`its author never learns what became of ${post}, posted at ${event}`, [event]);
        }
        return violations.found;
      },
      occasions: () => most,
    };
  },
};

function turnedAway(event: { readonly kind: string; readonly value?: unknown }): boolean {
  const { value } = event;
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    value.kind === "turned-away" &&
    "again" in value &&
    value.again === false
  );
}

/** All that a chat lab promises. */
export const chatCheckers: readonly Checker[] = [chatOneOrder, chatNoGap, chatHonest, chatComplete];

/** Two members posted at once: between a post and its acknowledgement somebody else's was put into the room. */
export const chatCompetition: Witness = {
  name: "posts-met",
  claim: "two members posted at the same time, so that somebody had to decide the order",
  kinds: ["output"],
  begin() {
    const open = new Map<string, ProcessId>();
    let found: EventId | undefined;
    return {
      observe(event) {
        const read = chatEvent(event);
        if (read === undefined || read.kind === "message" || found !== undefined) return;
        if (read.kind !== "posting") {
          open.delete(read.post);
          return;
        }
        if ([...open.values()].some((process) => process !== event.process)) found = idOf(event);
        open.set(read.post, event.process);
      },
      finish: () => found,
    };
  },
};
