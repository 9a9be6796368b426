import type { EventId, Instant } from "../core/index.js";
import { eventId, NETWORK } from "../core/index.js";
import type { DropReason, Trace, TraceEnd } from "../trace/index.js";
import { gotThrough, type Attempt } from "./attempts.js";
import { dropReasonText } from "./messages.js";
import { Placement } from "./placement.js";
import { selectSteps } from "./select-steps.js";
import { DEPARTURE_ROWS_MAX, type Note, type Step } from "./step.js";
import { stepsOf, type Steps } from "./steps.js";
import { Tally } from "./tally.js";
import { shortDuration } from "./time-scale.js";
import { ROWS_MIN } from "./story.js";
import type { ArrowRow, Head, NoteRow, RowBase, Story, StoryOptions, StoryRow, TimeRange } from "./story.js";

const ROWS_MAX = 60;
/** Undrawn traffic between two rows that is worth a row of its own, in events. */
const QUIET_MAX = 12;
/** More receivers than this are counted instead of named. */
const NAMES_MAX = 4;

/** Reduces a trace to the rows worth showing, at most `rowsMax` of them. Linear in the trace. */
export function storyOf(trace: Trace, options: StoryOptions = {}): Story {
  const rowsMax = Math.max(ROWS_MIN, options.rowsMax ?? ROWS_MAX);
  const steps = stepsOf(trace, options);
  // Which stretches are left out is known only once the rest is chosen, and each costs a row; so does the end.
  for (let budget = rowsMax - 1; ;) {
    const story = new StoryTeller(trace, steps, budget, options.range).tell();
    const over = story.rows.length - rowsMax;
    if (over <= 0 || budget <= 0) return story;
    budget -= over;
  }
}

class StoryTeller {
  readonly #trace: Trace;
  readonly #steps: Steps;
  readonly #range: TimeRange | undefined;
  readonly #selected: readonly Step[];
  readonly #chosen: ReadonlySet<Step>;
  readonly #placement: Placement;
  /** How the arrival that began a step is drawn; absent when it has been drawn with its send. */
  readonly #arrivals = new Map<Step, "now" | "earlier">();
  /** Messages whose arrow stands in the row where they leave. */
  readonly #drawnAtSend = new Map<Attempt, Head["fate"]>();
  readonly #rows: StoryRow[] = [];
  readonly #hidden = new Tally();

  constructor(trace: Trace, steps: Steps, budget: number, range: TimeRange | undefined) {
    this.#trace = trace;
    this.#steps = steps;
    this.#range = range;
    const eligible = range === undefined ? steps.all : steps.all.filter(({ at }) => isWithin(at, range));
    this.#selected = selectSteps(eligible, budget);
    this.#chosen = new Set(this.#selected);
    const weightMin = this.#selected.some((step) => step.weight === 1) ? 1 : 2;
    const telling = this.#steps.all.filter((step) => step.weight >= weightMin);
    this.#placement = new Placement(telling, trace.header.processes);
  }

