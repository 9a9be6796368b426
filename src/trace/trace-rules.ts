import type { ProcessId } from "../core/index.js";
import { NETWORK } from "../core/index.js";
import type { MessageFaultEvent, TraceEvent, TraceHeader } from "./event.js";
import { idOf } from "./event.js";
import { GrowingInts } from "./growing-ints.js";
import { describe } from "./trace-error.js";

/**
 * What events must be to each other, checked as they come: numbers without gaps, messages that name an earlier send,
 * steps that begin with an input, silence between crash and restart. Reader and mergers hold every event to it.
 *
 * In the file of one process (`header.process`) every event stands on that lane, and sends of other processes are
 * not there to be looked at.
 */
export class TraceRules {
  readonly #lanes = new Map<ProcessId, Lane>();
  readonly #only: ProcessId | undefined;

  constructor(header: Pick<TraceHeader, "processes" | "process">) {
    this.#only = header.process;
    for (const process of [...header.processes, NETWORK])
      this.#lanes.set(process, new Lane(this.#lanes.size));
  }

  /** Says what the event contradicts as "expected …, found …", or takes it in and gives `undefined`. */
  problem(event: TraceEvent): string | undefined {
    const lane = this.#lanes.get(event.process);
    if (lane === undefined) return this.#noProcess("process", event.process);
    if (this.#only !== undefined && event.process !== this.#only) {
      return `expected an event of ${this.#only}, whose file this is, found ${describe(idOf(event))}`;
    }
    if (event.number !== lane.count + 1) {
      return `expected event ${event.process}:${lane.count + 1}, found ${describe(idOf(event))}`;
    }
    const problem =
      event.process === NETWORK ? this.#networkProblem(event) : this.#processProblem(event, lane);
    if (problem !== undefined) return problem;
    lane.take(event, event.kind === "send" ? this.#lanes.get(event.to) : undefined);
    return undefined;
  }

  #networkProblem(event: TraceEvent): string | undefined {
    if (event.local !== undefined || event.vector !== undefined) {
      return `expected no "local" and no "vector" on ${NETWORK}, which has no clock`;
    }
    switch (event.kind) {
      case "drop":
      case "duplicate":
      case "hold":
        return this.#faultProblem(event);
      case "pause":
      case "resume":
        return this.#isProcess(event.target) ? undefined : this.#noProcess("target", event.target);
      case "fault":
        return undefined;
      default:
        return `expected a ${event.kind} on a process's lane, found it on ${NETWORK}`;
    }
  }

  #processProblem(event: TraceEvent, lane: Lane): string | undefined {
    if (lane.crashed !== (event.kind === "restart")) {
      return lane.crashed
        ? `expected a restart after the crash ${event.process}:${lane.count}, found a ${event.kind}`
        : `expected a restart to follow a crash, found none on ${event.process} just before`;
    }
    switch (event.kind) {
      case "start":
        return event.incarnation === 0 && !lane.stepped
          ? undefined
          : `expected a start to be the first input of its process with incarnation 0, found ${idOf(event)} with incarnation ${event.incarnation}`;
      case "restart":
        return event.incarnation > lane.incarnation
          ? undefined
          : `expected an incarnation above ${lane.incarnation}, found ${event.incarnation}`;
      case "receive":
        return this.#sendProblem(event.from, event.send, event.process);
      case "timer":
      case "command":
      case "crash":
        return undefined;
      case "send":
        return (
          this.#effectProblem(event, lane) ??
          (this.#isProcess(event.to) ? undefined : this.#noProcess("to", event.to))
        );
      case "deliver":
        return (
          this.#effectProblem(event, lane) ??
          (this.#isProcess(event.from) ? undefined : this.#noProcess("from", event.from))
        );
      case "output":
      case "save":
      case "explain":
        return this.#effectProblem(event, lane);
      case "drop":
      case "duplicate":
      case "hold":
        return event.from === event.process
          ? this.#faultProblem(event)
          : `expected a ${event.kind} on the lane of its sender or on ${NETWORK}, found a message of ${describe(event.from)} on ${event.process}`;
      case "pause":
      case "resume":
      case "fault":
        return `expected a ${event.kind} on ${NETWORK}, found it on ${event.process}`;
    }
  }

  #effectProblem(event: TraceEvent, lane: Lane): string | undefined {
    return lane.stepped
      ? undefined
      : `expected an input of ${event.process} before its first effect, found a ${event.kind}`;
  }

  #faultProblem(event: MessageFaultEvent): string | undefined {
    return this.#isProcess(event.to)
      ? this.#sendProblem(event.from, event.send, event.to)
      : this.#noProcess("to", event.to);
  }

  #sendProblem(from: ProcessId, send: number, to: ProcessId): string | undefined {
    const sender = this.#lanes.get(from);
    if (sender === undefined || from === NETWORK) return this.#noProcess("from", from);
    if (this.#only !== undefined && this.#only !== from) return undefined;
    const receiver = this.#lanes.get(to);
    if (receiver !== undefined && sender.sentTo(send) === receiver.index) return undefined;
    const found = send > sender.count ? "an event that is not before it" : "one that is not";
    return `expected ${from}:${send} to be an earlier send to ${describe(to)}, found ${found}`;
  }

  #isProcess(name: ProcessId): boolean {
    return name !== NETWORK && this.#lanes.has(name);
  }

  #noProcess(key: string, found: string): string {
    const names = [...this.#lanes.keys()].filter((name) => name !== NETWORK || key === "process");
    const shown = names.length > 8 ? `${names.slice(0, 8).join(", ")}, …` : names.join(", ");
    return `expected "${key}" to be one of ${shown}; found ${describe(found)}`;
  }
}

/** What one lane has had so far. */
class Lane {
  readonly index: number;
  count = 0;
  incarnation = 0;
  crashed = false;
  /** Whether it had an input; after a crash nothing but one can follow. */
  stepped = false;
  /** By number - 1: lane of the receiver + 1 for a send, 0 for anything else. */
  readonly #receivers = new GrowingInts();

  constructor(index: number) {
    this.index = index;
  }

  take(event: TraceEvent, receiver: Lane | undefined): void {
    this.count++;
    this.#receivers.push(receiver === undefined ? 0 : receiver.index + 1);
    switch (event.kind) {
      case "restart":
        this.incarnation = event.incarnation;
        this.crashed = false;
        this.stepped = true;
        break;
      case "start":
      case "receive":
      case "timer":
      case "command":
        this.stepped = true;
        break;
      case "crash":
        this.crashed = true;
        break;
      default:
    }
  }

  /** Index of the lane that the send with this number went to; -1 when it is no send, or not there yet. */
  sentTo(number: number): number {
    return this.#receivers.at(number - 1) - 1;
  }
}
