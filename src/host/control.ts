import * as v from "valibot";
import type { ProcessId } from "../core/index.js";
import type { CloseReason, Connection } from "../transports/index.js";
import { HostError } from "./errors.js";

/**
 * What a supervisor and a participant say to each other: one JSON object per frame on the run's own socket.
 *
 * Events do not travel here. A participant writes them to its file in the run's folder before anything else of the
 * step takes effect, and the supervisor reads that file, whether the participant still lives or not: one way for
 * both cases, and a slow supervisor slows nobody down. `recorded` tells it that there is something to read at once.
 */
/** Connecting to the control socket may take that long: many processes start at once, on few cores. Milliseconds. */
export const CONTROL_MS_MAX = 15_000;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const text = v.pipe(v.string(), v.maxLength(10_000));
const address = v.pipe(v.string(), v.maxLength(1_000));

const LinkCounts = v.object({
  peer: name,
  /** Which connection the counts are of; both ends know it by the same name. */
  connection: text,
  sent: count,
  received: count,
});

const Status = v.object({
  /** Live timers of the protocol. */
  timers: count,
  /** Messages held back by a fault, or queued until a link is up. */
  held: count,
  /** Commands carried out so far, in this incarnation. */
  commands: count,
  /** Number of the last event, and how long the file is with it. */
  number: count,
  bytes: count,
  links: v.array(LinkCounts),
});

const FromParticipant = v.variant("kind", [
  v.object({ kind: v.literal("hello"), process: name, pid: count, token: text }),
  v.object({ kind: v.literal("listening"), address }),
  /** A link to every peer it was told to reach is up. */
  v.object({ kind: v.literal("connected") }),
  v.object({ kind: v.literal("recorded"), bytes: count }),
  v.object({ kind: v.literal("status"), poll: count, status: Status }),
  /**
   * The answer to `peer-down`: of its messages to that peer, those up to `number` have left, except `waiting`; what
   * the peer did not receive of them is lost.
   */
  v.object({ kind: v.literal("peer-lost"), process: name, number: count, waiting: v.array(count) }),
  /** A message reached it and was lost there on purpose. */
  v.object({ kind: v.literal("not-received"), from: name, send: count }),
  /** What it saved was not kept: the disk is full, say. */
  v.object({ kind: v.literal("not-saved"), reason: text }),
  /** A peer or a connection did what it may not; the participant goes on. */
  v.object({ kind: v.literal("trouble"), message: text }),
  /** It cannot go on, because its protocol failed or its events cannot be written; its process ends next. */
  v.object({
    kind: v.literal("failed"),
    cause: v.picklist(["protocol", "not-written"]),
    message: text,
  }),
]);

const Peer = v.object({ process: name, incarnation: count, address });

const Configuration = v.object({
  /** A lab's id or the path of a lab file. */
  lab: text,
  processes: v.array(name),
  options: v.record(v.string(), v.union([v.number(), v.string(), v.boolean()])),
  seed: count,
  /** In the fault language. */
  faults: v.string(),
  transport: text,
  /** Where to listen for peers. */
  listen: address,
  incarnation: count,
  /** Number of the next event on its lane, counted from 1. */
  firstNumber: count,
  /** What its lane knew at its last event; absent at the first start. */
  vector: v.optional(v.array(count)),
  saved: v.optional(v.unknown()),
  traceFile: address,
  savedFile: address,
  /** Peers prove with it that they belong to this run. */
  meshToken: text,
});

const FromSupervisor = v.variant("kind", [
  v.object({ kind: v.literal("configure"), configuration: Configuration }),
  /** Where its peers are; it reports `connected` once a link to each is up. */
  v.object({ kind: v.literal("peers"), peers: v.array(Peer) }),
  v.object({
    /** The start step, or the restart step. */
    kind: v.literal("go"),
    /** Reading of the machine's monotonic clock at the run's zero, in microseconds. */
    epoch: v.number(),
  }),
  v.object({ kind: v.literal("command"), command: v.unknown() }),
  v.object({ kind: v.literal("poll"), poll: count }),
  v.object({ kind: v.literal("peer-down"), process: name }),
  v.object({ kind: v.literal("stop") }),
]);

export type FromParticipant = v.InferOutput<typeof FromParticipant>;
export type FromSupervisor = v.InferOutput<typeof FromSupervisor>;
export type Configuration = v.InferOutput<typeof Configuration>;
export type Status = v.InferOutput<typeof Status>;

/** Where a participant can be reached by its peers. */
export interface PeerAddress {
  readonly process: ProcessId;
  readonly incarnation: number;
  readonly address: string;
}

/** One end of a control connection: sends `Sent`, receives `Received`. */
export class ControlChannel<Sent, Received> {
  readonly #connection: Connection;

  private constructor(
    connection: Connection,
    schema: v.GenericSchema<unknown, Received>,
    onMessage: (message: Received, channel: ControlChannel<Sent, Received>) => void,
  ) {
    this.#connection = connection;
    connection.receive((bytes, start, end) => {
      const parsed = parse(schema, bytes.subarray(start, end));
      if (parsed instanceof HostError) connection.abort(parsed.message);
      else onMessage(parsed, this);
    });
  }

  static ofSupervisor(
    connection: Connection,
    onMessage: (message: FromParticipant, channel: ControlChannel<FromSupervisor, FromParticipant>) => void,
  ): ControlChannel<FromSupervisor, FromParticipant> {
    return new ControlChannel(connection, FromParticipant, onMessage);
  }

  static ofParticipant(
    connection: Connection,
    onMessage: (message: FromSupervisor, channel: ControlChannel<FromParticipant, FromSupervisor>) => void,
  ): ControlChannel<FromParticipant, FromSupervisor> {
    return new ControlChannel(connection, FromSupervisor, onMessage);
  }

  get closed(): Promise<CloseReason> {
    return this.#connection.closed;
  }

  /** Bytes that the other end has not taken yet. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  send(message: Sent): void {
    this.#connection.send(Buffer.from(JSON.stringify(message), "utf8"));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  abort(reason: string): void {
    this.#connection.abort(reason);
  }
}

function parse<T>(schema: v.GenericSchema<unknown, T>, frame: Uint8Array): T | HostError {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString("utf8"));
  } catch (cause) {
    return new HostError("control-invalid", "a control frame is not JSON", {}, { cause });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  return new HostError("control-invalid", `a control frame is not a known message: ${issue.message}`);
}
