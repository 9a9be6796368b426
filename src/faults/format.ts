import type { Instant } from "../core/index.js";
import { formatDuration } from "../core/index.js";
import { decimalText, percentText } from "./decimal.js";
import type { DelayFault, FaultPlan, LinkFault, ScheduledFault } from "./plan.js";

/** A plan in the fault language, on one line; `parseFaults` reads back an equal plan. Empty for an empty plan. */
export function formatFaults(plan: FaultPlan): string {
  return [...plan.links.map(formatLinkFault), ...plan.schedule.map(formatScheduledFault)].join(", ");
}

/** `P1->P3 delay 5..50ms loss 50%`. */
export function formatLinkFault(fault: LinkFault): string {
  const { from, to, delay, loss, duplicate, reorder, corrupt } = fault;
  const words: string[] = [];
  if (from !== undefined || to !== undefined) words.push(`${from ?? "*"}->${to ?? "*"}`);
  if (delay !== undefined) words.push(`delay ${delayText(delay)}`);
  if (loss !== undefined) words.push(`loss ${percentText(loss)}`);
  if (duplicate !== undefined) words.push(`duplicate ${percentText(duplicate)}`);
  if (reorder !== undefined) words.push(`reorder ${percentText(reorder)}`);
  if (corrupt !== undefined) words.push(`corrupt ${percentText(corrupt)}`);
  return words.join(" ");
}

/** `partition P1 P2 | P3 P4 at 2s..5s`. */
export function formatScheduledFault(fault: ScheduledFault): string {
  return `${faultWords(fault)} at ${timesText(fault)}`;
}

/** A scheduled fault without its times, as the `fault` events of a trace show it: `partition P1 P2 | P3 P4`. */
export function faultWords(fault: ScheduledFault): string {
  switch (fault.kind) {
    case "partition":
      return `partition ${fault.groups.map((group) => group.join(" ")).join(" | ")}`;
    case "one-way":
      return `one-way ${fault.from} -> ${fault.to}`;
    case "clock": {
      const words = [`clock ${fault.process}`];
      if (fault.step !== 0 || fault.driftPpm === 0) words.push(stepText(fault.step));
      if (fault.driftPpm !== 0) words.push(`drift ${decimalText(fault.driftPpm)}ppm`);
      return words.join(" ");
    }
    case "failed-send":
      return `fail-send ${fault.process}`;
    case "failed-receive":
      return `fail-receive ${fault.process}`;
    case "crash":
    case "restart":
    case "pause":
    case "refuse":
    case "disk-full":
      return `${fault.kind} ${fault.process}`;
  }
}

function delayText({ min, max, mean }: DelayFault): string {
  const range = min === max ? formatDuration(min) : sharedUnit(formatDuration(min), formatDuration(max));
  return mean === undefined ? range : `${range} mean ${formatDuration(mean)}`;
}

/** `5ms` and `50ms` as `5..50ms`. */
function sharedUnit(min: string, max: string): string {
  const unit = /[a-z]+$/.exec(max)?.[0] ?? "";
  const number = min.slice(0, -unit.length);
  return /^[0-9.]+$/.test(number) && min.endsWith(unit) ? `${number}..${max}` : `${min}..${max}`;
}

function stepText(step: number): string {
  return `${step < 0 ? "-" : "+"}${formatDuration(Math.abs(step))}`;
}

function timesText(fault: { readonly at: Instant; readonly until?: Instant }): string {
  return fault.until === undefined
    ? formatDuration(fault.at)
    : `${formatDuration(fault.at)}..${formatDuration(fault.until)}`;
}
