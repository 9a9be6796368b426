import type { Duration, Instant, ProcessId } from "../core/index.js";
import { DURATION_MAX, formatDuration, nearestName, UsageError } from "../core/index.js";
import { percentText } from "./decimal.js";
import { faultError, quoted } from "./fault-error.js";
import { formatLinkFault, formatScheduledFault } from "./format.js";
import type { DelayFault, FaultPlan, LinkFault, ScheduledFault } from "./plan.js";
import { DRIFT_PPM_MAX, FAULT_ITEMS_MAX } from "./plan.js";
import { spanOf } from "./timeline.js";

/** How errors name an entry; by default in the fault language. */
export interface ItemNames {
  link(index: number): string;
  scheduled(index: number): string;
}

/**
 * Throws a `UsageError` unless the plan makes sense: values in range, names of processes (of the run, when `processes`
 * is given), crashes and restarts in turn, no pause within a pause.
 *
 * Everything that makes a plan valid is here; the parsers only read.
 */
export function checkFaults(
  plan: FaultPlan,
  processes?: readonly ProcessId[],
  names = itemNames(plan),
): void {
  const count = plan.links.length + plan.schedule.length;
  if (count > FAULT_ITEMS_MAX)
    throw new UsageError(`the fault plan has ${count} items; at most ${FAULT_ITEMS_MAX}`);
  const known = processes === undefined ? undefined : new Set(processes);
  const checkProcess = (item: string, name: ProcessId): void => {
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) throw faultError(item, `${quoted(name)} cannot name a process`);
    if (known !== undefined && !known.has(name))
      throw faultError(item, unknownProcess(name, processes ?? []));
  };
  for (const [i, fault] of plan.links.entries()) {
    const item = names.link(i);
    checkEnds(item, fault.from, fault.to);
    if (fault.from !== undefined) checkProcess(item, fault.from);
    if (fault.to !== undefined) checkProcess(item, fault.to);
    checkLink(item, fault);
  }
  for (const [i, fault] of plan.schedule.entries()) {
    const item = names.scheduled(i);
    checkTimes(item, fault);
    checkScheduled(item, fault, checkProcess);
  }
  checkCrashes(plan.schedule, names);
  checkPauses(plan.schedule, names);
}

function itemNames(plan: FaultPlan): ItemNames {
  const name = (text: string | undefined): string => `fault ${quoted(text ?? "")}`;
  return {
    link: (i) => name(plan.links.slice(i, i + 1).map(formatLinkFault)[0]),
    scheduled: (i) => name(plan.schedule.slice(i, i + 1).map(formatScheduledFault)[0]),
  };
}

function unknownProcess(name: ProcessId, processes: readonly ProcessId[]): string {
  const nearest = nearestName(name, processes);
  const hint = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
  const shown = processes.slice(0, 12).join(", ");
  const more = processes.length > 12 ? `, … (${processes.length})` : "";
  return `there is no process "${name}"${hint} Processes: ${shown}${more}`;
}

function checkEnds(item: string, from: ProcessId | undefined, to: ProcessId | undefined): void {
  if (from !== undefined && from === to)
    throw faultError(item, `a process has no link to itself; give two processes`);
}

const RATES = ["loss", "duplicate", "reorder", "corrupt"] as const;

function checkLink(item: string, fault: LinkFault): void {
  if (fault.delay === undefined && RATES.every((name) => fault[name] === undefined)) {
    throw faultError(item, "no fault is given; give delay, loss, duplicate, reorder or corrupt");
  }
  for (const name of RATES) {
    const rate = fault[name];
    if (rate !== undefined && !(rate >= 0 && rate <= 1)) {
      throw faultError(
        item,
        `${name} is ${Number.isFinite(rate) ? percentText(rate) : rate}; give 0% to 100%`,
      );
    }
  }
  if (fault.delay !== undefined) checkDelay(item, fault.delay);
}

function checkDelay(item: string, { min, max, mean }: DelayFault): void {
  checkDuration(item, "the shortest delay", min);
  checkDuration(item, "the longest delay", max);
  if (min > max) {
    throw faultError(
      item,
      `the shortest delay, ${formatDuration(min)}, is longer than the longest, ${formatDuration(max)}; ` +
        `did you mean ${formatDuration(max)}..${formatDuration(min)}?`,
    );
  }
  if (mean === undefined) return;
  checkDuration(item, "the mean", mean);
  if (mean < min || mean > max) {
    throw faultError(
      item,
      `the mean, ${formatDuration(mean)}, lies outside the range; give ${formatDuration(min)} to ${formatDuration(max)}`,
    );
  }
}

