import type { ClockCourse } from "../clocks/index.js";
import type { Duration, Instant, ProcessId } from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";

/** What a protocol told of its corrected clock, as a trace carries it. */
export interface ClockOutputRead {
  readonly kind: "clock";
  readonly cause: "start" | "slew" | "step" | "arrived" | "held";
  readonly round: RoundRead;
  readonly delta: Duration;
  readonly reading: Instant;
  /** On the axis of the event's `local`. */
  readonly course: ClockCourse.ClockCourse;
}

/** What a master told of a round. */
export interface RoundOutputRead {
  readonly kind: "round";
  readonly round: RoundRead;
  readonly clocks: readonly {
    readonly process: ProcessId;
    readonly offset: Duration;
    readonly error: Duration;
  }[];
  readonly averaged: readonly ProcessId[];
  readonly average: Duration;
  readonly gamma: Duration;
  readonly took: Duration;
}

export type RoundRead = readonly [epoch: number, round: number];

/** Reads an output of a clock, or gives `undefined`: traces hold whatever their writer put in. */
export function clockOutput(event: TraceEvent): ClockOutputRead | undefined {
  const value = outputOf(event, "clock");
  if (value === undefined) return undefined;
  const { cause, delta, reading } = value;
  const round = roundIn(value["round"]);
  const course = courseIn(value["course"]);
  if (!isCause(cause) || round === undefined || course === undefined) return undefined;
  if (!isWhole(delta) || !isWhole(reading)) return undefined;
  return { kind: "clock", cause, round, delta, reading, course };
}

/** Reads a master's output about a round, or gives `undefined`. */
export function roundOutput(event: TraceEvent): RoundOutputRead | undefined {
  const value = outputOf(event, "round");
  if (value === undefined) return undefined;
  const { average, gamma, took } = value;
  const round = roundIn(value["round"]);
  const given: unknown = value["clocks"];
  const names: unknown = value["averaged"];
  if (round === undefined || !Array.isArray(given) || !Array.isArray(names)) return undefined;
  if (!isWhole(average) || !isWhole(gamma) || !isWhole(took)) return undefined;
  const clocks = given.flatMap((clock: unknown) => measuredIn(clock) ?? []);
  const averaged = names.filter((name: unknown) => typeof name === "string");
  if (clocks.length !== given.length || averaged.length !== names.length) return undefined;
  return { kind: "round", round, clocks, averaged, average, gamma, took };
}

/** The epoch of which a process said that it is master. */
export function masterOutput(event: TraceEvent): number | undefined {
  const epoch = outputOf(event, "master")?.["epoch"];
  return isWhole(epoch) ? epoch : undefined;
}

function outputOf(event: TraceEvent, kind: string): Readonly<Record<string, unknown>> | undefined {
  if (event.kind !== "output" || !isRecord(event.value)) return undefined;
  return event.value["kind"] === kind ? event.value : undefined;
}

function measuredIn(value: unknown): RoundOutputRead["clocks"][number] | undefined {
  if (!isRecord(value)) return undefined;
  const { process, offset, error } = value;
  return typeof process === "string" && isWhole(offset) && isWhole(error)
    ? { process, offset, error }
    : undefined;
}

function courseIn(value: unknown): ClockCourse.ClockCourse | undefined {
  if (!isRecord(value)) return undefined;
  const { since, reading, millionths, driftPpm, slew } = value;
  if (!isWhole(since) || !isWhole(reading) || !isWhole(millionths) || !isWhole(driftPpm)) return undefined;
  if (slew === null) return { since, reading, millionths, driftPpm, slew };
  if (!isRecord(slew)) return undefined;
  const { since: from, size, ppm } = slew;
  if (!isWhole(from) || !isWhole(size) || !isWhole(ppm) || from > since) return undefined;
  return { since, reading, millionths, driftPpm, slew: { since: from, size, ppm } };
}

function roundIn(value: unknown): RoundRead | undefined {
  if (!Array.isArray(value)) return undefined;
  const [epoch, round]: readonly unknown[] = value;
  return isWhole(epoch) && isWhole(round) ? [epoch, round] : undefined;
}

function isCause(value: unknown): value is ClockOutputRead["cause"] {
  return value === "start" || value === "slew" || value === "step" || value === "arrived" || value === "held";
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
