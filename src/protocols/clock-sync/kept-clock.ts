import { ClockCourse } from "../../clocks/index.js";
import type { Context, Duration, Instant } from "../../core/index.js";
import {
  corrected,
  held,
  isReading,
  secondsText,
  slewTime,
  type ClockOutput,
  type RoundId,
  type SlewRule,
} from "./corrected-clock.js";

/** The part of a protocol's state that is its clock. To be saved when it changes. */
export interface KeptClock {
  /** On the axis of the host's. */
  readonly course: ClockCourse.ClockCourse;
  /** The host's clock at the last step; should it be set back, this one goes on from there. */
  readonly hostAt: Instant;
  /** Epoch and round of the last correction. */
  readonly applied: RoundId;
}

type ClockContext = Pick<
  Context<unknown, ClockOutput>,
  "now" | "output" | "explain" | "setTimer" | "cancelTimer"
>;

/** The name of the one timer that a kept clock sets; its protocol calls {@link arrive} when it fires. */
export const ARRIVAL = "arrival";

/** A clock that shows `first` when its host's shows 0. */
export function newClock(first: Instant, ctx: ClockContext): KeptClock {
  const host = { ...ClockCourse.PERFECT, since: ctx.now, reading: ctx.now };
  return { course: ClockCourse.step(host, first, ctx.now), hostAt: ctx.now, applied: [0, 0] };
}

/** Tells what the clock shows, at a start and after a restart, and takes up the slew that was under way. */
export function begin(kept: KeptClock, ctx: ClockContext): void {
  tell(kept, "start", 0, ctx);
  ctx.explain("clock.start", { time: secondsText(ClockCourse.read(kept.course, ctx.now)) });
  awaitArrival(kept, ctx);
}

/** What the clock will show of this instant once it is slewed: what is measured of it. */
export function aimNow({ course }: KeptClock, ctx: Pick<ClockContext, "now">): Instant {
  return ClockCourse.aim(course, ctx.now);
}

/**
 * To begin every step with: the host's clock may have been set back since the last one, and a kept clock does not run
 * backward for that. Then what is being measured is void: `voided` gives the state without it.
 */
export function awake<State extends KeptClock>(
  state: State,
  ctx: ClockContext,
  voided: (state: State) => State,
): State {
  if (ctx.now === state.hostAt) return state;
  if (ctx.now > state.hostAt) return { ...state, hostAt: ctx.now };
  const next = { ...state, course: held(state.course, state.hostAt, ctx.now), hostAt: ctx.now };
  ctx.explain("clock.held", { back: secondsText(state.hostAt - ctx.now) });
  tell(next, "held", 0, ctx);
  awaitArrival(next, ctx);
  return voided(next);
}

/** The clock on its way to `delta` more; the state itself when that is beyond any clock. */
export function correct<State extends KeptClock>(
  state: State,
  delta: Duration,
  applied: RoundId,
  ctx: ClockContext,
  rule: SlewRule,
): State {
  if (!isReading(aimNow(state, ctx) + delta)) {
    ctx.explain("clock.absurd", { delta });
    return state;
  }
  const course = corrected(state.course, delta, ctx.now, rule);
  const next = { ...state, course, applied, hostAt: ctx.now };
  const cause = course.slew === null && delta !== 0 ? "step" : "slew";
  tell(next, cause, delta, ctx);
  if (delta !== 0) {
    ctx.explain(`clock.${cause}`, { delta: secondsText(delta, "+"), time: secondsText(aimNow(next, ctx)) });
  }
  awaitArrival(next, ctx);
  return next;
}

/** The slew is worked off: the clock is where it was to be. */
export function arrive<State extends KeptClock>(state: State, ctx: ClockContext): State {
  // The host's clock was set back meanwhile, too little to be seen, and the timer did not notice.
  if (ClockCourse.slewLeft(state.course, ctx.now) !== 0) {
    awaitArrival(state, ctx);
    return state;
  }
  ctx.explain("clock.arrived", { time: secondsText(ClockCourse.read(state.course, ctx.now)) });
  // Without the slew that is over, the same clock.
  const next = { ...state, course: ClockCourse.slew(state.course, 0, 1, ctx.now), hostAt: ctx.now };
  tell(next, "arrived", 0, ctx);
  return next;
}

function awaitArrival({ course }: KeptClock, ctx: ClockContext): void {
  if (course.slew === null) return ctx.cancelTimer(ARRIVAL);
  ctx.setTimer(ARRIVAL, Math.max(0, course.slew.since + slewTime(course) - ctx.now));
}

function tell(kept: KeptClock, cause: ClockOutput["cause"], delta: Duration, ctx: ClockContext): void {
  const { applied: round, course } = kept;
  ctx.output({ kind: "clock", cause, round, delta, reading: ClockCourse.read(course, ctx.now), course });
}

/** A sentence for every rule above. What a clock tells its user is said by them already. */
export const keptClockNarration: Readonly<Record<string, string>> = {
  "clock.start": "starts with its clock at {time}",
  "clock.slew": "slews its clock by {delta}, to {time}",
  "clock.step": "steps its clock by {delta}, to {time}: too far to slew",
  "clock.arrived": "has slewed its clock to {time}",
  "clock.held": "keeps its clock going on: the host's was set back by {back}",
  "clock.absurd": "does not move its clock by {delta} µs, beyond any time",
  "output:clock": "",
};
