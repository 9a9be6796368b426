import type { ProcessId } from "../core/index.js";
import { TraceBuilder } from "../diagram/trace-builder.test-helper.js";
import type { Trace, TraceHeader } from "../trace/index.js";
import { checkTrace } from "./check-trace.js";
import type { Checker, Violation, Witness } from "./checker.js";

/** Writes runs of a mutual exclusion protocol by hand; P1, P2 and P3 have started. */
export class MutexRun extends TraceBuilder {
  constructor(header: Partial<TraceHeader> = {}) {
    super(["P1", "P2", "P3"], header);
    for (const process of ["P1", "P2", "P3"]) this.event(process, { kind: "start", incarnation: 0 });
  }

  tells(process: ProcessId, kind: "requested" | "entered" | "exited", timestamp: number): this {
    return this.output(process, { kind, stamp: [timestamp, process] });
  }

  /** A message that arrives at once: what `from` has done, `to` knows from here on. */
  message(from: ProcessId, to: ProcessId): this {
    return this.receive(this.send(from, to, "reply"));
  }

  crash(process: ProcessId): this {
    this.event(process, { kind: "crash" });
    return this;
  }

  restart(process: ProcessId, incarnation = 1): this {
    this.event(process, { kind: "restart", incarnation });
    return this;
  }
}

/** Writes runs of a layer that hands messages over. */
export class DeliveryRun extends MutexRun {
  readonly #layer: string;

  constructor(layer: string, header: Partial<TraceHeader> = {}) {
    super(header);
    this.#layer = layer;
  }

  /** `to` is handed message `sequence` of `from`. */
  hands(to: ProcessId, from: ProcessId, sequence: number, layer = this.#layer): this {
    this.event(to, { kind: "deliver", layer, from, sequence, message: `${from}#${sequence}` });
    return this;
  }
}

export function violationsOf(checker: Checker, trace: Trace): readonly Violation[] {
  return checkTrace(trace, [checker], []).violations;
}

/** The violations as `message [evidence]`, for snapshots. */
export function toldOf(checker: Checker, trace: Trace): string[] {
  return violationsOf(checker, trace).map((violation) => {
    if (violation.checker !== checker.name) throw new Error(`${violation.checker} is not ${checker.name}`);
    return `${violation.message} [${violation.evidence.join(" ")}]`;
  });
}

export function witnessOf(witness: Witness, trace: Trace): string | undefined {
  return checkTrace(trace, [], [witness]).witnesses[0]?.shownBy;
}
