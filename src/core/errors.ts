/**
 * A failure that is somebody's to handle, with a stable `code` for programs and the facts for people.
 *
 * Subclasses tell whose it is: {@link UsageError} the caller's, others a peer's, a file's or the machine's.
 * An impossible state is neither: see `invariant`.
 */
export class LightconeError extends Error {
  /** Stable, kebab-case; part of the API. */
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }
}

/** The caller gave something unusable: the message says what was given, what is accepted and what to do. */
export class UsageError extends LightconeError {
  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}, options?: { cause?: unknown }) {
    super("usage", message, facts, options);
  }
}

/** `unknown lab "ricart"; did you mean "ricart-agrawala"? Known: …` as an error. */
export function unknownName(what: string, given: string, known: readonly string[]): UsageError {
  const nearest = nearestName(given, known);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new UsageError(`unknown ${what} "${given}"${hint || "."} Known: ${known.join(", ")}`, {
    given,
    known,
  });
}

/** The known name that was most likely meant, or `undefined` when none is near. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const distance =
      wanted.length >= 2 && candidate.startsWith(wanted) ? 0.5 : editDistance(wanted, candidate);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = name;
    }
  }
  // A third of the letters wrong is still a typo; more is another word.
  return bestDistance <= Math.max(1, Math.ceil(given.length / 3)) ? best : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current[j] = least;
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
