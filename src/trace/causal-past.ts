import type { ProcessId } from "../core/index.js";

/** Happens-before, derived from program order and message edges while the trace is read. */
export interface CausalPast {
  /** How many events of `process` are in the causal past of the event just observed, itself included. */
  known(process: ProcessId): number;
}
