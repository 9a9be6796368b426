import type { ProcessId } from "../core/index.js";
import { formatDuration } from "../core/index.js";
import { decimalText, percentText } from "./decimal.js";
import type { DelayFault, FaultPlan, LinkFault, ScheduledFault } from "./plan.js";

/** A plan in plain English, one line per entry: "every link: 10% of messages lost". Empty for an empty plan. */
export function describeFaults(plan: FaultPlan): string[] {
  return [...plan.links.map(describeLink), ...plan.schedule.map((fault) => `${when(fault)}: ${what(fault)}`)];
}

function describeLink({ from, to, delay, loss, duplicate, reorder, corrupt }: LinkFault): string {
  const parts: string[] = [];
  if (delay !== undefined) parts.push(describeDelay(delay));
  if (loss !== undefined) parts.push(`${percentText(loss)} of messages lost`);
  if (duplicate !== undefined) parts.push(`${percentText(duplicate)} of messages arrive twice`);
  if (reorder !== undefined)
    parts.push(`${percentText(reorder)} of messages held back so that later ones overtake them`);
  if (corrupt !== undefined)
    parts.push(`${percentText(corrupt)} of messages corrupted, and dropped by the receiver`);
  return `${linkName(from, to)}: ${parts.join("; ")}`;
}

function linkName(from: ProcessId | undefined, to: ProcessId | undefined): string {
  if (from === undefined) return to === undefined ? "every link" : `every link to ${to}`;
  return to === undefined ? `every link from ${from}` : `${from} to ${to}`;
}

function describeDelay({ min, max, mean }: DelayFault): string {
  if (min === max) return `messages take ${formatDuration(max)} longer`;
  const range = `messages take ${formatDuration(min)} to ${formatDuration(max)} longer`;
  return mean === undefined ? range : `${range}, ${formatDuration(mean)} on average`;
}

function when(fault: ScheduledFault): string {
  const at = formatDuration(fault.at);
  switch (fault.kind) {
    case "crash":
    case "restart":
      return `at ${at}`;
    case "clock":
      return `from ${at} on`;
    default:
      return fault.until === undefined ? `from ${at} on` : `from ${at} to ${formatDuration(fault.until)}`;
  }
}

function what(fault: ScheduledFault): string {
  switch (fault.kind) {
    case "partition":
      return `no messages between ${fault.groups.map(groupName).join(" and ")}`;
    case "one-way":
      return `messages from ${fault.from} to ${fault.to} are lost`;
    case "crash":
      return `${fault.process} crashes`;
    case "restart":
      return `${fault.process} restarts`;
    case "pause":
      return `${fault.process} is paused`;
    case "clock":
      return `the clock of ${fault.process} ${clockError(fault.step, fault.driftPpm)}`;
    case "refuse":
      return `nobody can connect to ${fault.process}, and its links are down`;
    case "failed-send":
      return `what ${fault.process} sends is lost`;
    case "failed-receive":
      return `what reaches ${fault.process} is lost there`;
    case "disk-full":
      return `what ${fault.process} saves is not kept`;
  }
}

function groupName(group: readonly ProcessId[]): string {
  return `{${group.join(", ")}}`;
}

function clockError(step: number, driftPpm: number): string {
  const parts: string[] = [];
  if (step !== 0) parts.push(`is set ${step > 0 ? "forward" : "back"} by ${formatDuration(Math.abs(step))}`);
  if (driftPpm !== 0)
    parts.push(`runs ${decimalText(Math.abs(driftPpm))} ppm ${driftPpm > 0 ? "fast" : "slow"}`);
  if (parts.length === 0) parts.push("runs true");
  return parts.join(" and ");
}
