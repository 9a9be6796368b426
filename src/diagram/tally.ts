import type { Step } from "./step.js";

/** Counts what is not drawn, and says it: `12 acknowledgements, 3 retransmissions`. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** All that a step would have shown, and what it would have hidden. */
  addStep(step: Step): void {
    for (const what of step.hidden) this.add(what);
    if (step.speaks) this.add("explanation");
    if (step.arrival !== undefined) this.add(step.arrival.copy ? "copy" : "message");
    for (const { path, number } of step.departures) {
      if (number > 1) this.add("retransmission");
      if (path.drop !== undefined) this.add("lost message");
    }
    for (const { phase } of step.changes) {
      if (phase === "inside") this.add("entry");
      else if (phase === "crashed") this.add("crash");
      else if (phase === "paused") this.add("pause");
    }
    if (step.mark === "restart") this.add("restart");
    if (step.fault?.phase === "begin") this.add("fault");
  }

  /** The most telling first, at most six kinds; empty when nothing was counted. */
  text(): string {
    const kinds = [...this.#counts].sort(([a], [b]) => rank(a) - rank(b));
    // That something was said matters only where nothing else happened.
    const shown = kinds.filter(([what]) => what !== "explanation" || kinds.length === 1).slice(0, KINDS_MAX);
    return shown.map(([what, count]) => `${count} ${count === 1 ? what : plural(what)}`).join(", ");
  }
}

const KINDS_MAX = 6;

const ORDER = [
  "fault",
  "crash",
  "restart",
  "pause",
  "entry",
  "message",
  "lost message",
  "retransmission",
  "copy",
  "acknowledgement",
  "negative acknowledgement",
  "heartbeat",
];

/** Other kinds of chatter, in order of appearance, stand before what was merely said. */
function rank(what: string): number {
  const place = ORDER.indexOf(what);
  if (place >= 0) return place;
  return what === "explanation" ? ORDER.length + 1 : ORDER.length;
}

function plural(what: string): string {
  if (/[^aeiou]y$/.test(what)) return `${what.slice(0, -1)}ies`;
  return /(s|sh|ch|x)$/.test(what) ? `${what}es` : `${what}s`;
}
