import {
  formatDuration,
  MILLISECOND,
  SECOND,
  UsageError,
  type ProcessId,
  type Protocol,
} from "../../core/index.js";
import { checkSlewRule } from "./berkeley-options.js";
import { isCorrection, secondsText, type RoundId } from "./corrected-clock.js";
import {
  aimNow,
  ARRIVAL,
  arrive,
  awake,
  begin,
  correct,
  keptClockNarration,
  newClock,
  type KeptClock,
} from "./kept-clock.js";
import {
  nonsenseIn,
  serve,
  type Outstanding,
  type TimeContext,
  type TimeMessage,
  type TimeOptions,
  type TimeOutput,
} from "./time-server.js";

/** What a process knows. The server only keeps its clock. */
export interface CristianState extends KeptClock {
  /** Requests made so far; a reply names the one that it answers. */
  readonly seq: number;
  readonly outstanding: Outstanding | null;
  readonly round: number;
  /** Requests made in this round. */
  readonly tries: number;
}

export interface CristianOptions extends TimeOptions {
  /** Requests in a round until one is answered fast enough. */
  readonly attempts: number;
}

const DEFAULTS: CristianOptions = {
  clocks: [],
  rounds: 10,
  period: SECOND,
  patience: 100 * MILLISECOND,
  delayMin: 0,
  attempts: 5,
  slewPpm: 200_000,
  stepBeyond: 20 * SECOND,
};

/**
 * Keeps clocks to a server's, the first process's: a client asks, and takes the reply for half a round trip old. Two
 * messages per try.
 *
 * A reply that took longer than the patience, Cristian's 2U, is not taken: what is left is wrong by at most half its round
 * trip, less the least delay. Bears loss, duplication and reordering. While the server is gone, clocks drift.
 *
 * Source: F. Cristian, "Probabilistic Clock Synchronization", Distributed Computing 3, 1989.
 */
export function cristian(
  given: Partial<CristianOptions> = {},
): Protocol<CristianState, TimeMessage, never, TimeOutput> {
  const options = { ...DEFAULTS, ...given };
  checkTimeOptions(options, options.attempts);
  const start = (ctx: TimeContext): CristianState => {
    const clock = newClock(options.clocks[ctx.processes.indexOf(ctx.self)] ?? 0, ctx);
    begin(clock, ctx);
    return beginRound({ ...clock, seq: 0, outstanding: null, round: 0, tries: 0 }, ctx, options);
  };
  return {
    name: "cristian",

    start,

    onRestart(saved, ctx) {
      if (saved === undefined || saved === null) return start(ctx);
      // Only this protocol saves here, and the host checks that what it gives back is what was kept.
      const state = awake(saved as CristianState, ctx, (held) => voided(held, ctx));
      begin(state, ctx);
      return beginRound({ ...state, outstanding: null }, ctx, options);
    },

    onMessage(asleep, from, message, ctx) {
      const nonsense = nonsenseIn(message);
      if (nonsense !== undefined) {
        ctx.explain("time.nonsense", { peer: from, nonsense });
        return asleep;
      }
      const state = awake(asleep, ctx, (held) => voided(held, ctx));
      if (message.kind === "reply") return onReply(state, from, message, ctx, options);
      serve(state, from, message, ctx);
      return state;
    },

    onTimer(asleep, timer, ctx) {
      const state = awake(asleep, ctx, (held) => voided(held, ctx));
      if (timer === ARRIVAL) return arrive(state, ctx);
      return timer === "round" ? beginRound(state, ctx, options) : tryAgain(state, ctx, options);
    },
  };
}

/** No reply to the request under way counts any more; its time will come, and it is made again. */
function voided(state: CristianState, ctx: TimeContext): CristianState {
  ctx.save({ ...state, outstanding: null });
  return state.outstanding === null ? state : { ...state, outstanding: { ...state.outstanding, seq: 0 } };
}

