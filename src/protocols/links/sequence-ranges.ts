/** A run of sequence numbers, first and last included. */
export type SequenceRange = readonly [first: number, last: number];

/*
 * A set of sequence numbers as ranges: ascending, disjoint, never touching. What arrives early arrives near the end,
 * so every search starts there.
 */

export function includesSequence(ranges: readonly SequenceRange[], seq: number): boolean {
  for (let i = ranges.length - 1; i >= 0; i--) {
    const [first, last] = ranges[i] as SequenceRange;
    if (seq > last) return false;
    if (seq >= first) return true;
  }
  return false;
}

/** The set with `seq` in it; `seq` must not be there yet. Costs a copy of the ranges, not of the numbers. */
export function withSequence(ranges: readonly SequenceRange[], seq: number): readonly SequenceRange[] {
  let at = ranges.length;
  while (at > 0 && (ranges[at - 1] as SequenceRange)[0] > seq) at--;
  const before = ranges[at - 1];
  const after = ranges[at];
  const joinsBefore = before !== undefined && before[1] === seq - 1;
  const joinsAfter = after !== undefined && after[0] === seq + 1;
  const joined: SequenceRange = [joinsBefore ? before[0] : seq, joinsAfter ? after[1] : seq];
  return [...ranges.slice(0, joinsBefore ? at - 1 : at), joined, ...ranges.slice(joinsAfter ? at + 1 : at)];
}

/** What lies from `next` to `highest` outside of `ranges`: the first `rangesMax` gaps, ascending. */
export function gaps(
  ranges: readonly SequenceRange[],
  next: number,
  highest: number,
  rangesMax: number,
): readonly SequenceRange[] {
  const missing: SequenceRange[] = [];
  let from = next;
  for (const [first, last] of ranges) {
    if (missing.length === rangesMax || first > highest) break;
    if (first > from) missing.push([from, first - 1]);
    from = last + 1;
  }
  if (from <= highest && missing.length < rangesMax) missing.push([from, highest]);
  return missing;
}

/** For people: `message 4`, `messages 4 to 6`, `messages 4 to 6 and 9`. */
export function messagesText(ranges: readonly SequenceRange[]): string {
  const parts = ranges.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
  const [only] = ranges;
  const single = ranges.length === 1 && only !== undefined && only[0] === only[1];
  const all =
    parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1) ?? ""}`;
  return `${single ? "message" : "messages"} ${all}`;
}
