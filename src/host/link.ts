import { ClockDecompressor } from "../clocks/index.js";
import type { ProcessId } from "../core/index.js";
import type { Connection, TransportPromises } from "../transports/index.js";
import { HeldMessages, type HeldMessage } from "./held-messages.js";
import type { RunClock } from "./run-clock.js";

/** What a connection's transport promises of what it carries. */
export type Delivery = Pick<TransportPromises, "ordered" | "reliable">;

/** One process's view of its link to another (or to itself): a connection while there is one, and what waits. */
export class Link {
  readonly peer: ProcessId;
  /** Place of the peer in the run's order of processes. */
  readonly index: number;
  readonly held: HeldMessages;
  /** Messages that wait for a connection, in order. */
  readonly queue: HeldMessage[] = [];
  readonly decompressor: ClockDecompressor;
  connection: Connection | undefined;
  /** The present connection keeps the order and loses nothing: clocks may travel as differences. */
  inSequence = true;
  /** What both ends call the connection. */
  name = "";
  /** The peer has crashed and has not come back. */
  down = false;
  /** Protocol messages through the present connection. */
  sent = 0;
  received = 0;
  /** The send event that the last stamp in sequence came from; 0 on a new connection. */
  lastInSequence = 0;

  constructor(
    peer: ProcessId,
    index: number,
    processes: number,
    clock: RunClock,
    leave: (held: HeldMessage) => void,
  ) {
    this.peer = peer;
    this.index = index;
    this.decompressor = new ClockDecompressor(processes, index);
    this.held = new HeldMessages(clock, leave);
  }

  attach(connection: Connection, name: string, { ordered, reliable }: Delivery): void {
    this.connection = connection;
    this.inSequence = ordered && reliable;
    this.name = name;
    this.down = false;
    this.sent = 0;
    this.received = 0;
    this.lastInSequence = 0;
    this.decompressor.reset();
  }
}
