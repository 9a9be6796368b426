import type { Instant, ProcessId } from "../core/index.js";
import { faultError } from "./fault-error.js";
import { firstWord, given, NAME, parseRange, parseTime } from "./parse-times.js";
import type { ScheduledFault } from "./plan.js";

/** The words that begin a scheduled fault. */
export const SCHEDULE_KEYWORDS = [
  "partition",
  "one-way",
  "crash",
  "restart",
  "pause",
  "clock",
  "refuse",
  "fail-send",
  "fail-receive",
  "disk-full",
] as const;

export type ScheduleKeyword = (typeof SCHEDULE_KEYWORDS)[number];

/** Whether the word begins a scheduled fault. */
export function isScheduleKeyword(word: string): word is ScheduleKeyword {
  return (SCHEDULE_KEYWORDS as readonly string[]).includes(word);
}

/** Reads what follows the keyword: `P1 P2 | P3 P4 at 2s..5s`. `item` names the item in errors. */
export function parseScheduled(keyword: ScheduleKeyword, rest: string, item: string): ScheduledFault {
  const { subject, time } = splitTime(rest);
  switch (keyword) {
    case "partition": {
      const groups = subject.split("|").map((group) => group.split(" ").filter((name) => name !== ""));
      return { kind: keyword, groups, ...parseSpan(time, item) };
    }
    case "one-way": {
      const [, from, to] = new RegExp(`^(${NAME}) ?(?:->|→) ?(${NAME})$`).exec(subject) ?? [];
      if (from === undefined || to === undefined) {
        throw faultError(
          item,
          `one-way takes two processes, such as one-way P1 -> P2 at 1s..2s, but ${given(subject)}`,
        );
      }
      return { kind: keyword, from, to, ...parseSpan(time, item) };
    }
    case "crash":
    case "restart": {
      const process = parseProcess(keyword, subject, item);
      const problem = `${keyword} takes one time, such as ${keyword} P2 at 3s`;
      if (time === undefined) throw faultError(item, `${problem}, but there is no "at"`);
      return { kind: keyword, process, at: parseTime(time, item, `${problem}, but ${given(time)}`) };
    }
    case "clock":
      return parseClock(subject, time, item);
    case "fail-send":
      return { kind: "failed-send", process: parseProcess(keyword, subject, item), ...parseSpan(time, item) };
    case "fail-receive":
      return {
        kind: "failed-receive",
        process: parseProcess(keyword, subject, item),
        ...parseSpan(time, item),
      };
    case "pause":
    case "refuse":
    case "disk-full":
      return { kind: keyword, process: parseProcess(keyword, subject, item), ...parseSpan(time, item) };
  }
}

/** Splits at the last word "at": a process may be called that too. */
function splitTime(rest: string): { subject: string; time: string | undefined } {
  const words = rest.split(" ");
  const at = words.lastIndexOf("at");
  if (at === -1) return { subject: rest, time: undefined };
  return { subject: words.slice(0, at).join(" "), time: words.slice(at + 1).join(" ") };
}

function parseProcess(keyword: string, subject: string, item: string): ProcessId {
  if (subject !== "" && !/[ |*>→]/.test(subject)) return subject;
  throw faultError(item, `${keyword} takes one process, such as ${keyword} P2 at 1s, but ${given(subject)}`);
}

function parseClock(subject: string, time: string | undefined, item: string): ScheduledFault {
  const process = firstWord(subject);
  const error = subject.slice(process.length).trim();
  const match = /^(?:([+-]) ?([0-9.]+ ?[a-zµ]+))? ?(?:drift ([+-]?[0-9]+(?:\.[0-9]+)?) ?ppm)?$/.exec(error);
  const accepted = "clock takes a process and a step, a drift or both, such as clock P3 +250ms drift 80ppm";
  if (process === "" || error === "" || match === null)
    throw faultError(item, `${accepted}, but ${given(subject)}`);
  const [, sign, size, drift = "0"] = match;
  const step = size === undefined ? 0 : parseTime(size, item, `${accepted}, but ${given(subject)}`);
  const problem = `clock takes the one time of the change, such as at 2s, but ${given(time ?? "")}`;
  return {
    kind: "clock",
    process: parseProcess("clock", process, item),
    at: time === undefined ? 0 : parseTime(time, item, problem),
    // Adding 0 turns -0 into 0.
    step: (sign === "-" ? -step : step) + 0,
    driftPpm: Number(drift) + 0,
  };
}

function parseSpan(
  time: string | undefined,
  item: string,
): { readonly at: Instant; readonly until?: Instant } {
  if (time === undefined) return { at: 0 };
  const [at, until] = parseRange(
    time,
    item,
    `at takes a time or a range, such as at 2s or at 2s..5s, but ${given(time)}`,
  );
  return until === undefined ? { at } : { at, until };
}
