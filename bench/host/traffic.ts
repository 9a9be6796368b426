import type { Protocol } from "../../dist/core/index.js";

/**
 * Requests that each end keeps under way. Both ask, so both are busy at once: were only one to ask, the two would take
 * turns, and the figures would be those of waking a sleeping processor.
 */
export const WINDOW = 128;

/** Messages of Ricart and Agrawala's shape: 29 and 16 bytes once the numbers have grown. */
export type Message =
  { readonly kind: "request"; readonly timestamp: number } | { readonly kind: "reply"; readonly of: number };

interface Counts {
  readonly requests: number;
  readonly replies: number;
}

/** Each of two processes answers every request, and every reply with the next request. */
export const traffic: Protocol<Counts, Message> = {
  name: "traffic",

  start(ctx) {
    for (const peer of ctx.peers) {
      for (let timestamp = 1; timestamp <= WINDOW; timestamp++)
        ctx.send(peer, { kind: "request", timestamp });
    }
    return { requests: 0, replies: 0 };
  },

  onMessage({ requests, replies }, from, message, ctx) {
    if (message.kind === "request") {
      ctx.send(from, answer(message, requests + 1));
      return { requests: requests + 1, replies };
    }
    ctx.send(from, answer(message, replies + 1));
    return { requests, replies: replies + 1 };
  },
};

/** What is sent for the `count`-th message of its kind; throws when it is not the one that should have come. */
export function answer(message: Message, count: number): Message {
  const number = message.kind === "request" ? message.timestamp : message.of;
  if (number !== count) throw new Error(`${message.kind} ${number} came as number ${count}`);
  return message.kind === "request"
    ? { kind: "reply", of: number }
    : { kind: "request", timestamp: number + WINDOW };
}
