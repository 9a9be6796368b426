/**
 * The names most programs need: write a protocol, make it a lab, run it in simulation or for real, judge, draw.
 * Each layer's own subpath (`lightcone/sim`, `lightcone/protocols`, …) has all of its names.
 */
export {
  formatDuration,
  LightconeError,
  MILLISECOND,
  parseDuration,
  processNames,
  SECOND,
  UsageError,
} from "./core/index.js";
export type { Context, Duration, EventId, Instant, Plain, ProcessId, Protocol } from "./core/index.js";
export { CausalityIndex, readTrace, writeTrace } from "./trace/index.js";
export type { Trace, TraceEvent, TraceHeader } from "./trace/index.js";
export { formatFaults, NO_FAULTS, parseFaults } from "./faults/index.js";
export type { FaultPlan } from "./faults/index.js";
export { simulate } from "./sim/index.js";
export { checkTrace } from "./checkers/index.js";
export type { Checker, Violation, Witness } from "./checkers/index.js";
export { textDiagram } from "./diagram/index.js";
export { findLab, judge, labs, replay, runSettings, simulationOf, sweep, userOf } from "./labs/index.js";
export type { Lab, Report, User } from "./labs/index.js";
export { runForReal } from "./host/index.js";
