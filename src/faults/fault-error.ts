import { UsageError } from "../core/index.js";

/** Longest part of an item that an error repeats, in characters. */
const QUOTED_MAX = 60;

/** One line: which item, what is wrong with it and what is accepted. */
export function faultError(item: string, problem: string, options?: { cause?: unknown }): UsageError {
  return new UsageError(`${item}: ${problem}`, { item }, options);
}

/** Text from a person or a file in quotes: shortened, and nothing in it that a terminal would obey. */
export function quoted(text: string): string {
  const shown = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX - 1)}…` : text;
  // Controls, bidirectional marks, lone surrogates and line separators.
  const visible = shown.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${visible}"`;
}
