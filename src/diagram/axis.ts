import type { ProcessId } from "../core/index.js";
import { NETWORK } from "../core/index.js";
import { isInput, type Trace } from "../trace/index.js";

/**
 * What x means. `physical`: the reference axis, in microseconds. `local`: each process by its own clock, in
 * microseconds, so a message may seem to arrive before it was sent. `lamport`: the Lamport timestamp that counts every
 * event. `causal`: the longest chain of steps that leads here, so that all hops are equally long.
 */
export type Axis = "physical" | "local" | "lamport" | "causal";

export const AXES: readonly Axis[] = ["physical", "local", "lamport", "causal"];

/**
 * x of every event, parallel to `trace.events`, in one pass. Events of the network's lane have no causes, so on the
 * logical axes they stand at the largest x so far; without a local clock an event stands at its reference time.
 */
export function axisPositions(trace: Trace, axis: Axis): Float64Array {
  switch (axis) {
    case "physical":
      return Float64Array.from(trace.events, (event) => event.at);
    case "local":
      return Float64Array.from(trace.events, (event) => event.local ?? event.at);
    case "lamport":
      return logicalPositions(trace, () => true);
    case "causal":
      return logicalPositions(trace, (event) => isInput(event) || event.kind === "crash");
  }
}

/** One clock rule for both logical axes: L. Lamport, CACM 21(7), 1978, IR1 and IR2, ticking where `ticks` says. */
function logicalPositions(trace: Trace, ticks: (event: Trace["events"][number]) => boolean): Float64Array {
  const x = new Float64Array(trace.events.length);
  const clocks = new Map<ProcessId, number>();
  /** Clock of each send, by process and number. */
  const sends = new Map<ProcessId, Map<number, number>>();
  let latest = 0;
  trace.events.forEach((event, index) => {
    if (event.process === NETWORK) {
      x[index] = latest;
      return;
    }
    let clock = clocks.get(event.process) ?? -1;
    if (event.kind === "receive") clock = Math.max(clock, sends.get(event.from)?.get(event.send) ?? -1);
    if (ticks(event) || clock < 0) clock++;
    clocks.set(event.process, clock);
    if (event.kind === "send") {
      let numbers = sends.get(event.process);
      if (numbers === undefined) sends.set(event.process, (numbers = new Map<number, number>()));
      numbers.set(event.number, clock);
    }
    x[index] = clock;
    latest = Math.max(latest, clock);
  });
  return x;
}
