import fc from "fast-check";
import { processNames } from "../core/index.js";
import type { Random } from "../core/index.js";
import type { DropReason, Trace, TraceEvent, TraceHeader } from "./event.js";
import { TRACE_VERSION } from "./event.js";

/** One thing that happens in a made-up run: `who` and `which` choose among what is possible then. */
export interface Happening {
  readonly what: (typeof HAPPENINGS)[number];
  readonly who: number;
  readonly which: number;
}

export const HAPPENINGS = [
  "send",
  "send",
  "send",
  "receive",
  "receive",
  "receive",
  "duplicate",
  "lose",
  "hold",
  "drop-at-net",
  "timer",
  "output",
  "save",
  "deliver",
  "explain",
  "crash",
  "restart",
  "pause",
  "fault",
] as const;

/** Random valid traces of 1 to 5 processes; shrinks to fewer happenings. */
export function arbitraryTrace(options: { readonly happeningsMax?: number } = {}): fc.Arbitrary<Trace> {
  const happening = fc.record({
    what: fc.constantFrom(...HAPPENINGS),
    who: fc.nat(1000),
    which: fc.nat(1000),
  });
  return fc
    .record({
      processes: fc.integer({ min: 1, max: 5 }),
      happenings: fc.array(happening, { maxLength: options.happeningsMax ?? 60, size: "max" }),
      payload: fc
        .json({ maxDepth: 3 })
        .filter((json) => !json.includes("__proto__"))
        .map((json): unknown => JSON.parse(json)),
      recorded: fc.boolean(),
    })
    .map(({ processes, happenings, payload, recorded }) => traceOf(processes, happenings, payload, recorded));
}

export function randomHappenings(random: Random, count: number): Happening[] {
  return Array.from({ length: count }, () => ({
    what: HAPPENINGS[random.below(HAPPENINGS.length)] ?? "send",
    who: random.below(1000),
    which: random.below(1000),
  }));
}

export function headerOf(processes: readonly string[]): TraceHeader {
  return {
    format: "lightcone-trace",
    version: TRACE_VERSION,
    lightcone: "0.1.0",
    source: "simulation",
    lab: "made-up",
    processes,
    seed: 41,
    options: { rounds: 3, eager: true },
    faults: "loss 10%",
    duration: 10_000_000,
  };
}

interface Sent {
  readonly from: string;
  readonly send: number;
  readonly to: string;
}

type Rest<Event> = Event extends TraceEvent
  ? Omit<Event, "process" | "number" | "at" | "local" | "vector">
  : never;

/** Plays the happenings; what is not possible at its turn is left out. Clocks are wrong on purpose. */
export function traceOf(
  count: number,
  happenings: readonly Happening[],
  payload: unknown = null,
  recorded = false,
): Trace {
  const processes = processNames(count);
  const events: TraceEvent[] = [];
  const numbers = new Map<string, number>();
  const crashed = new Set<string>();
  const incarnations = new Map<string, number>();
  const knows = new Map(processes.map((process) => [process, processes.map(() => 0)]));
  const stamps = new Map<string, readonly number[]>();
  const sent: Sent[] = [];

  const add = (process: string, rest: Rest<TraceEvent>): number => {
    const number = (numbers.get(process) ?? 0) + 1;
    numbers.set(process, number);
    const base = { process, number, at: events.length * 7 };
    if (process === "net") {
      events.push({ ...base, ...rest } as TraceEvent);
      return number;
    }
    const vector = knows.get(process) ?? [];
    if (rest.kind === "receive") {
      for (const [i, known] of (stamps.get(`${rest.from}:${rest.send}`) ?? []).entries()) {
        vector[i] = Math.max(vector[i] ?? 0, known);
      }
    }
    vector[processes.indexOf(process)] = number;
    stamps.set(`${process}:${number}`, [...vector]);
    const local = (events.length * 13) % 101;
    events.push({ ...base, local, ...(recorded && { vector: [...vector] }), ...rest } as TraceEvent);
    return number;
  };

  for (const process of processes) add(process, { kind: "start", incarnation: 0 });
  for (const { what, who, which } of happenings) {
    const process = processes[who % count] ?? "P1";
    const message = sent[which % Math.max(1, sent.length)];
    const alive = !crashed.has(process);
    switch (what) {
      case "send":
        if (!alive) break;
        add(process, { kind: "command", command: payload });
        for (let i = 0; i <= which % 2; i++) {
          const to = processes[(which + i) % count] ?? "P1";
          sent.push({ from: process, send: add(process, { kind: "send", to, message: payload }), to });
        }
        break;
      case "receive":
        if (message === undefined || crashed.has(message.to)) break;
        add(message.to, {
          kind: "receive",
          from: message.from,
          send: message.send,
          ...(which % 3 === 0 && { picks: [which] }),
        });
        break;
      case "lose":
      case "duplicate":
      case "hold":
        if (message === undefined || crashed.has(message.from)) break;
        if (what === "lose")
          add(message.from, { kind: "drop", ...message, reason: REASONS[which % REASONS.length] ?? "loss" });
        else if (what === "hold")
          add(message.from, { kind: "hold", ...message, by: which, reason: "reorder" });
        else add(message.from, { kind: "duplicate", ...message, copies: 2 });
        break;
      case "drop-at-net":
        if (message !== undefined) add("net", { kind: "drop", ...message, reason: "crashed" });
        break;
      case "timer":
        if (alive) add(process, { kind: "timer", timer: "näherung \u2028 😀" });
        break;
      case "output":
        if (alive) add(process, { kind: "output", value: payload });
        break;
      case "save":
        if (alive) add(process, { kind: "save", saved: payload });
        break;
      case "deliver":
        if (alive)
          add(process, {
            kind: "deliver",
            layer: "fifo",
            from: process,
            sequence: which + 1,
            message: payload,
          });
        break;
      case "explain":
        if (alive) add(process, { kind: "explain", rule: "made.up", terms: { payload } });
        break;
      case "crash":
        if (alive) add(process, { kind: "crash" });
        crashed.add(process);
        break;
      case "restart": {
        if (alive) break;
        const incarnation = (incarnations.get(process) ?? 0) + 1;
        incarnations.set(process, incarnation);
        crashed.delete(process);
        add(process, { kind: "restart", incarnation, ...(which % 2 === 0 && { saved: payload }) });
        break;
      }
      case "pause":
        add("net", { kind: which % 2 === 0 ? "pause" : "resume", target: process });
        break;
      case "fault":
        add("net", { kind: "fault", fault: 'partition P1 | "P2"', phase: "begin" });
        break;
    }
  }
  return { header: headerOf(processes), events, end: { stopped: "quiescent" } };
}

const REASONS: readonly DropReason[] = ["loss", "partition", "corrupt", "failed-send", "disconnected"];
