/** Where a source says that the truth lies: from `low` to `high`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

interface Edge {
  readonly at: number;
  /** -1 a lower end, 0 a midpoint, 1 an upper end; in that order where they meet, so that touching intervals overlap. */
  readonly type: -1 | 0 | 1;
}

/**
 * The interval that the most sources have in common, and how many; the first of several. `undefined` of no intervals.
 *
 * Source: K. Marzullo and S. Owicki, "Maintaining the Time in a Distributed System", PODC 1983; Marzullo's thesis, 1984.
 */
export function marzullo(
  intervals: readonly Interval[],
): (Interval & { readonly count: number }) | undefined {
  const edges = edgesOf(intervals).filter(({ type }) => type !== 0);
  let best: (Interval & { readonly count: number }) | undefined;
  let count = 0;
  for (const [i, { at, type }] of edges.entries()) {
    count -= type;
    // A lower end opens a better interval; whatever edge comes next ends it.
    if (type === -1 && count > (best?.count ?? 0)) best = { low: at, high: edges[i + 1]?.at ?? at, count };
  }
  return best;
}

/**
 * The smallest interval that holds the truth if fewer than half of the sources are wrong: covered by all but f of them,
 * with at most f of their midpoints outside, for the least such f. `undefined` when no majority agrees.
 *
 * Unlike {@link marzullo} it keeps the midpoints of those it believes, which are the likeliest times.
 * Source: RFC 5905, §11.2.1 and appendix A.5.5.1.
 */
export function intersection(intervals: readonly Interval[]): Interval | undefined {
  const edges = edgesOf(intervals);
  for (let allowed = 0; 2 * allowed < intervals.length; allowed++) {
    const needed = intervals.length - allowed;
    const up = covered(edges, -1, needed);
    const down = covered([...edges].reverse(), 1, needed);
    if (up === undefined || down === undefined) continue;
    // The RFC wants more than a point in common; so do we.
    if (up.passed + down.passed <= allowed && down.at > up.at) return { low: up.at, high: down.at };
  }
  return undefined;
}

/** Where `needed` intervals overlap for the first time, coming from the side whose ends are of type `opens`. */
function covered(
  edges: readonly Edge[],
  opens: -1 | 1,
  needed: number,
): { readonly at: number; readonly passed: number } | undefined {
  let count = 0;
  let passed = 0;
  for (const { at, type } of edges) {
    count += type * opens;
    if (count >= needed) return { at, passed };
    if (type === 0) passed++;
  }
  return undefined;
}

function edgesOf(intervals: readonly Interval[]): Edge[] {
  const edges = intervals.flatMap(({ low, high }): Edge[] => [
    { at: low, type: -1 },
    { at: (low + high) / 2, type: 0 },
    { at: high, type: 1 },
  ]);
  return edges.sort((a, b) => a.at - b.at || a.type - b.type);
}
