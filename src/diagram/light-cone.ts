import type { EventId } from "../core/index.js";
import { CausalityIndex, type Trace, type TraceEvent } from "../trace/index.js";

/** How an event stands to the one that was picked. */
export type Light = "self" | "past" | "future" | "concurrent";

/** The light cone of one event, ready to colour a diagram by. */
export interface LightCone {
  readonly event: EventId;
  /** By lane: number of the last event in the past, 0 for none. */
  readonly past: readonly number[];
  /** By lane: number of the first event in the future. */
  readonly future: readonly (number | undefined)[];
  readonly counts: { readonly past: number; readonly future: number; readonly concurrent: number };
  light(event: TraceEvent): Light;
}

/** Throws a `UsageError` when the trace has no such event. */
export function lightConeOf(trace: Trace, id: EventId): LightCone {
  const index = CausalityIndex.of(trace);
  const past = index.past(id);
  const future = index.future(id);
  const self = index.event(id);
  const lanes = new Map(trace.header.processes.map((process, lane) => [process, lane]));
  const light = (event: TraceEvent): Light => {
    if (event === self) return "self";
    const lane = lanes.get(event.process);
    if (lane === undefined) return "concurrent";
    if (event.number <= (past[lane] ?? 0)) return "past";
    return event.number >= (future[lane] ?? Infinity) ? "future" : "concurrent";
  };
  const counts = { past: 0, future: 0, concurrent: 0 };
  for (const event of trace.events) {
    const kind = light(event);
    // What happens on the network's lane has no causes to speak of.
    if (kind !== "self" && lanes.has(event.process)) counts[kind]++;
  }
  return { event: id, past, future, counts, light };
}
