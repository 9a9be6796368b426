/** Something that has a number within its client. */
export interface Numbered {
  readonly seq: number;
}

/**
 * Values by number, of which those held at a time lie close together: the slot of a value is its number modulo the
 * ring's length, a power of two, so finding one costs the same however many there are. Plain data.
 */
export type SeqRing<T extends Numbered> = (T | null)[];

export function emptyRing<T extends Numbered>(): SeqRing<T> {
  return [null, null, null, null];
}

export function ringAt<T extends Numbered>(ring: SeqRing<T>, seq: number): T | undefined {
  const found = ring[seq & (ring.length - 1)];
  return found !== null && found !== undefined && found.seq === seq ? found : undefined;
}

/** Replaces what has the same number. Grows to the least length at which no two values share a slot. */
export function ringPut<T extends Numbered>(ring: SeqRing<T>, value: T): void {
  for (;;) {
    const slot = value.seq & (ring.length - 1);
    const there = ring[slot];
    if (there === null || there === undefined || there.seq === value.seq) {
      ring[slot] = value;
      return;
    }
    grow(ring);
  }
}

export function ringDelete<T extends Numbered>(ring: SeqRing<T>, seq: number): void {
  if (ringAt(ring, seq) !== undefined) ring[seq & (ring.length - 1)] = null;
}

/** Deletes the numbers after `from` up to `to`, however far they lie apart; `deleted` is told of each. */
export function ringDeleteUpTo<T extends Numbered>(
  ring: SeqRing<T>,
  from: number,
  to: number,
  deleted?: (value: T) => void,
): void {
  if (to - from <= ring.length) {
    for (let seq = from + 1; seq <= to; seq++) {
      const value = ringAt(ring, seq);
      if (value === undefined) continue;
      ring[seq & (ring.length - 1)] = null;
      deleted?.(value);
    }
    return;
  }
  for (const [slot, value] of ring.entries()) {
    if (value === null || value.seq > to) continue;
    ring[slot] = null;
    deleted?.(value);
  }
}

/** In the order of their numbers. */
export function ringValues<T extends Numbered>(ring: SeqRing<T>): T[] {
  return ring.filter((value) => value !== null).sort((a, b) => a.seq - b.seq);
}

export function ringOf<T extends Numbered>(values: readonly T[]): SeqRing<T> {
  const ring = emptyRing<T>();
  for (const value of values) ringPut(ring, value);
  return ring;
}

function grow<T extends Numbered>(ring: SeqRing<T>): void {
  const values = ringValues(ring);
  const length = 2 * ring.length;
  ring.length = 0;
  // Pushed rather than stretched: an array with holes is slower for good.
  for (let i = 0; i < length; i++) ring.push(null);
  for (const value of values) ringPut(ring, value);
}
