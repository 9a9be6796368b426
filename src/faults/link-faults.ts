import type { ProcessId } from "../core/index.js";
import type { DelayFault, FaultPlan, LinkFault } from "./plan.js";

/** What a plan says about one direction of one link, nothing left open. */
export interface LinkFaults {
  readonly loss: number;
  readonly corrupt: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly delay: DelayFault;
}

/** Merges the entries that concern the link, field by field, later ones over earlier ones. */
export function linkFaultsOf(plan: FaultPlan, from: ProcessId, to: ProcessId): LinkFaults {
  let merged: LinkFault = {};
  for (const fault of plan.links) {
    const concerned = (fault.from ?? from) === from && (fault.to ?? to) === to;
    if (concerned) merged = { ...merged, ...fault };
  }
  const { loss = 0, corrupt = 0, duplicate = 0, reorder = 0, delay = { min: 0, max: 0 } } = merged;
  return { loss, corrupt, duplicate, reorder, delay };
}
