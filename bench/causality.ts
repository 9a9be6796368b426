import { performance } from "node:perf_hooks";
import { processNames, Random } from "../dist/core/index.js";
import { CausalityIndex, CausalTracker, TraceReader, TraceWriter } from "../dist/trace/index.js";
import type { ReadTrace, TraceEvent, TraceHeader } from "../dist/trace/index.js";
import type { Benchmark, Figure } from "./benchmark.js";

const EVENTS = 1_000_000;
const PROCESSES = processNames(8);

const benchmark: Benchmark = {
  name: "causality",
  claim: "a trace of a million events over 8 processes is read and indexed in seconds, and asked in no time",
  run: () => Promise.resolve(measure()),
};

export default benchmark;

function measure(): readonly Figure[] {
  const chunks = recordedRun();
  const bytesPerEvent = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / EVENTS;

  const [trace, readMs] = timed(() => read(chunks));
  const [index, buildMs] = timed(() => CausalityIndex.of(trace));
  // The highest since the process began, so with whatever the runner and an earlier benchmark used.
  const peakMb = process.resourceUsage().maxRSS / 1024;

  const random = new Random(7);
  let coneMsMax = 0;
  let reached = 0;
  for (let i = 0; i < 1000; i++) {
    const event = trace.events[random.below(trace.events.length)];
    if (event === undefined) continue;
    const [found, ms] = timed(() => [index.past(event), index.future(event)]);
    reached += found.length;
    coneMsMax = Math.max(coneMsMax, ms);
  }
  if (reached === 0) throw new Error("no cone was measured");

  const [, trackMs] = timed(() => {
    const tracker = new CausalTracker(PROCESSES);
    for (const event of trace.events) tracker.observe(event);
  });

  return [
    figure("length of an event's line", bytesPerEvent, "bytes"),
    figure("read 1,000,000 events", readMs / 1000, "s", 3),
    figure("build the index", buildMs / 1000, "s", 1),
    figure("past and future cone, slowest of 1,000", coneMsMax, "ms", 10),
    figure("process memory, highest", peakMb, "MB", 600),
    figure("derive the clocks online, per event", (trackMs * 1e6) / EVENTS, "ns"),
  ];
}

/** The text of a run in which each process in turn receives, or takes a command, and sends. */
function recordedRun(): readonly string[] {
  const random = new Random(1);
  const writer = new TraceWriter();
  const numbers = new Map(PROCESSES.map((name) => [name, 0]));
  const inFlight: { from: string; send: number; to: string }[] = [];
  const chunks: string[] = [];
  let chunk = writer.header(HEADER);

  const next = (process: string) => {
    const number = (numbers.get(process) ?? 0) + 1;
    numbers.set(process, number);
    return { process, number, at: writer.events * 11, local: writer.events * 11 + 250_000 };
  };
  const write = (event: TraceEvent): void => {
    chunk += writer.event(event);
    if (chunk.length < 2 ** 16) return;
    chunks.push(chunk);
    chunk = "";
  };

  for (const process of PROCESSES) write({ ...next(process), kind: "start", incarnation: 0 });
  while (writer.events + 2 <= EVENTS) {
    const arrival = inFlight.length > 64 ? inFlight.splice(random.below(inFlight.length), 1)[0] : undefined;
    const process = arrival?.to ?? PROCESSES[random.below(PROCESSES.length)] ?? "P1";
    if (arrival === undefined) write({ ...next(process), kind: "command", command: { kind: "request" } });
    else write({ ...next(process), kind: "receive", from: arrival.from, send: arrival.send });
    const to = PROCESSES[random.below(PROCESSES.length)] ?? "P1";
    const sent = {
      ...next(process),
      kind: "send" as const,
      to,
      message: { kind: "request", stamp: writer.events },
    };
    write(sent);
    inFlight.push({ from: process, send: sent.number, to });
  }
  chunks.push(chunk + writer.end({ stopped: "event-limit" }));
  return chunks;
}

function read(chunks: readonly string[]): ReadTrace {
  const reader = new TraceReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish();
}

function timed<Result>(work: () => Result): [Result, number] {
  const before = performance.now();
  const result = work();
  return [result, performance.now() - before];
}

function figure(name: string, value: number, unit: string, max?: number): Figure {
  return max === undefined
    ? { name, value, unit }
    : { name, value, unit, target: `≤ ${max} ${unit}`, met: value <= max };
}

const HEADER: TraceHeader = {
  format: "lightcone-trace",
  version: 1,
  lightcone: "0.1.0",
  source: "simulation",
  lab: "benchmark",
  processes: PROCESSES,
  seed: 1,
  options: {},
  faults: "",
  duration: 60_000_000,
};
