import type { Context, Duration, ProcessId } from "../../core/index.js";

/**
 * What a process knows of lost tokens. Token algorithms hold this in their state; `epoch` and `passes` must survive
 * a crash, for a link may hand over to a new incarnation what it had handed over to the dead one.
 *
 * An epoch is a number that only one process can give: `k * n + its place`. Whoever promises one refuses every token
 * of a lower one for ever.
 */
export interface CensusState<Note> {
  /** The highest epoch promised. */
  readonly epoch: number;
  /** How often the token of that epoch had been passed when it last came here; a repetition of it is no token. */
  readonly passes: number;
  /** While this process asks everybody for the token: who has answered, and what they told. */
  readonly census: { readonly notes: Readonly<Record<ProcessId, Note>> } | null;
  /** Enquiries sent since the token was last here; each makes the next wait twice as long. */
  readonly enquiries: number;
}

export type CensusMessage<Note> =
  | { readonly kind: "enquiry"; readonly epoch: number; readonly note: Note }
  | { readonly kind: "absent"; readonly epoch: number; readonly note: Note }
  | { readonly kind: "present"; readonly epoch: number }
  | { readonly kind: "superseded"; readonly epoch: number };

type CensusContext<Note> = Context<CensusMessage<Note>, never>;

/**
 * Asks everybody whether the token is with them, in a new epoch that refuses the old token.
 *
 * The token counts as lost when **every** other process has said that it is not there, and has promised to refuse it
 * should it still be on its way. No clock enters into that, so a process that is merely slow holds the census up and
 * is never robbed; one that stays down holds it up for ever. A census that comes to nothing is begun again.
 *
 * Source: the promise is that of L. Lamport, "The Part-Time Parliament", TOCS 16(2), 1998, asked of all and not of
 * a majority, since a token with one of the minority would be a second one.
 */
export function beginCensus<Note, State extends CensusState<Note>>(
  state: State,
  note: Note,
  ctx: CensusContext<Note>,
): State {
  const n = ctx.processes.length;
  const epoch = (Math.floor(state.epoch / n) + 1) * n + ctx.processes.indexOf(ctx.self);
  ctx.explain("token.enquire", { epoch });
  ctx.broadcast({ kind: "enquiry", epoch, note });
  return { ...state, epoch, passes: 0, census: { notes: {} }, enquiries: state.enquiries + 1 };
}

/** How long to wait for the token before the next enquiry: doubles up to a hundredfold, so that slowness is outlasted. */
export function patienceOf(state: CensusState<unknown>, patience: Duration): Duration {
  return patience * Math.min(2 ** state.enquiries, 100);
}

/** Answers an enquiry. Who `holds` the token must carry it on in the epoch of the state returned. */
export function answerEnquiry<Note, State extends CensusState<Note>>(
  state: State,
  from: ProcessId,
  epoch: number,
  answer: { readonly holds: boolean; readonly note: Note },
  ctx: CensusContext<Note>,
): State {
  // Who has promised this very epoch may have had its token since, and have lost that memory in a crash.
  if (epoch < state.epoch || (epoch === state.epoch && !answer.holds)) {
    ctx.explain("token.superseded", { peer: from, theirs: epoch, epoch: state.epoch });
    ctx.send(from, { kind: "superseded", epoch: state.epoch });
    return state;
  }
  if (answer.holds) {
    ctx.explain("token.present", { peer: from, epoch });
    ctx.send(from, { kind: "present", epoch });
  } else {
    ctx.explain("token.absent", { peer: from, epoch });
    ctx.send(from, { kind: "absent", epoch, note: answer.note });
  }
  return { ...state, epoch, passes: epoch === state.epoch ? state.passes : 0, census: null };
}

/** Takes an answer to the own enquiry; `lost` holds what everybody told once the token is known to be lost. */
export function takeAnswer<Note, State extends CensusState<Note>>(
  state: State,
  from: ProcessId,
  message: Exclude<CensusMessage<Note>, { kind: "enquiry" }>,
  ctx: CensusContext<Note>,
): { readonly state: State; readonly lost?: Readonly<Record<ProcessId, Note>> } {
  if (message.kind === "superseded") {
    if (message.epoch < state.epoch) return { state };
    const passes = message.epoch === state.epoch ? state.passes : 0;
    return { state: { ...state, epoch: message.epoch, passes, census: null } };
  }
  if (state.census === null || message.epoch !== state.epoch) return { state };
  if (message.kind === "present") {
    ctx.explain("token.found", { peer: from });
    return { state: { ...state, census: null } };
  }
  const notes = { ...state.census.notes, [from]: message.note };
  if (ctx.peers.some((peer) => !(peer in notes))) return { state: { ...state, census: { notes } } };
  ctx.explain("token.regenerate", { epoch: state.epoch });
  return { state: { ...state, census: null }, lost: notes };
}

/** A token as far as all token algorithms agree. */
export interface EpochToken {
  /** It is refused by whoever has promised a higher one. */
  readonly epoch: number;
  /** How often it was passed in its epoch. */
  readonly passes: number;
  /** How many entries it has allowed in its epoch. */
  readonly entries: number;
}

/** The state with which an arriving token is taken; nothing when it is refused, which is explained. */
export function takeToken<State extends CensusState<unknown>>(
  state: State,
  token: EpochToken,
  ctx: CensusContext<never>,
): State | undefined {
  if (token.epoch < state.epoch) {
    ctx.explain("token.refuse.old", { theirs: token.epoch, epoch: state.epoch });
    return undefined;
  }
  if (token.epoch === state.epoch && token.passes <= state.passes) {
    ctx.explain("token.refuse.again", {});
    return undefined;
  }
  return { ...state, epoch: token.epoch, passes: token.passes, census: null, enquiries: 0 };
}

// 2^32 entries in one epoch leave 2^21 epochs below 2^53.
const ENTRIES_PER_EPOCH = 2 ** 32;

/** The fencing token of the entry that `token` allows next; grows with its entries, and from epoch to epoch. */
export function nextFence(token: EpochToken): number {
  return token.epoch * ENTRIES_PER_EPOCH + token.entries + 1;
}

/** A sentence for every rule above; the process itself is the subject. */
export const censusNarration: Readonly<Record<string, string>> = {
  "token.enquire": "has waited long and asks everyone for the token, in epoch {epoch}",
  "token.present": "tells {peer} that the token is here, and carries it on in epoch {epoch}",
  "token.absent": "tells {peer} that the token is not here, and will refuse any from before epoch {epoch}",
  "token.superseded": "does not answer the enquiry {theirs} of {peer}: it has promised {epoch}",
  "token.found": "learns that {peer} has the token, and waits on",
  "token.regenerate": "has everyone's word that the token is lost, and makes a new one in epoch {epoch}",
  "token.refuse.old": "refuses the token of epoch {theirs}: it has promised {epoch}",
  "token.refuse.again": "refuses the token: it has come before, and has gone since",
};
