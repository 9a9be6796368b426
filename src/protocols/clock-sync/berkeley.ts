import type { Context, Duration, Instant, ProcessId, Protocol } from "../../core/index.js";
import { nonsenseIn, ownEpochAfter, type BerkeleyMessage } from "./berkeley-messages.js";
import { berkeleyOptions, type BerkeleyOptions } from "./berkeley-options.js";
import {
  isCorrection,
  isLater,
  secondsText,
  type ClockOutput,
  type RoundId,
  type RoundOutput,
} from "./corrected-clock.js";
import { faultTolerantAverage } from "./fault-tolerant-average.js";
import {
  aimNow,
  arrive,
  awake,
  begin,
  correct,
  keptClockNarration,
  newClock,
  type KeptClock,
} from "./kept-clock.js";

/** What a process knows. All but its role survives a crash. */
export interface BerkeleyState extends KeptClock {
  readonly role: Role;
  /** That of the master it follows; 0 before any. */
  readonly epoch: number;
  readonly master: ProcessId | null;
  /** Highest epoch heard of; the next own one is above. */
  readonly heard: number;
  /** Highest round heard of. */
  readonly round: number;
}

type Role =
  /** `patience` is how long it waits for a master's word; `promised` is the candidate it accepted meanwhile. */
  | { readonly kind: "slave"; readonly patience: Duration; readonly promised: ProcessId | null }
  | { readonly kind: "candidate"; readonly epoch: number }
  | { readonly kind: "master"; readonly work: Work };

/** Waits for nobody, but does what a master says. */
const RESTING: Role = { kind: "slave", patience: 0, promised: null };

type Work =
  | { readonly kind: "resting" }
  | {
      readonly kind: "polling";
      /** By the own clock. */
      readonly began: Instant;
      readonly sample: number;
      /** T1 of this sample. */
      readonly sent: Instant;
      /** Who answered this sample. */
      readonly answered: readonly ProcessId[];
      readonly measured: readonly Measured[];
    }
  | {
      readonly kind: "adjusting";
      readonly began: Instant;
      /** Corrections not acknowledged yet. */
      readonly pending: readonly { readonly slave: ProcessId; readonly delta: Duration }[];
      readonly attempts: number;
    };

/** The best of a slave's samples, each way: T2 - T1 and T4 - T3, which hold the offset and the delay. */
interface Measured {
  readonly slave: ProcessId;
  readonly answers: number;
  readonly forward: Duration;
  readonly back: Duration;
}

/** What the group's user is told. */
export type BerkeleyOutput =
  | ClockOutput
  | { readonly kind: "master"; readonly epoch: number }
  /** A master's; the corrections are `average` less each `offset`. */
  | RoundOutput;

type Ctx = Context<BerkeleyMessage, BerkeleyOutput>;

/**
 * Keeps the clocks of a group together, not right: a master asks everyone's offset, averages those that agree, and
 * tells each how far to move. (2m+2)(n-1) messages per round with m samples.
 *
 * Bears loss, duplication, reordering, pauses, and crashes of anyone: an election replaces the master. After a heal the
 * later epoch's master stays. Believes its members: one that lies moves at most the others within γ of it.
 *
 * Source: R. Gusella and S. Zatti, "The Accuracy of the Clock Synchronization Achieved by TEMPO in Berkeley UNIX
 * 4.3BSD", IEEE Transactions on Software Engineering 15(7), 1989; the election: R. Gusella and S. Zatti, "An Election
 * Algorithm for a Distributed Clock Synchronization Program", UCB/CSD 86/275, 1985. Theirs has no epochs: two masters
 * that meet are told so by a slave (CONFLICT), and one is asked to quit (RESOLVE, QUIT). Here their epochs decide.
 */
