import type { ProcessId } from "../core/index.js";
import {
  faultWords,
  formatFaults,
  type FaultPlan,
  type LinkFault,
  type ScheduledFault,
} from "../faults/index.js";
import type { DropReason, EventKind, TraceEvent } from "../trace/index.js";

/** How much one planned fault did. */
export interface FaultTouch {
  /** In the words of the fault language. */
  readonly fault: string;
  /** Messages lost, doubled, held back or cut off; for crashes, restarts, pauses and clocks, how often it happened. */
  readonly touched: number;
}

/** Counts, while a trace is read, what each fault of the plan did. A fault that did nothing proves nothing. */
export class FaultTally {
  readonly #counters: readonly Counter[];
  readonly #byKind = new Map<EventKind, Counter[]>();

  constructor(plan: FaultPlan) {
    this.#counters = [
      ...plan.links.flatMap((link) => linkCounters(link, plan.links)),
      ...plan.schedule.map((fault) => scheduleCounter(fault, plan.schedule)),
    ];
    for (const counter of this.#counters) {
      const others = this.#byKind.get(counter.kind);
      if (others === undefined) this.#byKind.set(counter.kind, [counter]);
      else others.push(counter);
    }
  }

  observe(event: TraceEvent): void {
    for (const counter of this.#byKind.get(event.kind) ?? NONE) {
      if (counter.concerns(event)) counter.met++;
    }
  }

  /** Begins anew, for the next run of the same plan. */
  reset(): void {
    for (const counter of this.#counters) counter.met = 0;
  }

  finish(): readonly FaultTouch[] {
    return this.#counters.map(({ fault, met, turns: { first, last } }) => ({
      fault,
      touched: Math.max(0, Math.min(met, last) - first),
    }));
  }
}

const NONE: readonly Counter[] = [];

interface Counter {
  readonly fault: string;
  /** The one kind of event that shows the fault at work. */
  readonly kind: EventKind;
  readonly concerns: (event: TraceEvent) => boolean;
  /** Which of the events that concern it are its own: those after `first` of them, up to the `last`-th. */
  readonly turns: Turns;
  met: number;
}

interface Turns {
  readonly first: number;
  readonly last: number;
}

const ALL_TURNS: Turns = { first: 0, last: Infinity };

/** One counter per kind of trouble: "loss 10%, duplicate 5%" are two faults to whoever asked for them. */
function linkCounters(link: LinkFault, all: readonly LinkFault[]): Counter[] {
  const { from, to } = link;
  const ends = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  // Later entries replace earlier ones, so what happens on a link is the work of the last entry that names it.
  const onLink = (trouble: Trouble) => {
    const later = all.slice(all.indexOf(link) + 1).filter((other) => other[trouble] !== undefined);
    return (sender: ProcessId, receiver: ProcessId): boolean =>
      concernsLink(link, sender, receiver) && !later.some((other) => concernsLink(other, sender, receiver));
  };
  const counter = (part: LinkFault, kind: EventKind, concerns: (event: TraceEvent) => boolean): Counter => ({
    fault: formatFaults({ links: [{ ...ends, ...part }], schedule: [] }),
    kind,
    concerns,
    turns: ALL_TURNS,
    met: 0,
  });
  const dropped = (trouble: Trouble, reason: DropReason) => {
    const ours = onLink(trouble);
    return (event: TraceEvent) =>
      event.kind === "drop" && event.reason === reason && ours(event.from, event.to);
  };
  const { delay, loss, duplicate, reorder, corrupt } = link;
  const counters: Counter[] = [];
  // Every message of the link is delayed, so each one sent is one touched.
  if (delay !== undefined && delay.max > 0) {
    const ours = onLink("delay");
    counters.push(
      counter({ delay }, "send", (event) => event.kind === "send" && ours(event.process, event.to)),
    );
  }
  if (loss !== undefined && loss > 0) counters.push(counter({ loss }, "drop", dropped("loss", "loss")));
  if (duplicate !== undefined && duplicate > 0) {
    const ours = onLink("duplicate");
    counters.push(
      counter(
        { duplicate },
        "duplicate",
        (event) => event.kind === "duplicate" && ours(event.from, event.to),
      ),
    );
  }
  if (reorder !== undefined && reorder > 0) {
    const ours = onLink("reorder");
    counters.push(
      counter(
        { reorder },
        "hold",
        (event) => event.kind === "hold" && event.reason === "reorder" && ours(event.from, event.to),
      ),
    );
  }
  if (corrupt !== undefined && corrupt > 0)
    counters.push(counter({ corrupt }, "drop", dropped("corrupt", "corrupt")));
  return counters;
}

