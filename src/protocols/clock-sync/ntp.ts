import {
  MILLISECOND,
  SECOND,
  UsageError,
  type Duration,
  type Instant,
  type ProcessId,
  type Protocol,
} from "../../core/index.js";
import { isCorrection, secondsText, type MeasuredClock, type RoundId } from "./corrected-clock.js";
import { checkTimeOptions } from "./cristian.js";
import { intersection } from "./intersection.js";
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
  sampleOf,
  serve,
  type Outstanding,
  type TimeContext,
  type TimeMessage,
  type TimeOptions,
  type TimeOutput,
} from "./time-server.js";

/** What a process knows. A server only keeps its clock. */
export interface NtpState extends KeptClock {
  readonly seq: number;
  readonly round: number;
  /** When the round began, by the own clock. */
  readonly began: Instant;
  readonly sources: readonly Source[];
}

/** What a client knows of a server. */
export interface Source {
  readonly server: ProcessId;
  /** Cleared by its reply, so that a reply counts once. */
  readonly outstanding: Outstanding | null;
  /** The last {@link REGISTER} samples, newest last; offsets are to the clock as it aims now. */
  readonly samples: readonly { readonly offset: Duration; readonly delay: Duration; readonly at: Instant }[];
}

/** Samples of a server that are kept. RFC 5905, §10: eight stages. */
export const REGISTER = 8;

export interface NtpOptions extends TimeOptions {
  /** So many of the first processes are servers; the others are clients. */
  readonly servers: number;
  /** ρ, by which the error of a sample grows with its age; the RFC's Φ, 15 ppm. */
  readonly driftPpm: number;
}

const DEFAULTS: NtpOptions = {
  clocks: [],
  rounds: 10,
  period: SECOND,
  patience: 100 * MILLISECOND,
  delayMin: 0,
  servers: 4,
  driftPpm: 100,
  slewPpm: 200_000,
  stepBeyond: 20 * SECOND,
};

/**
 * Keeps clocks to several servers, of which fewer than half may be wrong: a client filters each one's samples, finds the
 * interval that a majority agrees on, and takes the mean of those inside, the surest counting most. 2k messages a round
 * with k servers.
 *
 * Of NTP these are the measuring (§8), the clock filter (§10), the selection (§11.2.1) and the combining (§11.2.3); not the
 * clustering, the poll process and the discipline, for which a correction is slewed as it is.
 * Source: D. Mills, J. Martin, J. Burbank and W. Kasch, RFC 5905, "Network Time Protocol Version 4", 2010.
 */
export function ntp(given: Partial<NtpOptions> = {}): Protocol<NtpState, TimeMessage, never, TimeOutput> {
  const options = { ...DEFAULTS, ...given };
  checkTimeOptions(options, 1);
  if (!Number.isSafeInteger(options.servers) || options.servers < 1) {
    throw new UsageError(`${options.servers} servers; give a whole number from 1 up`);
  }
  const start = (ctx: TimeContext): NtpState => {
    const clock = newClock(options.clocks[ctx.processes.indexOf(ctx.self)] ?? 0, ctx);
    begin(clock, ctx);
    return beginRound({ ...clock, seq: 0, round: 0, began: 0, sources: [] }, ctx, options);
  };
  return {
    name: "ntp",

    start,

    onRestart(saved, ctx) {
      if (saved === undefined || saved === null) return start(ctx);
      // Only this protocol saves here, and the host checks that what it gives back is what was kept.
      const state = awake(saved as NtpState, ctx, (held) => voided(held, ctx));
      begin(state, ctx);
      return beginRound(state, ctx, options);
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
      return timer === "round" ? beginRound(state, ctx, options) : select(state, ctx, options);
    },
  };
}

/** No reply to the requests under way counts any more, nor does what was measured before. */
function voided(state: NtpState, ctx: TimeContext): NtpState {
  save(state, ctx);
  const sources = state.sources.map(({ server, outstanding }) => ({
    server,
    outstanding: outstanding && { ...outstanding, seq: 0 },
    samples: [],
  }));
  return { ...state, sources };
}

function beginRound(state: NtpState, ctx: TimeContext, options: NtpOptions): NtpState {
  const servers = ctx.processes.slice(0, options.servers);
  if (servers.includes(ctx.self) || state.round >= options.rounds) return state;
  const round = state.round + 1;
  if (round < options.rounds) ctx.setTimer("round", options.period);
  const sent = aimNow(state, ctx);
  const seq = state.seq + 1;
  ctx.explain("ntp.ask", { round, servers });
  for (const server of servers) ctx.send(server, { kind: "request", seq, sent });
  ctx.setTimer("replies", options.patience);
  const sources = servers.map((server) => ({
    server,
    outstanding: { seq, sent },
    samples: state.sources.find((source) => source.server === server)?.samples ?? [],
  }));
  const next = { ...state, seq, round, began: sent, sources };
  save(next, ctx);
  return next;
}