export function berkeley(
  given: Partial<BerkeleyOptions> = {},
): Protocol<BerkeleyState, BerkeleyMessage, never, BerkeleyOutput> {
  const options = berkeleyOptions(given);
  const start = (ctx: Ctx): BerkeleyState => {
    const first = options.clocks[ctx.processes.indexOf(ctx.self)] ?? 0;
    const clock = newClock(first, ctx);
    const state: BerkeleyState = { ...clock, role: RESTING, epoch: 0, master: null, heard: 0, round: 0 };
    begin(state, ctx);
    if (options.rounds === 0) return state;
    // So that a group which starts together need not wait for a master: the first one stands at once.
    return ctx.self === ctx.processes[0] ? stand(state, ctx, options) : waitForMaster(state, ctx, options);
  };
  return {
    name: "berkeley",

    start,

    onRestart(saved, ctx) {
      if (saved === undefined || saved === null) return start(ctx);
      // Only this protocol saves here, and the host checks that what it gives back is what was kept.
      const kept = saved as Omit<BerkeleyState, "role">;
      const state = awake<BerkeleyState>({ ...kept, role: RESTING }, ctx, (same) => same);
      begin(state, ctx);
      return waitForMaster(state, ctx, options);
    },

    onMessage(asleep, from, message, ctx) {
      const nonsense = nonsenseIn(message, from, ctx.processes, asleep.heard);
      if (nonsense !== undefined) {
        ctx.explain("bk.nonsense", { peer: from, nonsense });
        return asleep;
      }
      const state = awake(asleep, ctx, (held) => voided(held, ctx));
      switch (message.kind) {
        case "poll":
          return onPoll(state, from, message, ctx, options);
        case "answer":
          return onAnswer(state, from, message, ctx, options);
        case "adjust":
          return onAdjust(state, from, message, ctx, options);
        case "ack":
          return onAck(state, from, message, ctx, options);
        case "election":
          return onElection(state, from, message.epoch, ctx, options);
        case "accept":
          return state;
        case "refuse":
          return onRefuse(state, from, message.epoch, ctx, options);
        case "master-up":
          return followed(state, from, message.epoch, ctx, options);
        case "quit":
          return onQuit(state, from, message, ctx, options);
      }
    },

    onTimer(asleep, timer, ctx) {
      const state = awake(asleep, ctx, (held) => voided(held, ctx));
      switch (timer) {
        case "election":
          return stand(state, ctx, options);
        case "candidacy":
          return win(state, ctx, options);
        case "round":
          return beginRound(state, ctx, options);
        case "poll":
          return endSample(state, ctx, options);
        case "adjust":
          return adjustAgain(state, ctx, options);
        case "promise":
          return promised(state, null);
        default:
          return arrive(state, ctx);
      }
    },
  };
}

// The round of a master: poll, average, adjust.

function beginRound(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  const { role } = state;
  if (role.kind === "master" && role.work.kind === "adjusting") tellDropped(role.work.pending, ctx);
  ctx.cancelTimer("adjust");
  const round = state.round + 1;
  ctx.explain("bk.poll", { round, samples: options.samples });
  if (round < options.rounds) ctx.setTimer("round", options.period);
  const began = aimNow(state, ctx);
  const work: Work = { kind: "polling", began, sample: 0, sent: began, answered: [], measured: [] };
  return poll({ ...state, round, role: { kind: "master", work } }, work, ctx, options);
}

/** What was measured of this round does not count any more, nor does what is still to be answered of this sample. */
function voided(state: BerkeleyState, ctx: Ctx): BerkeleyState {
  save(state, ctx);
  const { role } = state;
  if (role.kind !== "master" || role.work.kind !== "polling") return state;
  const work: Work = { ...role.work, began: aimNow(state, ctx), answered: ctx.peers, measured: [] };
  return { ...state, role: { kind: "master", work } };
}

