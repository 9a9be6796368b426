import type { ProcessId } from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";
import { isRecord } from "./describe.js";

/** What a process is doing, as far as its lane shows it. */
export type Phase = "idle" | "waiting" | "inside" | "paused" | "crashed";

/** The phase that an output begins, or `undefined` when it begins none. */
export type PhaseOf = (output: unknown) => "idle" | "waiting" | "inside" | undefined;

/** Outputs of the kinds `requested`, `entered` and `exited` begin waiting, being inside, and being idle. */
export function phaseOfOutput(output: unknown): "idle" | "waiting" | "inside" | undefined {
  switch (isRecord(output) ? output["kind"] : output) {
    case "requested":
      return "waiting";
    case "entered":
      return "inside";
    case "exited":
      return "idle";
    default:
      return undefined;
  }
}

/** A lane that looks different from this event on. */
export interface PhaseChange {
  readonly process: ProcessId;
  readonly phase: Phase;
}

/** Follows every process through its phases, one event at a time. */
export class PhaseTracker {
  readonly #phaseOf: PhaseOf;
  /** What the process does when it is neither paused nor crashed. */
  readonly #doing = new Map<ProcessId, "idle" | "waiting" | "inside">();
  readonly #paused = new Set<ProcessId>();
  readonly #crashed = new Set<ProcessId>();

  constructor(phaseOf: PhaseOf = phaseOfOutput) {
    this.#phaseOf = phaseOf;
  }

  /** The change that `event` makes, if it makes one. */
  observe(event: TraceEvent): PhaseChange | undefined {
    const process = event.kind === "pause" || event.kind === "resume" ? event.target : event.process;
    const before = this.phase(process);
    switch (event.kind) {
      case "output": {
        const phase = this.#phaseOf(event.value);
        if (phase === undefined) return undefined;
        this.#doing.set(process, phase);
        break;
      }
      case "crash":
        this.#crashed.add(process);
        this.#doing.set(process, "idle");
        break;
      case "restart":
        this.#crashed.delete(process);
        break;
      case "pause":
        this.#paused.add(process);
        break;
      case "resume":
        this.#paused.delete(process);
        break;
      default:
        return undefined;
    }
    const phase = this.phase(process);
    return phase === before ? undefined : { process, phase };
  }

  phase(process: ProcessId): Phase {
    if (this.#crashed.has(process)) return "crashed";
    if (this.#paused.has(process)) return "paused";
    return this.#doing.get(process) ?? "idle";
  }
}
