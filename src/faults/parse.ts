import type { ProcessId } from "../core/index.js";
import { UsageError } from "../core/index.js";
import { checkFaults } from "./check.js";
import { faultError, quoted } from "./fault-error.js";
import { parseFaultsJson } from "./json.js";
import { parseItem } from "./parse-item.js";
import type { FaultPlan, LinkFault, ScheduledFault } from "./plan.js";
import { FAULT_ITEMS_MAX, FAULT_TEXT_MAX } from "./plan.js";

/**
 * Reads a fault plan as people write it: in the fault language, or as the JSON of a {@link FaultPlan} when the text
 * begins with `{`.
 *
 * ```
 * delay 5..50ms, loss 10%, duplicate 5%, reorder 20%, corrupt 1%     # every link
 * P1->P3 loss 50% delay 5..50ms mean 10ms                            # one direction; also P1->*, *->P3, P1<->P3
 * partition P1 P2 | P3 P4 at 2s..5s, one-way P1 -> P2 at 1s..2s
 * crash P2 at 3s, restart P2 at 5s, pause P1 at 1s..2s, clock P3 +250ms drift 80ppm
 * refuse P2 at 0s..1s, fail-send P1 at 1s, fail-receive P1 at 1s, disk-full P1 at 2s
 * ```
 * Commas and line ends separate items; `#` begins a comment. `at 2s` without an end lasts to the end of the run;
 * without `at` a fault begins with the run, except crash and restart, which need a time.
 *
 * Throws a {@link UsageError} of one line that names the item, for text it cannot read, for a plan that makes no
 * sense, for a process not among `processes` when they are given, and beyond {@link FAULT_TEXT_MAX} and
 * {@link FAULT_ITEMS_MAX}.
 */
export function parseFaults(text: string, processes?: readonly ProcessId[]): FaultPlan {
  if (text.length > FAULT_TEXT_MAX) {
    throw new UsageError(`the fault text is ${text.length} characters long; at most ${FAULT_TEXT_MAX}`);
  }
  if (text.trimStart().startsWith("{")) return parseFaultsJson(readJson(text), processes);

  const items = itemsOf(text);
  if (items.length > FAULT_ITEMS_MAX) {
    throw new UsageError(`the fault text has ${items.length} items; at most ${FAULT_ITEMS_MAX}`);
  }
  const links: LinkFault[] = [];
  const schedule: ScheduledFault[] = [];
  const linkNames: string[] = [];
  const scheduleNames: string[] = [];
  for (const itemText of items) {
    const item = `fault ${quoted(itemText)}`;
    const parsed = parseItem(itemText, item);
    for (const link of parsed.links) {
      links.push(link);
      linkNames.push(item);
    }
    if (parsed.scheduled !== undefined) {
      schedule.push(parsed.scheduled);
      scheduleNames.push(item);
    }
  }
  const plan: FaultPlan = { links, schedule };
  checkFaults(plan, processes, { link: (i) => linkNames[i] ?? "", scheduled: (i) => scheduleNames[i] ?? "" });
  return plan;
}

/** The items with comments gone and every run of white space one space. */
function itemsOf(text: string): string[] {
  return text
    .split(/[\r\n]/)
    .map((line) => line.replace(/#.*$/s, ""))
    .flatMap((line) => line.split(","))
    .map((item) => item.trim().replace(/\s+/g, " "))
    .filter((item) => item !== "");
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw faultError(`fault plan ${quoted(text.trim().slice(0, 20))}`, `it is not JSON (${quoted(why)})`, {
      cause,
    });
  }
}
