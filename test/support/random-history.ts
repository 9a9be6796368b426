import fc from "fast-check";

/** One event of a history; processes and messages are numbered from 0. */
export type Happening =
  | { readonly kind: "local"; readonly process: number }
  | { readonly kind: "send"; readonly process: number; readonly to: number }
  /** `send` is the index of the event that sent it. */
  | { readonly kind: "receive"; readonly process: number; readonly from: number; readonly send: number };

/** Events of a group in an order that respects causality: sends come before their receipts. */
export interface History {
  readonly processes: number;
  readonly events: readonly Happening[];
}

export interface HistoryOptions {
  readonly processesMax?: number;
  readonly eventsMax?: number;
  /** Whether each link keeps the order of its messages; default no. */
  readonly fifo?: boolean;
}

/** Random histories in which some messages never arrive. */
export function histories(options: HistoryOptions = {}): fc.Arbitrary<History> {
  const { processesMax = 5, eventsMax = 30, fifo = false } = options;
  const draw = fc.record({
    kind: fc.constantFrom("local", "send", "receive", "receive"),
    process: fc.nat(),
    other: fc.nat(),
  });
  return fc
    .record({
      processes: fc.integer({ min: 2, max: processesMax }),
      draws: fc.array(draw, { maxLength: eventsMax, size: "max" }),
    })
    .map(({ processes, draws }) => {
      const events: Happening[] = [];
      const inFlight: { from: number; to: number; send: number }[] = [];
      for (const { kind, process: p, other } of draws) {
        const process = p % processes;
        if (kind === "send") {
          const to = (process + 1 + (other % (processes - 1))) % processes;
          inFlight.push({ from: process, to, send: events.length });
          events.push({ kind, process, to });
          continue;
        }
        const waiting = inFlight.filter(
          (m, i) =>
            m.to === process &&
            !(fifo && inFlight.slice(0, i).some((o) => o.from === m.from && o.to === m.to)),
        );
        const message = kind === "receive" ? waiting[other % waiting.length] : undefined;
        if (message === undefined) {
          events.push({ kind: "local", process });
          continue;
        }
        inFlight.splice(inFlight.indexOf(message), 1);
        events.push({ kind: "receive", process, from: message.from, send: message.send });
      }
      return { processes, events };
    });
}

/** Happened-before straight from its definition: `before[e][f]` by walking every chain of program order and messages. */
export function happenedBefore(history: History): boolean[][] {
  const { events } = history;
  return events.map((_, e) => {
    const reached = events.map(() => false);
    const next = [e];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      for (const f of successors(history, at)) {
        if (reached[f]) continue;
        reached[f] = true;
        next.push(f);
      }
    }
    return reached;
  });
}

function successors({ events }: History, e: number): number[] {
  const following: number[] = [];
  const programOrder = events.findIndex((other, f) => f > e && other.process === events[e]?.process);
  if (programOrder >= 0) following.push(programOrder);
  events.forEach((other, f) => {
    if (other.kind === "receive" && other.send === e) following.push(f);
  });
  return following;
}

/** What a clock does at each kind of event; `clock` is replaced, never changed. */
export interface ClockRules<Clock, Stamp> {
  start(process: number): Clock;
  local(clock: Clock, process: number): Clock;
  send(clock: Clock, process: number, to: number): readonly [clock: Clock, stamp: Stamp];
  receive(clock: Clock, stamp: Stamp, process: number, from: number): Clock;
}

/** The clock of each event's process just after the event. */
export function clocksAlong<Clock, Stamp>(history: History, rules: ClockRules<Clock, Stamp>): Clock[] {
  const clocks = Array.from({ length: history.processes }, (_, p) => rules.start(p));
  const stamps = new Map<number, Stamp>();
  return history.events.map((event, e) => {
    const p = event.process;
    let clock = clocks[p] as Clock;
    if (event.kind === "local") clock = rules.local(clock, p);
    else if (event.kind === "receive")
      clock = rules.receive(clock, stamps.get(event.send) as Stamp, p, event.from);
    else {
      const [next, stamp] = rules.send(clock, p, event.to);
      stamps.set(e, stamp);
      clock = next;
    }
    clocks[p] = clock;
    return clock;
  });
}

/** Every ordered pair of different events, with whether the first happened before the second. */
export function pairs(history: History): { e: number; f: number; before: boolean }[] {
  return happenedBefore(history).flatMap((row, e) =>
    row.flatMap((before, f) => (e === f ? [] : [{ e, f, before }])),
  );
}
