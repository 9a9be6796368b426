import type { Duration } from "../../core/index.js";
import type { ChatEntry } from "./chat-rules.js";

/** What every message to the server carries: of which life of its sender it is. */
interface FromMember {
  readonly incarnation: number;
}

/** From a member to the server. */
export type ToHall =
  | (FromMember & {
      readonly kind: "join";
      readonly room: string;
      readonly name: string;
      /** The first message it lacks; everything from there on follows. */
      readonly next: number;
      /** Which history it knows the messages before that from; absent at first. */
      readonly history?: string;
      /** The number of its oldest post without an outcome, or of the next one. */
      readonly oldest: number;
    })
  | (FromMember & {
      readonly kind: "post";
      readonly seq: number;
      readonly text: string;
      readonly oldest: number;
      readonly session: number;
    })
  /** It has everything before `next`; `missing`: and it knows of something later, which has not come. */
  | (FromMember & {
      readonly kind: "have";
      readonly next: number;
      readonly missing: boolean;
      readonly session: number;
    })
  /** The switch of a simulated error, for this member alone. */
  | (FromMember & { readonly kind: "switch"; readonly error: "send" | "reception"; readonly on: boolean })
  | (FromMember & { readonly kind: "who" })
  | (FromMember & { readonly kind: "leave"; readonly reason?: string });

/** From the server to a member. `session` is one life of the server; `incarnation` the member's that it answers. */
export type ToMember =
  | {
      readonly kind: "joined";
      readonly session: number;
      readonly incarnation: number;
      /** How many messages the room has. */
      readonly head: number;
      readonly history: string;
    }
  /** `again`: not now, but perhaps later. */
  | {
      readonly kind: "turned-away";
      readonly reason: string;
      readonly again: boolean;
      readonly incarnation: number;
    }
  /** Consecutive messages; the first has index `from`. */
  | { readonly kind: "entries"; readonly from: number; readonly entries: readonly ChatEntry[] }
  /** It is in the history, and will stay there. */
  | { readonly kind: "posted"; readonly seq: number; readonly incarnation: number }
  /** It is not in the history, and no copy of it will get there. */
  | {
      readonly kind: "refused";
      readonly seq: number;
      readonly reason: string;
      readonly incarnation: number;
    }
  /** How many messages there are, to somebody who has not said that it has them. */
  | { readonly kind: "head"; readonly head: number }
  /** The server does not know the member: it has been away, or the server has. */
  | { readonly kind: "rejoin"; readonly session: number }
  | { readonly kind: "people"; readonly names: readonly string[] };

export type ChatMessage = ToHall | ToMember;

/** What a person does. */
export type ChatCommand =
  /** With `deadline` from now its author learns how it ended. */
  | { readonly kind: "post"; readonly text: string; readonly deadline?: Duration }
  /** There is a connection again: no use in waiting for timers. */
  | { readonly kind: "reconnect" }
  | { readonly kind: "switch"; readonly error: "send" | "reception"; readonly on: boolean }
  | { readonly kind: "who" }
  | { readonly kind: "leave"; readonly reason?: string };

/** What a member is told; the messages themselves are deliveries of layer `chat`, numbered from 1. */
export type ChatOutput =
  /** It is in, has the messages before `next`, and `head` there are. */
  | { readonly kind: "joined"; readonly next: number; readonly head: number }
  | { readonly kind: "turned-away"; readonly reason: string; readonly again: boolean }
  | { readonly kind: "posting"; readonly author: string; readonly seq: number; readonly text: string }
  /** In the history for good. */
  | { readonly kind: "posted"; readonly author: string; readonly seq: number }
  /** Certainly not in the history, now and later. */
  | { readonly kind: "failed"; readonly author: string; readonly seq: number; readonly reason: string }
  /** It was sent; whether it is in the history nobody can tell yet. */
  | { readonly kind: "unknown"; readonly author: string; readonly seq: number; readonly reason: string }
  /** Messages from index `from` to before `to` have not come; they have been asked for. */
  | { readonly kind: "missing"; readonly from: number; readonly to: number }
  | { readonly kind: "people"; readonly names: readonly string[] };