  tell(): Story {
    for (const step of this.#selected) if (step.arrival !== undefined) this.#arrivals.set(step, "earlier");
    for (const step of this.#steps.all) this.#place(step);
    let gap: Step[] = [];
    let last: Step | undefined;
    for (const step of this.#steps.all) {
      if (!this.#chosen.has(step)) {
        gap.push(step);
        continue;
      }
      this.#fold(gap, last, step.at);
      gap = [];
      this.#draw(step);
      last = step;
    }
    const end = this.#trace.events.at(-1)?.at ?? 0;
    this.#fold(gap, last, end);
    if (this.#tells(end)) this.#rows.push({ kind: "end", text: endText(this.#trace.end), ...plainRow(end) });
    return {
      processes: this.#trace.header.processes,
      rows: this.#rows,
      hidden: this.#hidden.text(),
    };
  }

  #tells(at: Instant): boolean {
    return this.#range === undefined || isWithin(at, this.#range);
  }

  /** Decides for each message that leaves in `step` in which row its arrow stands. */
  #place(step: Step): void {
    if (step.departures.length === 0) return;
    byLabel(step.departures).forEach((group, place) => {
      const shown = this.#chosen.has(step) && place < DEPARTURE_ROWS_MAX;
      for (const attempt of group) {
        const arrival = this.#arrivalStep(attempt);
        const { from, to } = attempt.path;
        if (arrival === undefined) {
          // It never arrives, arrives in a stretch left out, or a later attempt gets through.
          if (shown) this.#drawnAtSend.set(attempt, attempt.path.drop === undefined ? "later" : "lost");
        } else if (shown && group.length > 1) {
          const together = this.#placement.slide(to, step.order, arrival.order);
          this.#drawnAtSend.set(attempt, together ? "arrives" : "later");
          if (together) this.#arrivals.delete(arrival);
        } else if (this.#placement.slide(from, step.order, arrival.order)) {
          this.#arrivals.set(arrival, "now");
        } else if (shown && this.#placement.slide(to, step.order, arrival.order)) {
          this.#drawnAtSend.set(attempt, "arrives");
          this.#arrivals.delete(arrival);
        }
      }
    });
  }

  /** Where the message first arrives, if that is drawn and this attempt is the one that gets through. */
  #arrivalStep(attempt: Attempt): Step | undefined {
    if (!gotThrough(attempt) || attempt.firstArrival === undefined) return undefined;
    const step = this.#steps.beganAt(attempt.firstArrival);
    return step !== undefined && this.#arrivals.has(step) ? step : undefined;
  }

  #draw(step: Step): void {
    for (const what of step.hidden) this.#hidden.add(what);
    if (step.fault !== undefined) {
      const { highlighted, event } = step;
      this.#rows.push({ ...plainRow(step.at), ...step.fault, kind: "fault", highlighted, event });
      return;
    }
    const { at, changes, highlighted, event } = step;
    const sent = this.#arrivals.get(step);
    let notes = step.notes();
    if (step.arrival !== undefined && sent !== undefined) {
      const { attempt, copy } = step.arrival;
      const { from, to } = attempt.path;
      this.#rows.push({
        kind: "arrow",
        at,
        changes,
        highlighted,
        event,
        notes: [...arrivalNotes(attempt, copy), ...notes],
        from,
        label: labelOf(attempt),
        short: shortOf(attempt),
        heads: [{ to, fate: "arrives" }],
        sent: copy ? "copy" : sent,
        mark: { process: to, mark: step.mark },
      });
      notes = [];
    }
    const arrows = this.#departureRows(step);
    const [first, ...others] = arrows;
    if (first !== undefined && (step.arrival === undefined || sent === undefined)) {
      const { process, mark } = step;
      const own = { changes, event, notes: [...notes, ...first.notes], mark: { process, mark } };
      this.#rows.push({ ...first, ...own }, ...others);
    } else {
      if (notes.length > 0 && sent === undefined) this.#rows.push(noteRow(step));
      this.#rows.push(...arrows);
    }
  }

  #departureRows(step: Step): ArrowRow[] {
    const groups = byLabel(step.departures);
    const rows = groups
      .slice(0, DEPARTURE_ROWS_MAX)
      .flatMap((group) => this.#departureRow(step, group) ?? []);
    const rest = groups.slice(DEPARTURE_ROWS_MAX).flat();
    for (const { firstArrival } of rest) if (firstArrival === undefined) this.#hidden.add("message");
    const last = rows.at(-1);
    if (last === undefined || rest.length === 0) return rows;
    const more = { process: step.process, text: `sends ${rest.length} more messages` };
    return [...rows.slice(0, -1), { ...last, notes: [...last.notes, more] }];
  }

  /** The arrow of messages of one name; `undefined` when each of them is drawn where it arrives. */
  #departureRow(step: Step, group: readonly Attempt[]): ArrowRow | undefined {
    const heads = group.flatMap((attempt) => {
      const fate = this.#drawnAtSend.get(attempt);
      return fate === undefined ? [] : [{ to: attempt.path.to, fate }];
    });
    const [one] = group;
    if (heads.length === 0 || one === undefined) return undefined;
    const { at, highlighted, process } = step;
    return {
      kind: "arrow",
      at,
      changes: [],
      highlighted,
      event: this.#sendOf(one),
      notes: lossNotes(group.filter((attempt) => this.#drawnAtSend.get(attempt) === "lost")),
      from: process,
      label: labelOf(one),
      short: shortOf(one),
      heads,
      sent: "now",
      mark: undefined,
    };
  }

  #sendOf({ path }: Attempt): EventId {
    return eventId(path.from, this.#trace.events[path.send]?.number ?? 0);
  }

  #fold(gap: readonly Step[], last: Step | undefined, until: Instant): void {
    const tally = new Tally();
    let traffic = 0;
    let told = 0;
    for (const step of gap) {
      tally.addStep(step);
      // What was not asked for is not missed.
      if (this.#tells(step.at)) this.#hidden.addStep(step);
      traffic += step.hidden.length;
      if (step.weight >= 2) told++;
      else if (step.weight === 1) traffic++;
    }
    if (told === 0 && traffic <= QUIET_MAX) return;
    const since = gap[0]?.at ?? last?.at ?? until;
    const lasted = Math.max(0, until - since);
    this.#rows.push({
      ...plainRow(since),
      kind: "fold",
      text: lasted === 0 ? tally.text() : `${tally.text()}, ${shortDuration(lasted)}`,
      changes: gap.flatMap((step) => step.changes),
    });
  }
}

