import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/clock-sync/berkeley.ts";
const AVERAGE = "src/protocols/clock-sync/fault-tolerant-average.ts";
const CLOCK = "src/protocols/clock-sync/corrected-clock.ts";

/** Bugs of Berkeley's algorithm; BK-1 to BK-7 as in the protocol reference, §3.3. */
export const mutants: readonly Mutant[] = [
  {
    id: "BK-1",
    family: "berkeley",
    file: FILE,
    find: `  for (const { slave, delta } of work.pending) ctx.send(slave, { kind: "adjust", round, epoch, delta });
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
  const after = correct({ ...next, round: Math.max(next.round, round) }, delta,`,
    replace: `  for (const { slave, delta } of work.pending) ctx.send(slave, { kind: "adjust", round, epoch, delta: aimNow(state, ctx) });
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
  const after = correct({ ...next, round: Math.max(next.round, round) }, delta - aimNow(next, ctx),`,
    why: "A time is sent instead of a difference: it is late by as long as it was under way.",
    scenario: "berkeley/bad-network",
  },
  {
    id: "BK-2",
    family: "berkeley",
    file: FILE,
    find: "const clocks = [{ process: ctx.self, offset: 0, error: 0 }, ...slaves];",
    replace: "const clocks = slaves.length > 0 ? slaves : [{ process: ctx.self, offset: 0, error: 0 }];",
    why: "The master's own clock is left out of the mean.",
    scenario: "berkeley/bad-network",
  },
  {
    id: "BK-3",
    family: "berkeley",
    file: FILE,
    find: "offset: Math.round((forward - back) / 2),",
    replace: "offset: forward,",
    why: "The delay of the poll is taken for a part of the offset.",
    scenario: "berkeley/bad-network",
  },
  {
    id: "BK-4",
    family: "berkeley",
    file: AVERAGE,
    find: "if (size < largest) continue;",
    replace: "if (size < largest || lowest > 0 || (rising[to - 1]?.offset ?? 0) < 0) continue;",
    why: "γ is measured around the master's own clock, instead of around the largest cluster.",
    scenario: "berkeley/fault-tolerant-average",
  },
  {
    id: "BK-5",
    family: "berkeley",
    file: FILE,
    find: "const pending = slaves.map(",
    replace: "const pending = slaves.filter(({ process }) => averaged.includes(process)).map(",
    why: "Whoever is left out of the mean is never corrected.",
    scenario: "berkeley/quiet-network",
  },
  {
    id: "BK-6",
    family: "berkeley",
    file: CLOCK,
    find: "if (Math.abs(missing) <= stepBeyond)",
    replace: "if (missing >= 0 && missing <= stepBeyond)",
    why: "A clock that is ahead is set back, so time runs backward.",
    scenario: "berkeley/quiet-network",
  },
  {
    id: "BK-7",
    family: "berkeley",
    file: FILE,
    find: "if (!isLater(id, next.applied)) {",
    replace: "if (id[0] < next.applied[0]) {",
    why: "A correction that the network doubled, or an old one that comes late, is made again.",
    scenario: "berkeley/bad-network",
  },
  {
    id: "BK-8",
    family: "berkeley",
    file: AVERAGE,
    find: "if (size < largest) continue;",
    replace: "if (size < largest || (best !== undefined && from < best.to)) continue;",
    why: "Windows that begin inside the best one so far are skipped, as in the 1985 networkdelta.c, so the largest can be missed.",
    scenario: "berkeley/fault-tolerant-average",
  },
  {
    id: "BK-9",
    family: "berkeley",
    file: FILE,
    find: "const reading = aimNow(next, ctx);",
    replace: "const reading = aimNow({ ...next, course: { ...next.course, slew: null } }, ctx);",
    why: "A clock that is being slewed is measured where it is, and corrected as if it stayed there.",
    scenario: "berkeley/bad-network",
  },
  {
    id: "BK-10",
    family: "berkeley",
    file: CLOCK,
    find: "return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);",
    replace: "return a[0] !== b[0] || a[1] !== b[1];",
    why: "Any other round counts as a later one, so an old correction is made after a newer one.",
    scenario: "berkeley/old-correction",
  },
  {
    id: "BK-11",
    family: "berkeley",
    file: FILE,
    find: "received - work.sent > options.patience ||",
    replace: "",
    why: "What reached the master while it was paused counts as an answer that took so long.",
    scenario: "berkeley/paused-master",
  },
];
