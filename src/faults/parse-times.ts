import type { Duration } from "../core/index.js";
import { parseDuration, UsageError } from "../core/index.js";
import { faultError, quoted } from "./fault-error.js";

/** What the name of a process looks like, as the source of a regular expression. */
export const NAME = "[A-Za-z0-9_.-]{1,64}";

/** Up to the first space. */
export function firstWord(text: string): string {
  return text.split(" ", 1)[0] ?? "";
}

/** Reads `20ms`, `5ms..50ms`, or `5..50ms`, where both are milliseconds. */
export function parseRange(text: string, item: string, problem: string): [Duration, Duration?] {
  const [min = "", max, ...more] = text.split("..").map((part) => part.trim());
  if (more.length > 0) throw faultError(item, problem);
  if (max === undefined) return [parseTime(min, item, problem)];
  const unit = /^[0-9.]+$/.test(min) ? (/[a-zµ]+$/.exec(max)?.[0] ?? "") : "";
  return [parseTime(min + unit, item, problem), parseTime(max, item, problem)];
}

/** Reads one duration; throws `problem` for another form. */
export function parseTime(text: string, item: string, problem: string): Duration {
  const compact = text.replace(" ", "");
  if (!/^[0-9]+(\.[0-9]+)?(us|µs|ms|s|m|h)$/.test(compact)) throw faultError(item, problem);
  try {
    return parseDuration(compact);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw faultError(item, cause.message, { cause });
  }
}

/** The end of a sentence about what was expected. */
export function given(value: string): string {
  return value === "" ? "nothing is given" : `${quoted(value)} is given`;
}
