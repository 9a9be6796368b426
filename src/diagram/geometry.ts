import type { EventId, ProcessId } from "../core/index.js";
import { NETWORK } from "../core/index.js";
import { idOf, type Trace } from "../trace/index.js";
import { axisPositions, type Axis } from "./axis.js";
import { messagePaths } from "./messages.js";
import { PhaseTracker, phaseOfOutput, type Phase, type PhaseOf } from "./phases.js";

/** What a glyph says about its event. */
export type GlyphKind =
  | "request"
  | "message"
  | "local"
  | "defer"
  | "enter"
  | "exit"
  | "duplicate"
  | "crash"
  | "restart"
  | "violation"
  | "none";

/** What became of a message: `late` was held back by a fault, `in flight` had not arrived when the run ended. */
export type MessageState = "delivered" | "late" | "duplicate" | "lost" | "in flight";

/**
 * A trace laid out: x along an axis, y by process. Arrays are parallel to `trace.events`, so that a canvas can cull and
 * draw from them; x is in the axis's own units (microseconds, or steps from 0), never in pixels.
 */
export interface Geometry {
  readonly axis: Axis;
  readonly processes: readonly ProcessId[];
  /** By event. */
  readonly x: Float64Array;
  /** By event: place of its lane in `processes`, -1 on the network's lane. */
  readonly lane: Int32Array;
  /** By event. */
  readonly glyphs: readonly GlyphKind[];
  /** In order of their sends; an arrow for each copy that arrives. */
  readonly messages: readonly MessageSegment[];
  readonly intervals: readonly LaneInterval[];
  readonly partitions: readonly PartitionSpan[];
  /** Smallest and largest x. */
  readonly extent: readonly [number, number];
}

export interface MessageSegment {
  /** Places in `trace.events`; `receive` is absent when it never arrived, `drop` when nobody says that it was lost. */
  readonly send: number;
  readonly receive?: number;
  readonly drop?: number;
  readonly fromLane: number;
  readonly toLane: number;
  readonly x1: number;
  /** Where it arrives, or where it was last heard of. */
  readonly x2: number;
  readonly state: MessageState;
  /** Arrives left of where it was sent: clocks disagree. Only on the local axis. */
  readonly backwards: boolean;
}

/** A stretch of a lane during which the process was not simply idle. */
export interface LaneInterval {
  readonly lane: number;
  readonly phase: Exclude<Phase, "idle">;
  readonly x1: number;
  readonly x2: number;
}

/** A scheduled fault of the network, in the words of the fault plan. */
export interface PartitionSpan {
  readonly text: string;
  /** The groups of a partition, each a list of lanes; empty for other faults. */
  readonly groups: readonly (readonly number[])[];
  readonly x1: number;
  readonly x2: number;
}

export interface LayoutOptions {
  /** Default `physical`. */
  readonly axis?: Axis;
  readonly phaseOf?: PhaseOf;
  /** Drawn as violations. */
  readonly highlight?: readonly EventId[];
}