function poll(
  state: BerkeleyState,
  before: Work & { kind: "polling" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const sample = before.sample + 1;
  if (sample > options.samples) return average(state, before, ctx, options);
  const sent = aimNow(state, ctx);
  ctx.broadcast({ kind: "poll", round: state.round, sample, epoch: state.epoch, sent });
  ctx.setTimer("poll", options.patience);
  return {
    ...state,
    role: { kind: "master", work: { ...before, sample, sent, answered: [] } },
  };
}

/** A slave's whole part in the measuring. */
function onPoll(
  state: BerkeleyState,
  from: ProcessId,
  { round, sample, epoch, sent }: BerkeleyMessage & { kind: "poll" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const next = followed(state, from, epoch, ctx, options);
  if (next.epoch !== epoch || next.master !== from) return next;
  const reading = aimNow(next, ctx);
  ctx.send(from, { kind: "answer", round, sample, epoch, sent, received: reading, answered: reading });
  return { ...next, round: Math.max(next.round, round) };
}

function onAnswer(
  state: BerkeleyState,
  from: ProcessId,
  message: BerkeleyMessage & { kind: "answer" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const { role } = state;
  if (role.kind !== "master" || role.work.kind !== "polling") return state;
  const { work } = role;
  const current =
    message.epoch === state.epoch &&
    message.round === state.round &&
    message.sample === work.sample &&
    message.sent === work.sent;
  if (!current || work.answered.includes(from)) return state;
  const received = aimNow(state, ctx);
  const forward = message.received - message.sent;
  const back = received - message.answered;
  // Its timer may come late, when the process was paused; then the answer would count the pause as delay.
  if (received - work.sent > options.patience || !isCorrection(forward) || !isCorrection(back)) {
    ctx.explain("bk.late", { peer: from, took: secondsText(forward + back) });
    return state;
  }
  const others = work.measured.filter(({ slave }) => slave !== from);
  const before = work.measured.find(({ slave }) => slave === from);
  const measured: Measured = {
    slave: from,
    answers: (before?.answers ?? 0) + 1,
    forward: Math.min(forward, before?.forward ?? forward),
    back: Math.min(back, before?.back ?? back),
  };
  const next: Work = { ...work, answered: [...work.answered, from], measured: [...others, measured] };
  const after: BerkeleyState = { ...state, role: { kind: "master", work: next } };
  return next.answered.length === ctx.peers.length ? poll(after, next, ctx, options) : after;
}

function endSample(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  const { role } = state;
  return role.kind === "master" && role.work.kind === "polling"
    ? poll(state, role.work, ctx, options)
    : state;
}

function average(
  state: BerkeleyState,
  { began, measured }: Work & { kind: "polling" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const enough = Math.min(options.samples, ANSWERS_MIN);
  const heard = ctx.peers.flatMap((peer) =>
    measured.filter(({ slave, answers }) => slave === peer && answers >= enough),
  );
  const slaves = heard.map(({ slave, forward, back }) => ({
    process: slave,
    // What the best delays of both ways have in common cancels out.
    offset: Math.round((forward - back) / 2),
    error: Math.max(0, Math.ceil((forward + back) / 2) - options.delayMin),
  }));
  const clocks = [{ process: ctx.self, offset: 0, error: 0 }, ...slaves];
  const { mean, members } = faultTolerantAverage(
    clocks.map(({ offset }) => offset),
    options.gamma,
  );
  ctx.cancelTimer("poll");
  const averaged = clocks.flatMap(({ process }, place) => (members.includes(place) ? [process] : []));
  const round: RoundId = [state.epoch, state.round];
  const took = aimNow(state, ctx) - began;
  ctx.output({ kind: "round", round, clocks, averaged, average: mean, gamma: options.gamma, took });
  explainRound(state, ctx, { clocks, averaged, mean });
  // Whoever is far out is corrected all the same.
  const pending = slaves.map(({ process, offset }) => ({ slave: process, delta: mean - offset }));
  const own = correct(state, mean, round, ctx, options);
  save(own, ctx);
  return adjust(
    { ...own, role: { kind: "master", work: { kind: "adjusting", began, pending, attempts: 0 } } },
    ctx,
    options,
  );
}

/** Fewer answers than this do not tell a delay from an offset; one when there is but one sample. */
const ANSWERS_MIN = 2;

function explainRound(
  state: BerkeleyState,
  ctx: Ctx,
  found: {
    readonly clocks: readonly { readonly process: ProcessId; readonly offset: Duration }[];
    readonly averaged: readonly ProcessId[];
    readonly mean: Duration;
  },
): void {
  const { clocks, averaged, mean } = found;
  const time = secondsText(aimNow(state, ctx) + mean);
  ctx.explain("bk.average", { round: state.round, averaged, mean: secondsText(mean, "+"), time });
  const far = clocks.flatMap(({ process, offset }) =>
    averaged.includes(process) ? [] : [`${process} (${secondsText(offset, "+")})`],
  );
  if (far.length > 0) ctx.explain("bk.far", { far });
  const unheard = ctx.peers.filter((peer) => clocks.every(({ process }) => process !== peer));
  if (unheard.length > 0) ctx.explain("bk.unheard", { unheard });
}

/** Sends the corrections that are not acknowledged; when none are left, or it has tried often enough, the round ends. */
function adjust(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  const { role, round, epoch } = state;
  if (role.kind !== "master" || role.work.kind !== "adjusting") return state;
  const { work } = role;
  if (work.pending.length === 0 || work.attempts === options.attempts)
    return endRound(state, work.pending, ctx, options);
  for (const { slave, delta } of work.pending) ctx.send(slave, { kind: "adjust", round, epoch, delta });
  ctx.setTimer("adjust", options.patience);
  return { ...state, role: { kind: "master", work: { ...work, attempts: work.attempts + 1 } } };
}

/** A slave's correction. */
function onAdjust(
  state: BerkeleyState,
  from: ProcessId,
  { round, epoch, delta }: BerkeleyMessage & { kind: "adjust" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const next = followed(state, from, epoch, ctx, options);
  if (next.epoch !== epoch || next.master !== from) return next;
  const id: RoundId = [epoch, round];
  ctx.send(from, { kind: "ack", round, epoch });
  if (!isLater(id, next.applied)) {
    ctx.explain("bk.old", { peer: from, round });
    return next;
  }
  const after = correct({ ...next, round: Math.max(next.round, round) }, delta, id, ctx, options);
  save(after, ctx);
  if (round < options.rounds) return after;
  // Its last round: it waits for nobody any more.
  ctx.cancelTimer("election");
  return { ...after, role: RESTING };
}

function adjustAgain(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  const { role } = state;
  if (role.kind !== "master" || role.work.kind !== "adjusting") return state;
  if (role.work.attempts < options.attempts) {
    ctx.explain("bk.again", { slaves: role.work.pending.map(({ slave }) => slave) });
  }
  return adjust(state, ctx, options);
}

function onAck(
  state: BerkeleyState,
  from: ProcessId,
  { round, epoch }: BerkeleyMessage & { kind: "ack" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const { role } = state;
  if (role.kind !== "master" || role.work.kind !== "adjusting") return state;
  if (epoch !== state.epoch || round !== state.round) return state;
  const { work } = role;
  const pending = work.pending.filter(({ slave }) => slave !== from);
  if (pending.length === work.pending.length) return state;
  const next: BerkeleyState = { ...state, role: { kind: "master", work: { ...work, pending } } };
  return pending.length === 0 ? endRound(next, pending, ctx, options) : next;
}

function endRound(
  state: BerkeleyState,
  unacknowledged: readonly { readonly slave: ProcessId }[],
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  ctx.cancelTimer("adjust");
  if (unacknowledged.length > 0) ctx.explain("bk.drop", { slaves: unacknowledged.map(({ slave }) => slave) });
  if (state.round < options.rounds) return { ...state, role: { kind: "master", work: { kind: "resting" } } };
  ctx.explain("bk.done", { rounds: state.round });
  // Whoever missed the last round may stand and have one of its own.
  return { ...state, role: RESTING };
}

function tellDropped(pending: readonly { readonly slave: ProcessId }[], ctx: Ctx): void {
  if (pending.length > 0) ctx.explain("bk.drop", { slaves: pending.map(({ slave }) => slave) });
}

function save({ course, hostAt, epoch, master, heard, round, applied }: BerkeleyState, ctx: Ctx): void {
  ctx.save({ course, hostAt, epoch, master, heard, round, applied });
}

// The election.

/** A slave without a master's word for so long stands itself: 1.5 to 3.75 periods, as timed's 6 to 15 min to its 4. */
function waitForMaster(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  if (state.applied[1] >= options.rounds) return { ...state, role: RESTING };
  const quarters = ctx.choose("patience", [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  const patience = Math.ceil((quarters * options.period) / 4);
  ctx.setTimer("election", patience);
  return { ...state, role: { kind: "slave", patience, promised: null } };
}

/** Stands for master, in the next of its own epochs. */
function stand(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  const epoch = ownEpochAfter(state.heard, ctx.self, ctx.processes);
  ctx.explain("bk.stand", { epoch, master: state.master });
  const next: BerkeleyState = { ...state, heard: epoch, role: { kind: "candidate", epoch } };
  save(next, ctx);
  ctx.broadcast({ kind: "election", epoch });
  ctx.setTimer("candidacy", 2 * options.patience);
  return next;
}

function onElection(
  before: BerkeleyState,
  from: ProcessId,
  epoch: number,
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  const state = { ...before, heard: Math.max(before.heard, epoch) };
  const { role } = state;
  switch (role.kind) {
    case "master":
      ctx.explain("bk.quit.alive", { peer: from });
      ctx.send(from, { kind: "quit", epoch: state.epoch, master: ctx.self });
      return state;
    case "candidate":
      ctx.explain("bk.refuse.candidate", { peer: from });
      ctx.send(from, { kind: "refuse", epoch });
      return state;
    case "slave":
      if (role.promised !== null && role.promised !== from) {
        ctx.explain("bk.refuse.promised", { peer: from, other: role.promised });
        ctx.send(from, { kind: "refuse", epoch });
        return state;
      }
      ctx.explain("bk.accept", { peer: from, epoch });
      ctx.send(from, { kind: "accept", epoch });
      if (role.patience > 0) ctx.setTimer("election", role.patience);
      // Longer than a candidacy takes; then somebody else may have it.
      ctx.setTimer("promise", 4 * options.patience);
      return promised(state, from);
  }
}

function promised(state: BerkeleyState, candidate: ProcessId | null): BerkeleyState {
  const { role } = state;
  if (role.kind !== "slave" || role.promised === candidate) return state;
  return { ...state, role: { ...role, promised: candidate } };
}

function onRefuse(
  state: BerkeleyState,
  from: ProcessId,
  epoch: number,
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  if (state.role.kind !== "candidate" || state.role.epoch !== epoch) return state;
  return withdraw(state, from, ctx, options);
}

function withdraw(state: BerkeleyState, peer: ProcessId, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  ctx.explain("bk.withdraw", { peer });
  ctx.cancelTimer("candidacy");
  return waitForMaster(state, ctx, options);
}

/** Nobody objected in time: whoever is there has accepted it. */
function win(state: BerkeleyState, ctx: Ctx, options: BerkeleyOptions): BerkeleyState {
  if (state.role.kind !== "candidate") return state;
  const { epoch } = state.role;
  ctx.explain("bk.win", { epoch });
  ctx.output({ kind: "master", epoch });
  const next: BerkeleyState = {
    ...state,
    epoch,
    master: ctx.self,
    role: { kind: "master", work: { kind: "resting" } },
  };
  save(next, ctx);
  ctx.broadcast({ kind: "master-up", epoch });
  // One that missed the last round has it again.
  return beginRound({ ...next, round: Math.min(next.round, options.rounds - 1) }, ctx, options);
}

/** A master's word: a later epoch's is followed, an earlier one's is told so. */
function followed(
  state: BerkeleyState,
  from: ProcessId,
  epoch: number,
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  if (epoch < state.epoch) {
    ctx.explain("bk.quit.later", { peer: from, epoch, later: state.epoch });
    ctx.send(from, { kind: "quit", epoch: state.epoch, master: state.master ?? ctx.self });
    return state;
  }
  if (epoch > state.epoch) return follow(state, from, epoch, ctx, options);
  const { role } = state;
  if (role.kind === "candidate") return withdraw(state, from, ctx, options);
  if (role.kind === "slave" && role.patience > 0) ctx.setTimer("election", role.patience);
  return promised(state, null);
}

function onQuit(
  state: BerkeleyState,
  from: ProcessId,
  { epoch, master }: BerkeleyMessage & { kind: "quit" },
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  if (epoch > state.epoch && master !== ctx.self) return follow(state, master, epoch, ctx, options);
  if (state.role.kind !== "candidate" || epoch !== state.epoch) return state;
  return withdraw(state, from, ctx, options);
}

function follow(
  state: BerkeleyState,
  master: ProcessId,
  epoch: number,
  ctx: Ctx,
  options: BerkeleyOptions,
): BerkeleyState {
  ctx.explain(state.role.kind === "master" ? "bk.yield" : "bk.follow", { master, epoch });
  for (const timer of ["candidacy", "round", "poll", "adjust"]) ctx.cancelTimer(timer);
  const next = { ...state, epoch, master, heard: Math.max(state.heard, epoch) };
  save(next, ctx);
  return waitForMaster(next, ctx, options);
}

/** A sentence for every rule above; the process itself is the subject. */
export const berkeleyNarration: Readonly<Record<string, string>> = {
  ...keptClockNarration,
  "bk.stand": "stands for master, with epoch {epoch}",
  "bk.accept": "accepts {peer} as master of epoch {epoch}",
  "bk.refuse.candidate": "refuses {peer}: it stands itself",
  "bk.refuse.promised": "refuses {peer}: it has accepted {other}",
  "bk.quit.alive": "tells {peer} to quit: it is master, and alive",
  "bk.quit.later": "tells {peer} to quit: epoch {later} is later than its {epoch}",
  "bk.withdraw": "withdraws: {peer} objects",
  "bk.win": "is master, of epoch {epoch}: nobody objected",
  "bk.follow": "follows {master}, master of epoch {epoch}",
  "bk.yield": "is no longer master: {master} is, of the later epoch {epoch}",
  "bk.poll": "begins round {round}: polls everyone {samples} times",
  "bk.late": "does not count the answer of {peer}: it took {took}",
  "bk.average": "averages {averaged}: {mean} to its own clock, which makes it {time}",
  "bk.far": "leaves out of the average, but corrects: {far}",
  "bk.unheard": "got too few answers this round from {unheard}",
  "bk.again": "sends the correction again to {slaves}",
  "bk.drop": "goes on without an acknowledgement of {slaves}",
  "bk.old": "does not make {peer}'s correction of round {round}: it has made that or a later one",
  "bk.done": "ends the last round, number {rounds}",
  "bk.nonsense": "does not believe {peer}: {nonsense}",
  "output:master": "",
  "output:round": "",
};
