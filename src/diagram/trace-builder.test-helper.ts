import { NETWORK, type ProcessId } from "../core/index.js";
import {
  TRACE_VERSION,
  type DropReason,
  type Trace,
  type TraceEvent,
  type TraceHeader,
} from "../trace/index.js";

/** A send, to be received or lost later. */
export interface Sent {
  readonly from: ProcessId;
  readonly send: number;
  readonly to: ProcessId;
}

type Unplaced<Event> = Event extends TraceEvent ? Omit<Event, "process" | "number" | "at" | "local"> : never;

/** Writes small traces by hand: `run.at(3).command("P1", …)`; numbers and times are filled in. */
export class TraceBuilder {
  readonly #header: TraceHeader;
  readonly #events: TraceEvent[] = [];
  readonly #numbers = new Map<ProcessId, number>();
  #now = 0;

  constructor(processes: readonly ProcessId[], header: Partial<TraceHeader> = {}) {
    this.#header = {
      format: "lightcone-trace",
      version: TRACE_VERSION,
      lightcone: "0.0.0",
      source: "simulation",
      lab: "hand-made",
      processes,
      seed: 1,
      options: {},
      faults: "",
      duration: 1_000_000,
      ...header,
    };
  }

  /** Milliseconds from here on. */
  at(ms: number): this {
    this.#now = Math.round(ms * 1000);
    return this;
  }

  event(process: ProcessId, event: Unplaced<TraceEvent>, local = 0): number {
    const number = (this.#numbers.get(process) ?? 0) + 1;
    this.#numbers.set(process, number);
    const placed = {
      process,
      number,
      at: this.#now,
      ...(process === NETWORK ? {} : { local: this.#now + local }),
    };
    this.#events.push({ ...placed, ...event });
    return number;
  }

  command(process: ProcessId, command: unknown): this {
    this.event(process, { kind: "command", command });
    return this;
  }

  output(process: ProcessId, value: unknown): this {
    this.event(process, { kind: "output", value });
    return this;
  }

  explain(process: ProcessId, rule: string, terms: Readonly<Record<string, unknown>> = {}): this {
    this.event(process, { kind: "explain", rule, terms });
    return this;
  }

  timer(process: ProcessId, timer: string): this {
    this.event(process, { kind: "timer", timer });
    return this;
  }

  send(from: ProcessId, to: ProcessId, message: unknown): Sent {
    return { from, send: this.event(from, { kind: "send", to, message }), to };
  }

  receive({ from, send, to }: Sent): this {
    this.event(to, { kind: "receive", from, send });
    return this;
  }

  drop({ from, send, to }: Sent, reason: DropReason): this {
    this.event(NETWORK, { kind: "drop", from, send, to, reason });
    return this;
  }

  fault(fault: string, phase: "begin" | "end"): this {
    this.event(NETWORK, { kind: "fault", fault, phase });
    return this;
  }

  trace(stopped: Trace["end"]["stopped"] = "quiescent"): Trace {
    return { header: this.#header, events: this.#events, end: { stopped } };
  }
}

export const NARRATION: Readonly<Record<string, string>> = {
  "ra.request": "asks everyone to let it in, with request {own}",
  "ra.defer": "keeps {peer} waiting: its own request {own} comes before {theirs}",
  "ra.reply": "lets {peer} in: it does not want to enter itself",
  "ra.enter": "has everyone's reply and enters",
  "ra.exit": "leaves and answers those it kept waiting: {peers}",
};

/** Two processes want in; P2 loses because P1's request is earlier; P2 then meets a partition and a crash. */
export function twoWantIn(): Trace {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  run.at(1).command("P1", { kind: "acquire" });
  run.output("P1", { kind: "requested" }).explain("P1", "ra.request", { own: [1, "P1"] });
  const first = [run.send("P1", "P2", request(1)), run.send("P1", "P3", request(1))] as const;
  run.at(1.5).command("P2", { kind: "acquire" });
  run.output("P2", { kind: "requested" }).explain("P2", "ra.request", { own: [1, "P2"] });
  const second = [run.send("P2", "P1", request(1)), run.send("P2", "P3", request(1))] as const;
  run.at(3).receive(first[1]).explain("P3", "ra.reply", { peer: "P1" });
  const replyOf3 = run.send("P3", "P1", reply(1));
  run
    .at(4)
    .receive(second[0])
    .explain("P1", "ra.defer", { peer: "P2", own: [1, "P1"], theirs: [1, "P2"] });
  run.at(5).receive(first[0]);
  const replyOf2 = run.send("P2", "P1", reply(1));
  run.at(6).receive(replyOf3);
  run.at(7).receive(replyOf2).explain("P1", "ra.enter").output("P1", { kind: "entered" });
  run.at(8).receive(second[1]).explain("P3", "ra.reply", { peer: "P2" });
  const lateReply = run.send("P3", "P2", reply(1));
  run.at(10).receive(lateReply);
  run.at(12).command("P1", { kind: "release" }).output("P1", { kind: "exited" });
  run.explain("P1", "ra.exit", { peers: ["P2"] });
  const last = run.send("P1", "P2", reply(1));
  run.at(13).receive(last).explain("P2", "ra.enter").output("P2", { kind: "entered" });
  run.at(16).command("P2", { kind: "release" }).output("P2", { kind: "exited" });
  return run.trace();
}

export function request(timestamp: number): unknown {
  return { kind: "request", timestamp };
}

export function reply(of: number): unknown {
  return { kind: "reply", of };
}
