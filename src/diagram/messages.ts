import type { Duration, ProcessId } from "../core/index.js";
import type { DropReason, Trace } from "../trace/index.js";

/** One send and what became of it. Numbers are places in `trace.events`. */
export interface MessagePath {
  readonly send: number;
  readonly from: ProcessId;
  readonly to: ProcessId;
  readonly message: unknown;
  /** In order of arrival; more than one when it was duplicated. */
  readonly receives: number[];
  drop: { readonly index: number; readonly reason: DropReason } | undefined;
  duplicate: number | undefined;
  hold: { readonly index: number; readonly by: Duration; readonly reason: "delay" | "reorder" } | undefined;
}

export interface MessagePaths {
  /** In order of their sends. */
  readonly all: readonly MessagePath[];
  /** The message that the event at a place in `trace.events` sends, receives, drops, duplicates or holds back. */
  at(index: number): MessagePath | undefined;
}

/**
 * Joins every send with its receptions and with what faults did to it. One pass over sends, one over the rest, so a
 * trace whose order is not causal still gets its arrows. A receive without its send (part of a trace) has no path.
 */
export function messagePaths(trace: Trace): MessagePaths {
  const all: MessagePath[] = [];
  const bySend = new Map<ProcessId, Map<number, number>>();
  const pathOf = new Int32Array(trace.events.length).fill(-1);
  trace.events.forEach((event, index) => {
    if (event.kind !== "send") return;
    let numbers = bySend.get(event.process);
    if (numbers === undefined) bySend.set(event.process, (numbers = new Map<number, number>()));
    numbers.set(event.number, all.length);
    pathOf[index] = all.length;
    all.push({
      send: index,
      from: event.process,
      to: event.to,
      message: event.message,
      receives: [],
      drop: undefined,
      duplicate: undefined,
      hold: undefined,
    });
  });
  trace.events.forEach((event, index) => {
    if (
      event.kind !== "receive" &&
      event.kind !== "drop" &&
      event.kind !== "duplicate" &&
      event.kind !== "hold"
    )
      return;
    const place = bySend.get(event.from)?.get(event.send);
    const path = place === undefined ? undefined : all[place];
    if (place === undefined || path === undefined) return;
    pathOf[index] = place;
    if (event.kind === "receive") path.receives.push(index);
    else if (event.kind === "drop") path.drop ??= { index, reason: event.reason };
    else if (event.kind === "duplicate") path.duplicate ??= index;
    else path.hold ??= { index, by: event.by, reason: event.reason };
  });
  return {
    all,
    at(index) {
      const place = pathOf[index];
      return place === undefined || place < 0 ? undefined : all[place];
    },
  };
}

/** Why a message went no further, to be read after its name; `to` may also be `they`. */
export function dropReasonText(reason: DropReason, from: string, to: string): string {
  switch (reason) {
    case "loss":
      return "lost on the way";
    case "partition":
      return "lost: the network is split";
    case "crashed":
      return `lost: ${to} ${to === "they" ? "are" : "is"} down`;
    case "corrupt":
      return "damaged on the way, so thrown away";
    case "refused":
      return `lost: ${to} ${to === "they" ? "refuse" : "refuses"} connections`;
    case "failed-send":
      return `lost: ${from} cannot send`;
    case "failed-receive":
      return `lost: ${to} cannot receive`;
    case "disconnected":
      return "lost: the connection broke";
  }
}