function plainRow(at: Instant): RowBase {
  return { at, changes: [], highlighted: false, event: undefined, notes: [] };
}

function isWithin(at: Instant, { from, to }: TimeRange): boolean {
  return at >= from && at <= to;
}

function noteRow(step: Step): NoteRow {
  const { at, changes, highlighted, event, process, mark } = step;
  return {
    kind: "note",
    at,
    changes,
    highlighted,
    event,
    notes: step.notes(),
    process: process === NETWORK ? "" : process,
    mark,
  };
}

function byLabel(departures: readonly Attempt[]): Attempt[][] {
  const groups = new Map<string, Attempt[]>();
  for (const attempt of departures) {
    const label = labelOf(attempt);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [attempt]);
    else group.push(attempt);
  }
  return [...groups.values()];
}

function labelOf({ description, number }: Attempt): string {
  return number === 1 ? description.label : `${description.label} again`;
}

function shortOf({ description: { short }, number }: Attempt): string | undefined {
  return short === undefined || number === 1 ? short : `${short} again`;
}

function arrivalNotes(attempt: Attempt, copy: boolean): Note[] {
  const { path, description, overtaken } = attempt;
  const name = description.short ?? description.label;
  if (copy) return [{ text: `a second copy of ${name}` }];
  if (!overtaken) return [];
  const held = path.hold === undefined ? "" : `, held back ${shortDuration(path.hold.by)}`;
  return [{ text: `${name} was overtaken on the way${held}` }];
}

/** `request 4 to P2, P3 lost: the network is split`: one sentence for all that share a reason. */
function lossNotes(lost: readonly Attempt[]): Note[] {
  const byReason = new Map<DropReason, Attempt[]>();
  for (const attempt of lost) {
    const reason = attempt.path.drop?.reason;
    if (reason === undefined) continue;
    byReason.set(reason, [...(byReason.get(reason) ?? []), attempt]);
  }
  return [...byReason].flatMap(([reason, attempts]) => {
    const [first] = attempts;
    if (first === undefined) return [];
    const names = attempts.map(({ path }) => path.to);
    const them = names.length > NAMES_MAX ? `${names.length} processes` : names.join(", ");
    const who = names.length > 1 ? "they" : them;
    return [
      {
        text: `${shortOf(first) ?? labelOf(first)} to ${them} ${dropReasonText(reason, first.path.from, who)}`,
      },
    ];
  });
}

function endText({ stopped, detail }: TraceEnd): string {
  const why = {
    quiescent: "nothing is left to do",
    "time-limit": "the time is up",
    "event-limit": "the limit of events is reached",
    interrupted: "the run was interrupted",
    lost: "a participant was lost",
    failed: "the run failed",
  }[stopped];
  return detail === undefined ? why : `${why}: ${detail}`;
}