function onReply(
  state: NtpState,
  from: ProcessId,
  message: TimeMessage & { kind: "reply" },
  ctx: TimeContext,
  options: NtpOptions,
): NtpState {
  const source = state.sources.find(({ server }) => server === from);
  if (source === undefined) return state;
  const { outstanding } = source;
  if (outstanding === null || message.seq !== outstanding.seq || message.sent !== outstanding.sent) {
    ctx.explain("ntp.bogus", { peer: from, seq: message.seq });
    return state;
  }
  const now = aimNow(state, ctx);
  const sample = sampleOf(message.sent, message.received, message.answered, now);
  if (now - outstanding.sent > options.patience || sample.delay < 0 || !isCorrection(sample.offset)) {
    ctx.explain("ntp.late", { peer: from, took: secondsText(now - outstanding.sent) });
    return state;
  }
  const samples = [...source.samples, { ...sample, at: now }].slice(-REGISTER);
  const sources = state.sources.map((other) =>
    other === source ? { ...other, outstanding: null, samples } : other,
  );
  const next = { ...state, sources };
  return sources.every((other) => other.outstanding === null) ? select(next, ctx, options) : next;
}

/** The clock filter, the selection and the combining; then the clock is moved. */
function select(before: NtpState, ctx: TimeContext, options: NtpOptions): NtpState {
  ctx.cancelTimer("replies");
  const silent = before.sources.flatMap(({ server, outstanding }) => (outstanding === null ? [] : [server]));
  if (silent.length > 0) ctx.explain("ntp.silent", { servers: silent });
  const sources = before.sources.map((source) => ({ ...source, outstanding: null }));
  const state = { ...before, sources };
  const now = aimNow(state, ctx);
  const measured = sources.flatMap((source) => bestOf(source, now, options) ?? []);
  const agreed = intersection(
    measured.map(({ offset, error }) => ({ low: offset - error, high: offset + error })),
  );
  if (agreed === undefined) {
    ctx.explain("ntp.no-majority", { heard: measured.length });
    return state;
  }
  const trusted = measured.filter(({ offset }) => offset >= agreed.low && offset <= agreed.high);
  const false_ = measured.filter((clock) => !trusted.includes(clock));
  if (false_.length > 0) {
    ctx.explain("ntp.falseticker", {
      servers: false_.map(({ process, offset }) => `${process} (${secondsText(offset, "+")})`),
    });
  }
  const average = combined(trusted);
  const round: RoundId = [1, state.round];
  const averaged = trusted.map(({ process }) => process);
  const clocks = [
    { process: ctx.self, offset: 0, error: 0 },
    ...measured.map(({ at: _at, ...clock }) => clock),
  ];
  const took = now - Math.min(state.began, ...measured.map(({ at }) => at));
  ctx.output({ kind: "round", round, clocks, averaged, average, gamma: 0, took });
  ctx.explain("ntp.combined", { servers: averaged, average: secondsText(average, "+") });
  const moved = correct(state, average, round, ctx, options);
  const shift = aimNow(moved, ctx) - now;
  const next = { ...moved, sources: sources.map((source) => shifted(source, shift)) };
  save(next, ctx);
  return next;
}

interface Best extends MeasuredClock {
  /** When it was measured, by the own clock. */
  readonly at: Instant;
}

/** The sample that was fastest: its error is the least that is known of this server. */
function bestOf(
  { server, samples }: Source,
  now: Instant,
  { driftPpm, delayMin }: NtpOptions,
): Best | undefined {
  let best: Best | undefined;
  for (const { offset, delay, at } of samples) {
    const aged = Math.ceil((2 * driftPpm * Math.max(0, now - at)) / 1_000_000);
    // At least 1, so that an interval is more than a point.
    const error = Math.max(1, Math.ceil(delay / 2) - delayMin + aged);
    if (best === undefined || error <= best.error) best = { process: server, offset, error, at };
  }
  return best;
}

/** The mean of the offsets, each weighing the more the surer it is. */
function combined(trusted: readonly MeasuredClock[]): Duration {
  const weight = trusted.reduce((sum, { error }) => sum + 1 / error, 0);
  return Math.round(trusted.reduce((sum, { offset, error }) => sum + offset / error, 0) / weight);
}

/** What was measured of a clock that has been moved since. */
function shifted(source: Source, by: Duration): Source {
  return {
    ...source,
    samples: source.samples.map((one) => ({ ...one, offset: one.offset - by, at: one.at + by })),
  };
}

function save(state: NtpState, ctx: TimeContext): void {
  ctx.save({ ...state, sources: [] });
}

/** A sentence for every rule above; the process itself is the subject. */
export const ntpNarration: Readonly<Record<string, string>> = {
  ...keptClockNarration,
  "ntp.ask": "asks {servers} for the time, in round {round}",
  "ntp.bogus": "does not take a reply of {peer}: request {seq} does not wait for one",
  "ntp.late": "does not take the reply of {peer}: it took {took}",
  "ntp.silent": "got no reply this round from {servers}",
  "ntp.no-majority": "leaves its clock alone: of {heard} servers no majority agrees",
  "ntp.falseticker": "does not trust {servers}: a majority says otherwise",
  "ntp.combined": "trusts {servers}: the time is {average} ahead of its own",
  "time.nonsense": "does not believe {peer}: {nonsense}",
  "output:round": "",
};
