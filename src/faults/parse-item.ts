import { nearestName } from "../core/index.js";
import { rateOf } from "./decimal.js";
import { faultError, quoted } from "./fault-error.js";
import { isScheduleKeyword, parseScheduled, SCHEDULE_KEYWORDS } from "./parse-scheduled.js";
import { firstWord, given, NAME, parseRange, parseTime } from "./parse-times.js";
import type { DelayFault, LinkFault, ScheduledFault } from "./plan.js";

/** What one item of the fault language says; `P1<->P3` makes two links. */
export interface ParsedItem {
  readonly links: readonly LinkFault[];
  readonly scheduled?: ScheduledFault;
}

/**
 * Reads one item, its white space already single spaces. `item` names it in errors.
 *
 * Only the form is read here; whether values make sense is for `checkFaults`.
 */
export function parseItem(text: string, item: string): ParsedItem {
  const link = LINK.exec(text);
  if (link !== null) {
    const [, from = "", arrow = "", to = "", rest = ""] = link;
    return { links: ends(from, arrow, to).map((end) => ({ ...end, ...parseLinkFaults(rest, item) })) };
  }
  const keyword = firstWord(text);
  if (isLinkKeyword(keyword)) return { links: [parseLinkFaults(text, item)] };
  if (isScheduleKeyword(keyword)) {
    return { links: [], scheduled: parseScheduled(keyword, text.slice(keyword.length).trim(), item) };
  }
  throw faultError(item, unknownKeyword(keyword, KEYWORDS));
}

/** `P1->P3`, `P1 -> *`, `*<->P3` and what follows. No name holds ">", so the arrow is never part of one. */
const LINK = new RegExp(`^(${NAME}|\\*) ?(<->|->|→|↔) ?(${NAME}|\\*)(?: (.*))?$`);

const LINK_KEYWORDS = ["delay", "loss", "duplicate", "reorder", "corrupt"] as const;
const KEYWORDS: readonly string[] = [...LINK_KEYWORDS, ...SCHEDULE_KEYWORDS];

type LinkKeyword = (typeof LINK_KEYWORDS)[number];

/** Other tools' words for the same. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ["drop", "loss"],
  ["lose", "loss"],
  ["latency", "delay"],
  ["kill", "crash"],
  ["stop", "pause"],
  ["suspend", "pause"],
  ["start", "restart"],
  ["split", "partition"],
  ["drift", "clock"],
  ["enospc", "disk-full"],
]);

function unknownKeyword(word: string, accepted: readonly string[]): string {
  const meant = SYNONYMS.get(word.toLowerCase()) ?? nearestName(word.slice(0, 64), accepted);
  const hint = meant !== undefined && accepted.includes(meant) ? `; did you mean "${meant}"?` : ".";
  return `there is no fault ${quoted(word)}${hint} Faults: ${accepted.join(", ")}`;
}

function isLinkKeyword(word: string): word is LinkKeyword {
  return (LINK_KEYWORDS as readonly string[]).includes(word);
}

function ends(from: string, arrow: string, to: string): Pick<LinkFault, "from" | "to">[] {
  const one = (a: string, b: string): Pick<LinkFault, "from" | "to"> => ({
    ...(a === "*" ? {} : { from: a }),
    ...(b === "*" ? {} : { to: b }),
  });
  const both = (arrow === "<->" || arrow === "↔") && from !== to;
  return both ? [one(from, to), one(to, from)] : [one(from, to)];
}

/** `loss 50%`, or several in a row: `delay 5..50ms loss 50%`. */
function parseLinkFaults(text: string, item: string): LinkFault {
  const words = text === "" ? [] : text.split(" ");
  let parsed: LinkFault = {};
  for (let i = 0; i < words.length;) {
    const keyword = words[i++] ?? "";
    if (!isLinkKeyword(keyword)) throw faultError(item, unknownKeyword(keyword, LINK_KEYWORDS));
    if (parsed[keyword] !== undefined) throw faultError(item, `${keyword} is given twice; give it once`);
    const end = words.findIndex((word, at) => at >= i && isLinkKeyword(word));
    const value = words.slice(i, end === -1 ? undefined : end).join(" ");
    i += value === "" ? 0 : value.split(" ").length;
    parsed = {
      ...parsed,
      [keyword]: keyword === "delay" ? parseDelay(value, item) : parseRate(keyword, value, item),
    };
  }
  if (words.length === 0) throw faultError(item, `after a link comes one of ${LINK_KEYWORDS.join(", ")}`);
  return parsed;
}

function parseRate(keyword: string, value: string, item: string): number {
  const percent = /^([0-9]+(?:\.[0-9]+)?) ?%$/.exec(value)?.[1];
  if (percent !== undefined) return rateOf(percent);
  throw faultError(item, `${keyword} takes a percentage, such as 10%, but ${given(value)}${notTimed(value)}`);
}

function parseDelay(value: string, item: string): DelayFault {
  const [, range = "", mean] = /^(.*?)(?: ?\bmean ?(.*))?$/.exec(value) ?? [];
  const [min, max] = parseRange(
    range,
    item,
    `delay takes a duration or a range, such as 20ms, 5..50ms or 5..50ms mean 10ms, but ${given(value)}${notTimed(value)}`,
  );
  const bounds = { min, max: max ?? min };
  if (mean === undefined) return bounds;
  return {
    ...bounds,
    mean: parseTime(mean, item, `mean takes a duration, such as mean 10ms, but ${given(mean)}`),
  };
}

/** Why `loss 10% at 2s` is refused. */
function notTimed(value: string): string {
  return /(^| )at( |$)/.test(value) ? "; faults of links last for the whole run" : "";
}
