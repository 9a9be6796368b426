import type { ProcessId } from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";

/** What a mutual exclusion protocol told its user, as a trace carries it. */
export interface MutexOutputRead {
  readonly kind: "requested" | "entered" | "exited";
  readonly stamp: readonly [timestamp: number, process: ProcessId];
  /** The fencing token of an entry, if it says one. */
  readonly fence?: number;
}

/** Reads a mutual exclusion output, or gives `undefined`: traces hold whatever their writer put in. */
export function mutexOutput(event: TraceEvent): MutexOutputRead | undefined {
  if (event.kind !== "output") return undefined;
  const value = event.value;
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  const { kind } = value;
  if (kind !== "requested" && kind !== "entered" && kind !== "exited") return undefined;
  const stamp: unknown = "stamp" in value ? value.stamp : undefined;
  if (!Array.isArray(stamp)) return undefined;
  const [timestamp, process]: readonly unknown[] = stamp;
  if (typeof timestamp !== "number" || typeof process !== "string") return undefined;
  const fence: unknown = "fence" in value ? value.fence : undefined;
  return { kind, stamp: [timestamp, process], ...(typeof fence === "number" && { fence }) };
}