/** Lays a trace out. Linear in the number of events, apart from reading the words of faults. */
export function layout(trace: Trace, options: LayoutOptions = {}): Geometry {
  const axis = options.axis ?? "physical";
  const { processes } = trace.header;
  const lanes = new Map(processes.map((process, place) => [process, place]));
  const x = axisPositions(trace, axis);
  const lane = Int32Array.from(trace.events, (event) => lanes.get(event.process) ?? -1);
  let low = Infinity;
  let high = -Infinity;
  for (const at of x) {
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  const extent: readonly [number, number] = low <= high ? [low, high] : [0, 0];
  const laidOut: LaidOut = { trace, lanes, x, end: extent[1], options };
  return {
    axis,
    processes,
    x,
    lane,
    glyphs: glyphsOf(trace, options),
    messages: segmentsOf(laidOut),
    intervals: intervalsOf(laidOut),
    partitions: partitionsOf(laidOut),
    extent,
  };
}

interface LaidOut {
  readonly trace: Trace;
  readonly lanes: ReadonlyMap<ProcessId, number>;
  readonly x: Float64Array;
  readonly end: number;
  readonly options: LayoutOptions;
}

function glyphsOf(trace: Trace, options: LayoutOptions): GlyphKind[] {
  const highlight = new Set(options.highlight);
  const paths = messagePaths(trace);
  const phaseOf = options.phaseOf ?? phaseOfOutput;
  return trace.events.map((event, index) => {
    if (highlight.size > 0 && highlight.has(idOf(event))) return "violation";
    switch (event.kind) {
      case "command":
        return "request";
      case "receive":
        return (paths.at(index)?.receives[0] ?? index) === index ? "message" : "duplicate";
      case "send":
        return "message";
      case "explain":
        return /defer|wait|block|hold/.test(event.rule) ? "defer" : "none";
      case "output": {
        const phase = phaseOf(event.value);
        if (phase === undefined) return "local";
        return phase === "inside" ? "enter" : phase === "idle" ? "exit" : "request";
      }
      case "crash":
        return "crash";
      case "restart":
        return "restart";
      case "start":
      case "timer":
      case "deliver":
        return "local";
      default:
        return "none";
    }
  });
}

function segmentsOf({ trace, lanes, x, end }: LaidOut): MessageSegment[] {
  const segments: MessageSegment[] = [];
  for (const path of messagePaths(trace).all) {
    const fromLane = lanes.get(path.from);
    const toLane = lanes.get(path.to);
    if (fromLane === undefined || toLane === undefined) continue;
    const x1 = x[path.send] ?? 0;
    const common = { send: path.send, fromLane, toLane, x1 };
    path.receives.forEach((receive, copy) => {
      const x2 = x[receive] ?? x1;
      const state = copy > 0 ? "duplicate" : path.hold === undefined ? "delivered" : "late";
      segments.push({ ...common, receive, x2, state, backwards: x2 < x1 });
    });
    if (path.receives.length > 0) continue;
    if (path.drop === undefined) {
      segments.push({ ...common, x2: end, state: "in flight", backwards: false });
      continue;
    }
    const drop = path.drop.index;
    segments.push({ ...common, drop, x2: Math.max(x1, x[drop] ?? x1), state: "lost", backwards: false });
  }
  return segments;
}

function intervalsOf({ trace, lanes, x, end, options }: LaidOut): LaneInterval[] {
  const intervals: LaneInterval[] = [];
  const open = new Map<ProcessId, { readonly phase: Phase; readonly x1: number }>();
  const phases = new PhaseTracker(options.phaseOf);
  const close = (process: ProcessId, x2: number): void => {
    const begun = open.get(process);
    const lane = lanes.get(process);
    if (begun === undefined || lane === undefined || begun.phase === "idle") return;
    intervals.push({ lane, phase: begun.phase, x1: begun.x1, x2: Math.max(begun.x1, x2) });
  };
  trace.events.forEach((event, index) => {
    const change = phases.observe(event);
    if (change === undefined) return;
    const at = x[index] ?? 0;
    close(change.process, at);
    open.set(change.process, { phase: change.phase, x1: at });
  });
  for (const process of open.keys()) close(process, end);
  return intervals;
}

function partitionsOf({ trace, lanes, x, end }: LaidOut): PartitionSpan[] {
  const spans: PartitionSpan[] = [];
  const open = new Map<string, number>();
  const span = (text: string, x1: number, x2: number): PartitionSpan => ({
    text,
    groups: groupsIn(text, lanes),
    x1,
    x2: Math.max(x1, x2),
  });
  trace.events.forEach((event, index) => {
    if (event.kind !== "fault" || event.process !== NETWORK) return;
    const at = x[index] ?? 0;
    if (event.phase === "begin") open.set(event.fault, at);
    const begun = open.get(event.fault);
    if (event.phase === "begin" || begun === undefined) return;
    spans.push(span(event.fault, begun, at));
    open.delete(event.fault);
  });
  for (const [text, x1] of open) spans.push(span(text, x1, end));
  return spans;
}

/** `partition P1 P2 | P3 P4` as lanes. The words are the fault language's; anything else has no groups. */
function groupsIn(text: string, lanes: ReadonlyMap<ProcessId, number>): number[][] {
  if (!text.startsWith("partition ")) return [];
  return text
    .slice("partition ".length)
    .split("|")
    .map((group) => group.split(/\s+/).flatMap((name) => lanes.get(name) ?? []));
}
