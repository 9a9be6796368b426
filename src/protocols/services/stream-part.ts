import type { Plain } from "../../core/index.js";

/** One call of a method that streams fetches at most that many items. */
export const STREAM_PART_MAX = 4096;

/**
 * What a call of a method that streams gives: items `from`, `from` + 1, … of `count`. At least one, unless there is none.
 *
 * A stream is a row of such calls. Parts are named by their place, so whoever loses one fetches it again, and who does
 * not want more does not ask for it: that is all there is to resuming, to back-pressure and to cancelling.
 */
export interface StreamPart {
  readonly from: number;
  readonly items: readonly Plain[];
  readonly count: number;
}

/** Which part of `count` items a call asks for by its `from` and `most`; `undefined`: none that there can be. */
export function partOf(
  args: Plain,
  count: number,
): { readonly from: number; readonly most: number } | undefined {
  const fields = fieldsOf(args);
  if (fields === undefined) return undefined;
  const { from = 0, most = STREAM_PART_MAX } = fields;
  if (typeof from !== "number" || typeof most !== "number") return undefined;
  if (!Number.isInteger(from) || !Number.isInteger(most)) return undefined;
  if (from < 0 || from > count || most < 1 || most > STREAM_PART_MAX) return undefined;
  return { from, most };
}

/** Reads a {@link StreamPart}; `undefined` for anything else: values come from strangers. */
export function streamPart(value: Plain): StreamPart | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const { from, items, count } = fields;
  if (typeof from !== "number" || typeof count !== "number" || !Array.isArray(items)) return undefined;
  return { from, items: items as readonly Plain[], count };
}

/** The fields of an object; `undefined` for whatever else plain data can be. */
export function fieldsOf(value: Plain): Readonly<Record<string, Plain | undefined>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  // Neither null nor an array.
  return value as Readonly<Record<string, Plain | undefined>>;
}