type Trouble = "delay" | "loss" | "duplicate" | "reorder" | "corrupt";

function concernsLink({ from, to }: LinkFault, sender: ProcessId, receiver: ProcessId): boolean {
  return (from === undefined || from === sender) && (to === undefined || to === receiver);
}

function scheduleCounter(fault: ScheduledFault, all: readonly ScheduledFault[]): Counter {
  return {
    fault: formatFaults({ links: [], schedule: [fault] }),
    kind: kindOf(fault),
    concerns: concernOf(fault),
    turns: turnsOf(fault, all),
    met: 0,
  };
}

function kindOf(fault: ScheduledFault): EventKind {
  switch (fault.kind) {
    case "partition":
    case "one-way":
    case "refuse":
    case "failed-send":
    case "failed-receive":
      return "drop";
    case "clock":
    case "disk-full":
      return "fault";
    case "crash":
    case "restart":
    case "pause":
      return fault.kind;
  }
}

function concernOf(fault: ScheduledFault): (event: TraceEvent) => boolean {
  const until = "until" in fault && fault.until !== undefined ? fault.until : Infinity;
  const during = (event: TraceEvent): boolean => event.at >= fault.at && event.at < until;
  switch (fault.kind) {
    case "partition": {
      const side = new Map(fault.groups.flatMap((group, k) => group.map((process) => [process, k] as const)));
      const apart = (a: ProcessId, b: ProcessId): boolean => {
        const [sideA, sideB] = [side.get(a), side.get(b)];
        return sideA !== undefined && sideB !== undefined && sideA !== sideB;
      };
      return (event) =>
        event.kind === "drop" && event.reason === "partition" && during(event) && apart(event.from, event.to);
    }
    case "one-way":
      return (event) =>
        event.kind === "drop" &&
        event.reason === "partition" &&
        during(event) &&
        event.from === fault.from &&
        event.to === fault.to;
    case "refuse":
      return (event) =>
        event.kind === "drop" &&
        event.reason === "refused" &&
        during(event) &&
        (event.from === fault.process || event.to === fault.process);
    case "failed-send":
      return (event) =>
        event.kind === "drop" &&
        event.reason === "failed-send" &&
        during(event) &&
        event.from === fault.process;
    case "failed-receive":
      return (event) =>
        event.kind === "drop" &&
        event.reason === "failed-receive" &&
        during(event) &&
        event.to === fault.process;
    case "crash":
    case "restart":
      return (event) => event.kind === fault.kind && event.process === fault.process;
    case "pause":
      return (event) => event.kind === "pause" && event.target === fault.process;
    case "clock":
    case "disk-full": {
      const words = faultWords(fault);
      return (event) => event.kind === "fault" && event.phase === "begin" && event.fault === words;
    }
  }
}

/**
 * When the plan has the same thing happen to a process several times, the first time is the first one's, and so on.
 * Not by the instant: in a real run what is planned for 2 s happens a little later.
 */
function turnsOf(fault: ScheduledFault, all: readonly ScheduledFault[]): Turns {
  if (kindOf(fault) === "drop") return ALL_TURNS;
  const words = faultWords(fault);
  const alike = all.filter((other) => faultWords(other) === words).sort((a, b) => a.at - b.at);
  const first = alike.indexOf(fault);
  return { first, last: first === alike.length - 1 ? Infinity : first + 1 };
}
