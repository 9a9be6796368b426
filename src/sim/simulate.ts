import type { SimulationSettings } from "./simulation.js";
import { Simulation } from "./simulation.js";
import { SECOND } from "../core/index.js";
import { formatFaults, NO_FAULTS } from "../faults/index.js";
import { TRACE_VERSION, type Trace, type TraceEvent, type TraceHeader } from "../trace/index.js";

/** Names what is simulated, for the trace. */
export interface Provenance {
  /** A lab's id or the path of a lab file. */
  readonly lab: string;
  /** The Lightcone version. */
  readonly lightcone: string;
}

/** Runs a simulation to its end and gives the whole trace; `onFailure` gets what ended it as `failed`. */
export function simulate(
  settings: SimulationSettings,
  provenance: Provenance,
  onFailure: (error: Error) => void = () => {},
): Trace {
  const events: TraceEvent[] = [];
  const simulation = new Simulation(settings, (event) => events.push(event));
  const stopped = simulation.run();
  const { failure } = simulation;
  if (failure !== undefined) onFailure(failure);
  return {
    header: headerOf(settings, provenance),
    events,
    end: failure === undefined ? { stopped } : { stopped, detail: failure.message },
  };
}

/** The first line of the trace that these settings give. */
export function headerOf(settings: SimulationSettings, { lab, lightcone }: Provenance): TraceHeader {
  return {
    format: "lightcone-trace",
    version: TRACE_VERSION,
    lightcone,
    source: "simulation",
    lab,
    processes: settings.processes,
    seed: settings.seed,
    options: settings.options,
    faults: formatFaults(settings.faults ?? NO_FAULTS),
    duration: settings.duration ?? 60 * SECOND,
  };
}
