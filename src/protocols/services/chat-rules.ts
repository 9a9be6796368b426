import { escapeText, type ProcessId } from "../../core/index.js";

// Everything that decides what a room accepts is here; simulation, real processes and the real server share it.

/** Names of people and of rooms have at most so many characters (code points). */
export const CHAT_NAME_LENGTH_MAX = 64;

/** UTF-16 code units; in UTF-8 it fits the frames of every transport, datagrams among them. */
export const CHAT_TEXT_LENGTH_MAX = 4_000;

/** Of each room, the authors whose last number is kept; whoever has not written for so many others begins anew. */
export const CHAT_AUTHORS_MAX = 100_000;

/** One message of a room's history. Its index there is its name: the same for everybody, for ever. */
export interface ChatEntry {
  /** Who wrote it: one member, in one incarnation. */
  readonly author: string;
  /** Its author's number for it, from 1: by it a repeated post is known. */
  readonly seq: number;
  /** What the author was called. */
  readonly name: string;
  readonly text: string;
  /** When the server took it, by its clock. */
  readonly at: number;
}

/** `P2`, or `P2@1` in the second incarnation: it numbers its posts anew, so it is another author. */
export function authorOf(member: ProcessId, incarnation: number): string {
  return incarnation === 0 ? member : `${member}@${incarnation}`;
}

export type ChatName =
  { readonly kind: "name"; readonly name: string } | { readonly kind: "refused"; readonly reason: string };

/**
 * The name as everybody will see it, or why it is none. Spaces around it go, letters are composed (NFC); characters
 * that do not show, or that move a cursor, are refused.
 */
export function chatName(what: string, given: string): ChatName {
  // Far too long to look at: composing it would cost more than it is worth.
  const name = given.length > 16 * CHAT_NAME_LENGTH_MAX ? given : given.trim().normalize("NFC");
  const length = name.length > 2 * CHAT_NAME_LENGTH_MAX ? name.length : Array.from(name).length;
  const refused = (problem: string): ChatName => ({ kind: "refused", reason: `the ${what} ${problem}` });
  if (length === 0) return refused(`is empty; give 1 to ${CHAT_NAME_LENGTH_MAX} characters`);
  if (length > CHAT_NAME_LENGTH_MAX) {
    return refused(`has ${length} characters; give at most ${CHAT_NAME_LENGTH_MAX}`);
  }
  if (escapeText(name) !== name) return refused(`"${escapeText(name)}" has characters that do not show`);
  return { kind: "name", name };
}

/** Two names with the same key are too alike to tell two people apart. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** Why a text cannot be posted, for its author to read. */
export function textProblem(text: string): string | undefined {
  if (text === "") return "the message is empty";
  if (text.length > CHAT_TEXT_LENGTH_MAX) {
    return `the message has ${text.length} characters; at most ${CHAT_TEXT_LENGTH_MAX} fit`;
  }
  if (/\p{Surrogate}/u.test(text)) return "the message is not well-formed text";
  return undefined;
}

/** How far a room has come with one author's posts, in one session of the server. */
export interface PostsSoFar {
  /** The last number taken for the history, perhaps not durable yet; everything from `floor` up to it was. */
  readonly accepted: number;
  /** The author needs no answer about numbers below it. */
  readonly floor: number;
  /** The number after `accepted`, when it was refused: nothing passes it until the author has learned that. */
  readonly refused: { readonly seq: number; readonly reason: string } | undefined;
}

export type PostDecision =
  /** It is next, and goes into the history. */
  | { readonly kind: "append" }
  /** It is in the history, or on its way there: not a second time. */
  | { readonly kind: "repeat" }
  | { readonly kind: "refuse"; readonly reason: string }
  /** An earlier post of its author is still on its way. */
  | { readonly kind: "early" }
  /** A late copy of what its author has settled. */
  | { readonly kind: "stale" };

/**
 * What becomes of a post. Numbers are taken in order, so that "taken" is one number rather than a set; and none is
 * taken past a refusal that its author has not seen, so that a number up to the last in the history is in the history.
 */
export function decidePost(
  { accepted, floor, refused }: PostsSoFar,
  { seq, text }: { readonly seq: number; readonly text: string },
): PostDecision {
  if (seq < floor) return { kind: "stale" };
  if (seq <= accepted) return { kind: "repeat" };
  if (refused !== undefined && refused.seq >= floor) {
    return seq === refused.seq ? { kind: "refuse", reason: refused.reason } : { kind: "early" };
  }
  if (seq !== Math.max(accepted + 1, floor)) return { kind: "early" };
  const problem = textProblem(text);
  return problem === undefined ? { kind: "append" } : { kind: "refuse", reason: problem };
}

/** Remembers, for each author of a room's history, the number of the last post; in the order in which they wrote. */
export function noteAuthor(last: Map<string, number>, author: string, seq: number): void {
  last.delete(author);
  last.set(author, seq);
  if (last.size <= CHAT_AUTHORS_MAX) return;
  for (const oldest of last.keys()) {
    last.delete(oldest);
    return;
  }
}
