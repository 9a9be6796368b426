import type { TraceEvent } from "../trace/index.js";

/** What a chat told a member, as a trace carries it. */
export type ChatEventRead =
  /** A message handed to a member; `place` counts from 1. */
  | {
      readonly kind: "message";
      readonly place: number;
      readonly post: string;
      readonly what: string;
    }
  | {
      readonly kind: "posting" | "posted" | "failed" | "unknown";
      readonly post: string;
      readonly text: string;
    };

/** Reads an event of a chat, or gives `undefined`: traces hold whatever their writer put in. */
export function chatEvent(event: TraceEvent): ChatEventRead | undefined {
  if (event.kind === "deliver" && event.layer === "chat" && isRecord(event.message)) {
    const { author, seq, text } = event.message;
    if (typeof author !== "string" || typeof seq !== "number") return undefined;
    const post = `${author}#${seq}`;
    return { kind: "message", place: event.sequence, post, what: `${post} "${String(text)}"` };
  }
  if (event.kind !== "output" || !isRecord(event.value)) return undefined;
  const { kind, author, seq, text } = event.value;
  if (kind !== "posting" && kind !== "posted" && kind !== "failed" && kind !== "unknown") return undefined;
  if (typeof author !== "string" || typeof seq !== "number") return undefined;
  return { kind, post: `${author}#${seq}`, text: typeof text === "string" ? text : "" };
}

interface Loose {
  readonly [key: string]: unknown;
}

function isRecord(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