function beginRound(state: CristianState, ctx: TimeContext, options: CristianOptions): CristianState {
  const [server] = ctx.processes;
  if (server === undefined || server === ctx.self || state.round >= options.rounds) return state;
  const round = state.round + 1;
  if (round < options.rounds) ctx.setTimer("round", options.period);
  return ask({ ...state, round, tries: 0 }, server, ctx, options);
}

function ask(
  state: CristianState,
  server: ProcessId,
  ctx: TimeContext,
  options: CristianOptions,
): CristianState {
  const seq = state.seq + 1;
  const sent = aimNow(state, ctx);
  ctx.explain("cr.ask", { peer: server, round: state.round });
  ctx.send(server, { kind: "request", seq, sent });
  ctx.setTimer("reply", options.patience);
  const next = { ...state, seq, outstanding: { seq, sent }, tries: state.tries + 1 };
  // A restarted client must not take a reply to an earlier self for its own.
  ctx.save({ ...next, outstanding: null });
  return next;
}

function onReply(
  state: CristianState,
  from: ProcessId,
  { seq, answered }: TimeMessage & { kind: "reply" },
  ctx: TimeContext,
  options: CristianOptions,
): CristianState {
  const { outstanding } = state;
  if (outstanding === null || from !== ctx.processes[0]) return state;
  if (seq !== outstanding.seq) {
    ctx.explain("cr.other", { peer: from, seq });
    return state;
  }
  const now = aimNow(state, ctx);
  const roundTrip = now - outstanding.sent;
  const offset = answered + Math.round(roundTrip / 2) - now;
  if (roundTrip > options.patience || !isCorrection(offset)) {
    ctx.explain("cr.late", { peer: from, took: secondsText(roundTrip) });
    return tryAgain(state, ctx, options);
  }
  ctx.cancelTimer("reply");
  const error = Math.max(0, Math.ceil(roundTrip / 2) - options.delayMin);
  const round: RoundId = [1, state.round];
  const clocks = [
    { process: ctx.self, offset: 0, error: 0 },
    { process: from, offset, error },
  ];
  ctx.output({ kind: "round", round, clocks, averaged: [from], average: offset, gamma: 0, took: roundTrip });
  ctx.explain("cr.measured", {
    peer: from,
    offset: secondsText(offset, "+"),
    error: secondsText(error),
  });
  const next = { ...correct(state, offset, round, ctx, options), outstanding: null };
  ctx.save(next);
  return next;
}

function tryAgain(state: CristianState, ctx: TimeContext, options: CristianOptions): CristianState {
  const [server] = ctx.processes;
  if (state.outstanding === null || server === undefined) return state;
  if (state.tries < options.attempts) return ask(state, server, ctx, options);
  ctx.cancelTimer("reply");
  ctx.explain("cr.silent", { peer: server, tries: state.tries });
  return { ...state, outstanding: null };
}

/** Throws a {@link UsageError} for what no client could do. */
export function checkTimeOptions(options: TimeOptions, tries: number): void {
  checkSlewRule(options);
  const { rounds, period, patience, delayMin } = options;
  for (const [what, value] of Object.entries({ rounds, period, patience, delayMin, tries })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new UsageError(`${what} is ${value}; give a whole number from 0 up`);
  }
  if (patience > 0 && period > tries * patience) return;
  throw new UsageError(
    `${tries} ${tries === 1 ? "try" : "tries"} that may take ${formatDuration(patience)} each do not fit into a period of ${formatDuration(period)}; give a longer period or less patience`,
  );
}

/** A sentence for every rule above; the process itself is the subject. */
export const cristianNarration: Readonly<Record<string, string>> = {
  ...keptClockNarration,
  "cr.ask": "asks {peer} for the time, in round {round}",
  "cr.other": "does not take the reply of {peer}: it is to request {seq}, not to the last one",
  "cr.late": "does not take the reply of {peer}: it took {took}",
  "cr.silent": "has asked {peer} {tries} times and gives up until the next round",
  "cr.measured": "finds {peer} {offset} ahead, to within {error}",
  "time.nonsense": "does not believe {peer}: {nonsense}",
  "output:round": "",
};
