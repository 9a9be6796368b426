import type { Duration, EventId, Instant, ProcessId } from "../core/index.js";
import { eventId } from "../core/index.js";

/** What every event has, whatever happened. */
export interface EventBase {
  /** Whose lane the event stands on: a participant, or `net` for what happens to the network and to processes from outside. */
  readonly process: ProcessId;

  /** Its place on that lane, counted from 1 without gaps, through crashes and restarts. */
  readonly number: number;

  /** Microseconds on the reference axis: virtual time in a simulation, the machine's monotonic clock in a real run. */
  readonly at: Instant;

  /** The process's own clock at the step, in microseconds; it may be wrong. Absent on `net`. */
  readonly local?: Instant;

  /**
   * The vector clock a real process recorded, in the header's order of processes: evidence, to be compared with the
   * one derived from the trace. Entry `i` counts events of process `i`, so a process's own entry equals `number`.
   */
  readonly vector?: readonly number[];
}

/** Inputs: each begins a step; the events up to the next input on the lane are that step's effects. */
export type InputEvent = EventBase & { readonly picks?: readonly number[] } & (
    | { readonly kind: "start"; readonly incarnation: number }
    | { readonly kind: "restart"; readonly incarnation: number; readonly saved?: unknown }
    /** Network arrival. Its send is the event `from:send`. */
    | { readonly kind: "receive"; readonly from: ProcessId; readonly send: number }
    | { readonly kind: "timer"; readonly timer: string }
    | { readonly kind: "command"; readonly command: unknown }
  );

export type EffectEvent = EventBase &
  (
    | { readonly kind: "send"; readonly to: ProcessId; readonly message: unknown }
    /** Hand-over to the layer above; `sequence` counts the messages of `from` in that layer from 1. */
    | {
        readonly kind: "deliver";
        readonly layer: string;
        readonly from: ProcessId;
        readonly sequence: number;
        readonly message: unknown;
      }
    | { readonly kind: "output"; readonly value: unknown }
    | { readonly kind: "save"; readonly saved: unknown }
    | { readonly kind: "explain"; readonly rule: string; readonly terms: Readonly<Record<string, unknown>> }
  );

/** Why a message went no further. */
export type DropReason =
  | "loss"
  | "partition"
  | "crashed"
  | "corrupt"
  | "refused"
  | "failed-send"
  | "failed-receive"
  | "disconnected";

/** What befell a message. Stands on the sender's lane when the fault acts there, on `net` when it reaches nobody. */
export type MessageFaultEvent = EventBase &
  (
    | {
        readonly kind: "drop";
        readonly from: ProcessId;
        readonly send: number;
        readonly to: ProcessId;
        readonly reason: DropReason;
      }
    /** Arrives `copies` times, at least twice. */
    | {
        readonly kind: "duplicate";
        readonly from: ProcessId;
        readonly send: number;
        readonly to: ProcessId;
        readonly copies: number;
      }
    /** Held back on purpose: by the delay fault, or by reordering so that later messages may overtake it. */
    | {
        readonly kind: "hold";
        readonly from: ProcessId;
        readonly send: number;
        readonly to: ProcessId;
        readonly by: Duration;
        readonly reason: "delay" | "reorder";
      }
  );

/** What befell a process. `crash` stands on its own lane (its last event until `restart`), the others on `net`. */
export type ProcessFaultEvent = EventBase &
  (
    | { readonly kind: "crash" }
    | { readonly kind: "pause"; readonly target: ProcessId }
    | { readonly kind: "resume"; readonly target: ProcessId }
    /** A scheduled fault begins or ends, in the words of the fault plan: `partition P1 P2 | P3 P4`. */
    | { readonly kind: "fault"; readonly fault: string; readonly phase: "begin" | "end" }
  );

export type TraceEvent = InputEvent | EffectEvent | MessageFaultEvent | ProcessFaultEvent;

export type EventKind = TraceEvent["kind"];

export function idOf(event: EventBase): EventId {
  return eventId(event.process, event.number);
}

/** Whether the event begins a step of its process. */
export function isInput(event: TraceEvent): event is InputEvent {
  switch (event.kind) {
    case "start":
    case "restart":
    case "receive":
    case "timer":
    case "command":
      return true;
    default:
      return false;
  }
}

/** The first line of a trace: a run as data. */
export interface TraceHeader {
  readonly format: "lightcone-trace";
  readonly version: typeof TRACE_VERSION;
  /** The Lightcone that wrote it. */
  readonly lightcone: string;
  readonly source: "simulation" | "processes";
  /** A lab's id, or the path of a lab file. */
  readonly lab: string;
  /** The participants, in the order every vector uses. */
  readonly processes: readonly ProcessId[];
  readonly seed: number;
  /** The lab's options, by name. */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** The fault plan, in the fault language; empty when there is none. */
  readonly faults: string;
  /** The run stops at this point of the reference axis, whatever is still going on. */
  readonly duration: Duration;
  /** Scheme of the transport of a real run. */
  readonly transport?: string;
  /** Set in a file that holds one process's events only. */
  readonly process?: ProcessId;
}

export const TRACE_VERSION = 1;

/**
 * Why a run ended. Only `quiescent` lets anyone conclude that something never happens.
 *
 * `failed`: the protocol broke down, such as by a handler that threw. `lost`: a participant of a real run was lost to
 * something outside the protocol (ended by a signal, hung, disconnected), which says nothing about the protocol.
 */
export type StopReason = "quiescent" | "time-limit" | "event-limit" | "interrupted" | "lost" | "failed";

/** The last line of a trace; without it the file is truncated. */
export interface TraceEnd {
  readonly stopped: StopReason;
  /** Says more where the reason alone does not: which process failed, and how. */
  readonly detail?: string;
}

/** A run, whole: events in an order that respects causality. */
export interface Trace {
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
  readonly end: TraceEnd;
}