function checkDuration(item: string, what: string, value: Duration): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > DURATION_MAX) {
    throw faultError(item, `${what} is ${value} microseconds; give a whole number from 0 to a year`);
  }
}

function checkTimes(item: string, fault: ScheduledFault): void {
  checkDuration(item, "the time it begins", fault.at);
  const until: Instant | undefined = "until" in fault ? fault.until : undefined;
  if (until === undefined) return;
  checkDuration(item, "the time it ends", until);
  if (until <= fault.at) {
    throw faultError(
      item,
      `it ends at ${formatDuration(until)}, not after it begins at ${formatDuration(fault.at)}; give BEGIN..END`,
    );
  }
}

function checkScheduled(
  item: string,
  fault: ScheduledFault,
  checkProcess: (item: string, name: ProcessId) => void,
): void {
  switch (fault.kind) {
    case "partition":
      checkGroups(item, fault.groups);
      for (const name of fault.groups.flat()) checkProcess(item, name);
      return;
    case "one-way":
      checkEnds(item, fault.from, fault.to);
      checkProcess(item, fault.from);
      checkProcess(item, fault.to);
      return;
    case "clock":
      checkProcess(item, fault.process);
      checkClock(item, fault.step, fault.driftPpm);
      return;
    default:
      checkProcess(item, fault.process);
  }
}

function checkGroups(item: string, groups: readonly (readonly ProcessId[])[]): void {
  if (groups.length < 2) {
    throw faultError(item, "a partition has two groups or more; write them as P1 P2 | P3 P4");
  }
  const grouped = new Set<ProcessId>();
  for (const group of groups) {
    if (group.length === 0) throw faultError(item, "a group is empty; give each side of | a process");
    for (const name of group) {
      if (grouped.has(name))
        throw faultError(item, `${quoted(name)} is named twice; a process is in one group at most`);
      grouped.add(name);
    }
  }
}

function checkClock(item: string, step: Duration, driftPpm: number): void {
  if (!Number.isSafeInteger(step) || Math.abs(step) > DURATION_MAX) {
    throw faultError(
      item,
      `the step is ${step} microseconds; give a whole number, at most a year either way`,
    );
  }
  if (!Number.isInteger(driftPpm) || Math.abs(driftPpm) > DRIFT_PPM_MAX) {
    throw faultError(
      item,
      `the drift is ${driftPpm} ppm; give a whole number from -${DRIFT_PPM_MAX} to ${DRIFT_PPM_MAX}`,
    );
  }
}

/** Crash and restart must take turns, in time; at the same time, in the order of the plan. */
function checkCrashes(schedule: readonly ScheduledFault[], names: ItemNames): void {
  const down = new Map<ProcessId, Instant>();
  for (const [i, fault] of inTime(schedule)) {
    if (fault.kind !== "crash" && fault.kind !== "restart") continue;
    const since = down.get(fault.process);
    if (fault.kind === "crash") {
      if (since !== undefined) {
        throw faultError(
          names.scheduled(i),
          `${fault.process} is down since ${formatDuration(since)}; restart it in between, or leave one crash out`,
        );
      }
      down.set(fault.process, fault.at);
    } else if (!down.delete(fault.process)) {
      throw faultError(
        names.scheduled(i),
        `${fault.process} is up at ${formatDuration(fault.at)}; crash it before`,
      );
    }
  }
}

/** The runner could not tell which end resumes the process. */
function checkPauses(schedule: readonly ScheduledFault[], names: ItemNames): void {
  const pausedUntil = new Map<ProcessId, Instant>();
  for (const [i, fault] of inTime(schedule)) {
    if (fault.kind !== "pause") continue;
    const until = pausedUntil.get(fault.process) ?? -Infinity;
    if (fault.at < until) {
      const end = until === Infinity ? "the end of the run" : formatDuration(until);
      throw faultError(
        names.scheduled(i),
        `${fault.process} is paused already, until ${end}; join the two pauses`,
      );
    }
    pausedUntil.set(fault.process, spanOf(fault).until);
  }
}

function inTime(schedule: readonly ScheduledFault[]): (readonly [number, ScheduledFault])[] {
  return [...schedule.entries()].sort(([, a], [, b]) => a.at - b.at);
}
