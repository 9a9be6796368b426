import type { Protocol } from "../../dist/core/index.js";

/** Requests that are under way at any time. */
export const WINDOW = 256;

/** Messages of Ricart and Agrawala's shape: 29 and 16 bytes once the numbers have grown. */
export type Message =
  { readonly kind: "request"; readonly timestamp: number } | { readonly kind: "reply"; readonly of: number };

interface Count {
  /** Messages received; since links keep their order, also the number that the last one bore. */
  readonly received: number;
}

/** P1 keeps {@link WINDOW} requests under way, P2 replies to each; both see that none is lost, repeated or overtaken. */
export const traffic: Protocol<Count, Message> = {
  name: "traffic",

  start(ctx) {
    if (ctx.self === "P1") {
      for (let timestamp = 1; timestamp <= WINDOW; timestamp++)
        ctx.send("P2", { kind: "request", timestamp });
    }
    return { received: 0 };
  },

  onMessage({ received }, from, message, ctx) {
    ctx.send(from, answer(message, received + 1));
    return { received: received + 1 };
  },
};

/** What is sent for the `count`-th message; throws when it is not the one that should have come. */
export function answer(message: Message, count: number): Message {
  const number = message.kind === "request" ? message.timestamp : message.of;
  if (number !== count) throw new Error(`${message.kind} ${number} came as number ${count}`);
  return message.kind === "request"
    ? { kind: "reply", of: number }
    : { kind: "request", timestamp: number + WINDOW };
}
