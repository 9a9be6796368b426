import { ClockCourse } from "../clocks/index.js";
import type { Duration, ProcessId } from "../core/index.js";
import { TraceBuilder } from "../diagram/trace-builder.test-helper.js";
import type { TraceHeader } from "../trace/index.js";
import type { ClockOutputRead } from "./clock-output.js";

/** Writes runs of corrected clocks by hand; the host's clocks of P1, P2 and P3 are right. */
export class ClockRun extends TraceBuilder {
  constructor(header: Partial<TraceHeader> = {}) {
    super(["P1", "P2", "P3"], header);
  }

  /** The process says that from `ms` on its clock is `ahead` of the reference, and is slewed by `left`. */
  clock(
    process: ProcessId,
    ms: number,
    ahead: Duration,
    told: Partial<Pick<ClockOutputRead, "cause" | "round" | "delta">> & { readonly left?: Duration } = {},
  ): this {
    const { left = 0, ...rest } = told;
    const now = ms * 1000;
    const stood = { ...ClockCourse.PERFECT, since: now, reading: now + ahead };
    const course = left === 0 ? stood : ClockCourse.slew(stood, left, 100_000, now);
    const reading = now + ahead;
    const value = { kind: "clock", cause: "slew", round: [1, 1], delta: left, reading, course, ...rest };
    return this.at(ms).output(process, value);
  }

  starts(ahead: readonly Duration[] = [0, 0, 0]): this {
    for (const [i, process] of (["P1", "P2", "P3"] as const).entries()) {
      this.event(process, { kind: "start", incarnation: 0 });
      this.clock(process, 0, ahead[i] ?? 0, { cause: "start", round: [0, 0] });
    }
    return this;
  }

  /** P1, as master, says what it measured; the average is the mean of those that it averaged. */
  round(ms: number, round: number, offsets: Readonly<Record<ProcessId, Duration>>, told: object = {}): this {
    const clocks = Object.entries(offsets).map(([process, offset]) => ({
      process,
      offset,
      error: process === "P1" ? 0 : 100,
    }));
    const averaged = clocks.map(({ process }) => process);
    const average = Math.round(clocks.reduce((sum, { offset }) => sum + offset, 0) / clocks.length);
    const found = { clocks, averaged, average, gamma: 1_000, took: 1_000 };
    return this.at(ms).output("P1", { kind: "round", round: [1, round], ...found, ...told });
  }

  /** Something that happens to the process, `local` off the reference; nothing is said of its clock. */
  seen(process: ProcessId, ms: number, local = 0): this {
    this.at(ms).event(process, { kind: "timer", timer: "t" }, local);
    this.event(process, { kind: "restart", incarnation: 0 }, local);
    return this;
  }
}
