import { DEPARTURE_ROWS_MAX, type Step } from "./step.js";

/**
 * Chooses the steps worth drawing in about `rowsMax` rows (the teller counts, and asks again for fewer): all that tell something when they fit. Otherwise the
 * beginning, the end, the faults, and highlighted steps with what led to them; in the order of `steps`.
 */
export function selectSteps(steps: readonly Step[], rowsMax: number): readonly Step[] {
  const withRepeats = steps.filter((step) => step.weight >= 1);
  if (rowsOfAll(withRepeats, rowsMax) <= rowsMax) return withRepeats;
  const telling = steps.filter((step) => step.weight >= 2);
  return rowsOfAll(telling, rowsMax) <= rowsMax ? telling : excerpt(telling, rowsMax);
}

/** Rows a step takes when it is drawn. */
export function rowsOf(step: Step): number {
  const here = step.arrival !== undefined || step.speaks || step.fault !== undefined ? 1 : 0;
  const arrows = new Set<string>();
  const labels = new Map<string, number>();
  for (const { path, description } of step.departures) {
    const same = (labels.get(description.label) ?? 0) + 1;
    labels.set(description.label, same);
    // One that arrives alone is drawn, and counted, where it arrives.
    if (same > 1 || path.receives.length === 0) arrows.add(description.label);
  }
  // The first arrow leaves from the row of the note, unless something arrived in that row.
  const shared = step.arrival === undefined ? Math.min(here, arrows.size) : 0;
  return here + Math.min(arrows.size, DEPARTURE_ROWS_MAX) - shared;
}

/** How many steps before a highlighted one come with it: a violation without what led to it explains nothing. */
const CONTEXT = 6;

/** A step that takes more rows than these is a burst of messages. */
const BURST = 2;

function excerpt(telling: readonly Step[], rowsMax: number): readonly Step[] {
  // Every stretch left out costs a row as well.
  const budget = Math.max(0, Math.floor(rowsMax * 0.85));
  const places = new Set<number>();
  let rows = 0;
  /** Takes places in the order given until the part of the budget that is theirs is spent. */
  const take = (wanted: Iterable<number>, part: number): void => {
    const limit = Math.min(budget, rows + Math.max(1, budget * part));
    for (const place of wanted) {
      const step = telling[place];
      if (step === undefined || places.has(place)) continue;
      const cost = rowsOf(step);
      if (rows + cost > limit) {
        // A burst that does not fit gives way to what comes after it; anything smaller ends the part.
        if (cost > BURST) continue;
        return;
      }
      places.add(place);
      rows += cost;
    }
  };
  const highlighted = placesOf(telling, (step) => step.highlighted);
  take(outsideIn(highlighted), 0.3);
  take(outsideIn(highlighted).flatMap(before), 0.2);
  take(outsideIn(placesOf(telling, isFault)), 0.2);
  take(backwards(telling.length), 0.25);
  take(forwards(telling.length), 1);
  return telling.filter((_, place) => places.has(place));
}

function isFault(step: Step): boolean {
  if (step.fault !== undefined) return true;
  return step.mark === "crash" || step.mark === "restart" || step.mark === "pause" || step.mark === "resume";
}

function placesOf(steps: readonly Step[], wanted: (step: Step) => boolean): number[] {
  return steps.flatMap((step, place) => (wanted(step) ? [place] : []));
}

/** First, last, second, last but one: when not all fit, the two ends say most. */
function outsideIn(places: readonly number[]): number[] {
  const ordered: number[] = [];
  for (let low = 0, high = places.length - 1; low <= high; low++, high--) {
    ordered.push(places[low] ?? 0);
    if (high !== low) ordered.push(places[high] ?? 0);
  }
  return ordered;
}

function before(place: number): number[] {
  return Array.from({ length: CONTEXT }, (_, back) => place - back - 1);
}

function* forwards(count: number): Generator<number> {
  for (let place = 0; place < count; place++) yield place;
}

function* backwards(count: number): Generator<number> {
  for (let place = count - 1; place >= 0; place--) yield place;
}

/** Stops counting once it is over `enough`: a long trace need not be added up to know that it is too long. */
function rowsOfAll(steps: readonly Step[], enough: number): number {
  let rows = 0;
  for (const step of steps) {
    rows += rowsOf(step);
    if (rows > enough) break;
  }
  return rows;
}
