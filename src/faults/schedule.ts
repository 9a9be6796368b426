import type { Duration, Instant, ProcessId } from "../core/index.js";
import { faultWords } from "./format.js";
import type { FaultPlan, ScheduledFault } from "./plan.js";

/**
 * Something for a runner to do at a time. `fault` is the fault in the words of the plan, for the trace.
 *
 * `begin` and `end` mark what the injector does by itself (partition, one-way, refuse, failed-send, failed-receive,
 * disk-full): the runner records them, and may act on them too, as a host does that closes its listener.
 */
export type SchedulePoint = { readonly at: Instant; readonly fault: string } & (
  | { readonly kind: "crash" | "restart" | "pause" | "resume"; readonly process: ProcessId }
  /** The clock steps, and drifts from now on; a later point of the same process replaces the drift. */
  | {
      readonly kind: "clock";
      readonly process: ProcessId;
      readonly step: Duration;
      readonly driftPpm: number;
    }
  | { readonly kind: "begin" | "end"; readonly of: ScheduledFault }
);

/**
 * Every beginning and end of a plan, in the order of time. At the same instant ends come first, so that a fault may
 * follow another without a gap; otherwise ties keep the order of the plan. A fault without end has no end point.
 */
export function scheduleOf(plan: FaultPlan): readonly SchedulePoint[] {
  const beginnings = plan.schedule.map(beginning);
  const ends = plan.schedule.flatMap((fault) => end(fault) ?? []);
  // Stable sort: ends stand before beginnings and each in plan order to begin with.
  return [...ends, ...beginnings].sort((a, b) => a.at - b.at);
}

function beginning(fault: ScheduledFault): SchedulePoint {
  const common = { at: fault.at, fault: faultWords(fault) };
  switch (fault.kind) {
    case "crash":
    case "restart":
    case "pause":
      return { ...common, kind: fault.kind, process: fault.process };
    case "clock":
      return { ...common, kind: "clock", process: fault.process, step: fault.step, driftPpm: fault.driftPpm };
    default:
      return { ...common, kind: "begin", of: fault };
  }
}

function end(fault: ScheduledFault): SchedulePoint | undefined {
  if (!("until" in fault) || fault.until === undefined) return undefined;
  const common = { at: fault.until, fault: faultWords(fault) };
  return fault.kind === "pause"
    ? { ...common, kind: "resume", process: fault.process }
    : { ...common, kind: "end", of: fault };
}
