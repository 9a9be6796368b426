import { escapeText, LightconeError } from "../core/index.js";

/**
 * What can be wrong with a trace:
 *
 * - `not-a-trace`: the first line is not a trace's.
 * - `newer-version`: a later Lightcone wrote it.
 * - `truncated`: the end line is missing.
 * - `tampered`: checksum or number of events differ from what the end line says.
 * - `bad-line`: one line, or one event, cannot stand where it does.
 * - `too-large`: a stated limit is passed.
 * - `other-run`: files that were to be merged do not belong to one run.
 * - `missing-event`, `missing-send`: merging needs an event that no file has.
 */
export type TraceErrorCode =
  | "not-a-trace"
  | "newer-version"
  | "truncated"
  | "tampered"
  | "bad-line"
  | "too-large"
  | "other-run"
  | "missing-event"
  | "missing-send";

/** A trace that cannot be used; the message is one line that names the file, the line, what was expected and found. */
export class TraceError extends LightconeError {
  declare readonly code: TraceErrorCode;

  constructor(
    code: TraceErrorCode,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, facts, options);
  }
}

/** A value from a file, short and safe to print: `"P9"`, `-3`, `a list`, `nothing`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "nothing";
    case "string":
      return `"${shorten(value)}"`;
    case "object":
      // Never rendered: it may be a megabyte, or nested deeper than the stack.
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
    default:
      return String(value);
  }
}

/** Text from a file, escaped and cut to what fits a line of a terminal; `max` in characters, before escaping. */
export function shorten(text: string, max = 60): string {
  const safe = escapeText(text.slice(0, max));
  return text.length > max ? `${safe}…` : safe;
}
