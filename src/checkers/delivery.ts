import type { EventId, ProcessId } from "../core/index.js";
import { idOf, type TraceEvent } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { Violations } from "./violations.js";

/**
 * In `layer`, no process is handed the same message twice.
 *
 * A restart of either end begins a new count, as its numbers begin anew.
 */
export function atMostOnce(layer: string): Checker {
  const name = `at-most-once:${layer}`;
  return {
    name,
    claim: `${layer} hands no message over twice`,
    kinds: ["deliver", "restart", "receive", "timer", "command"],
    begin() {
      const violations = new Violations(name);
      let deliveries = 0;
      const streams = new Streams<Map<number, EventId>>(() => new Map());
      return {
        observe(event) {
          streams.note(event);
          if (event.kind !== "deliver" || event.layer !== layer) return;
          deliveries++;
          const handed = streams.of(event.process, event.from);
          const earlier = handed.get(event.sequence);
          if (earlier === undefined) handed.set(event.sequence, idOf(event));
          else {
            violations.add(
              `${event.process} was handed message ${event.sequence} of ${event.from} twice: at ${earlier} and at ${idOf(event)}`,
              [idOf(event), earlier],
            );
          }
        },
        finish: () => violations.found,
        occasions: () => deliveries,
      };
    },
  };
}

/** In `layer`, every process is handed the messages of each sender as 1, 2, 3, … with no gap and no repeat. */
export function fifoDelivery(layer: string): Checker {
  const name = `fifo-delivery:${layer}`;
  return {
    name,
    claim: `${layer} hands over the messages of each sender in the order sent, without gap or repeat`,
    kinds: ["deliver", "restart", "receive", "timer", "command"],
    begin() {
      const violations = new Violations(name);
      let deliveries = 0;
      const streams = new Streams<{ last: number; id: EventId | undefined }>(() => ({
        last: 0,
        id: undefined,
      }));
      return {
        observe(event) {
          streams.note(event);
          if (event.kind !== "deliver" || event.layer !== layer) return;
          deliveries++;
          const stream = streams.of(event.process, event.from);
          if (event.sequence !== stream.last + 1) {
            violations.add(
              `${event.process} was handed message ${event.sequence} of ${event.from} at ${idOf(event)}, when message ${stream.last + 1} was next`,
              stream.id === undefined ? [idOf(event)] : [idOf(event), stream.id],
            );
          }
          stream.last = event.sequence;
          stream.id = idOf(event);
        },
        finish: () => violations.found,
        occasions: () => deliveries,
      };
    },
  };
}

/**
 * State per receiver and sender, begun anew when either restarts.
 *
 * For a sender that is: at the first delivery of what its new incarnation sent. What the dead one sent may well arrive
 * and be handed over later, and still belongs to the old count.
 */
class Streams<State> {
  /** By receiver, sender and the sender's incarnation. */
  readonly #byReceiver = new Map<ProcessId, Map<ProcessId, State[]>>();
  /** Numbers of the restart events on each lane. */
  readonly #restarts = new Map<ProcessId, number[]>();
  /** The receive that each process's current step handles. */
  readonly #handled = new Map<ProcessId, { readonly from: ProcessId; readonly send: number } | undefined>();
  readonly #create: () => State;

  constructor(create: () => State) {
    this.#create = create;
  }

  of(receiver: ProcessId, sender: ProcessId): State {
    let senders = this.#byReceiver.get(receiver);
    if (senders === undefined) this.#byReceiver.set(receiver, (senders = new Map()));
    let incarnations = senders.get(sender);
    if (incarnations === undefined) senders.set(sender, (incarnations = []));
    const incarnation = this.#incarnation(receiver, sender);
    let state = incarnations[incarnation];
    if (state === undefined) incarnations[incarnation] = state = this.#create();
    return state;
  }

  note(event: TraceEvent): void {
    if (event.kind === "receive") this.#handled.set(event.process, event);
    if (event.kind === "timer" || event.kind === "command") this.#handled.set(event.process, undefined);
    if (event.kind !== "restart") return;
    this.#handled.set(event.process, undefined);
    this.#byReceiver.delete(event.process);
    const restarts = this.#restarts.get(event.process);
    if (restarts === undefined) this.#restarts.set(event.process, [event.number]);
    else restarts.push(event.number);
  }

  /** Of the sender, when it sent what the receiver's step handles; its latest in a step that handles something else. */
  #incarnation(receiver: ProcessId, sender: ProcessId): number {
    const restarts = this.#restarts.get(sender);
    if (restarts === undefined) return 0;
    const handled = this.#handled.get(receiver);
    if (handled === undefined || handled.from !== sender) return restarts.length;
    return restarts.filter((restart) => restart < handled.send).length;
  }
}
