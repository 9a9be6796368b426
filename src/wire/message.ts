import { invariant, PROCESSES_MAX } from "../core/index.js";
import type { ByteWriter } from "./byte-writer.js";
import { FrameError } from "./errors.js";

// What a process host puts into a frame:
//
//   kind:u8  flags:u8  number:varint  clock  payload
//   clock    full:    count:varint, then a value:varint for each process of the run
//            changed: count:varint, then index:varint value:varint, indices rising
//
// flags: 0 no clock, 1 full, 2 changed entries; the other bits are reserved and 0.

/** What a frame is about. `hello` and `welcome` introduce two hosts; the others need that to have happened. */
export const MESSAGE_KINDS = ["hello", "welcome", "message", "heartbeat"] as const;

export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** How the sender's vector clock travels. `changed`: only the entries that moved since the last frame on this link. */
export type ClockForm = "none" | "full" | "changed";

const CLOCK_FORMS: readonly ClockForm[] = ["none", "full", "changed"];

const KIND_BYTES: Readonly<Record<MessageKind, number>> = { hello: 0, welcome: 1, message: 2, heartbeat: 3 };
const CLOCK_FORM_BYTES: Readonly<Record<ClockForm, number>> = { none: 0, full: 1, changed: 2 };

/**
 * The header of one frame. One record serves all frames of a link: it is written into, and only its clock made anew.
 */
export interface MessageHeader {
  kind: MessageKind;
  /** Number of the send event at its process, 1 to 2^53 - 1; 0 in frames that are not a protocol's message. */
  number: number;
  clockForm: ClockForm;
  /** Full: the value of each process. Changed: index, value, index, value …, indices rising. None: ignored. */
  clock: readonly number[];
}

/** A header as read, and where the payload lies in the bytes it was read from. */
export interface DecodedMessage extends MessageHeader {
  payloadStart: number;
  payloadEnd: number;
}

export function messageHeader(): DecodedMessage {
  return {
    kind: "message",
    number: 0,
    clockForm: "none",
    clock: [],
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/** Appends a header to `writer`; the payload is written after it. */
export function encodeMessage(writer: ByteWriter, header: MessageHeader): void {
  writer.byte(KIND_BYTES[header.kind]);
  writer.byte(CLOCK_FORM_BYTES[header.clockForm]);
  writer.varint(header.number);
  if (header.clockForm === "none") return;
  const { clock } = header;
  const count = header.clockForm === "changed" ? clock.length / 2 : clock.length;
  // The message is only built when it is needed: this runs for every frame.
  if (count > PROCESSES_MAX) invariant(false, `a clock of ${count} entries`);
  writer.varint(count);
  for (let i = 0; i < clock.length; i++) writer.varint(clock[i] ?? 0);
}

/**
 * Reads the header of the frame `bytes` from `start` to `end` into `into`.
 * Throws `FrameError("protocol-error")` for anything that {@link encodeMessage} cannot have written.
 */
export function decodeMessage(into: DecodedMessage, bytes: Uint8Array, start: number, end: number): void {
  if (end - start < 3) throw truncated();
  const kind = MESSAGE_KINDS[bytes[start] as number];
  const clockForm = CLOCK_FORMS[bytes[start + 1] as number];
  if (kind === undefined) throw new FrameError("protocol-error", `a frame of unknown kind ${bytes[start]}`);
  if (clockForm === undefined) {
    throw new FrameError(
      "protocol-error",
      `reserved flags 0x${bytes[start + 1]?.toString(16)} of a frame are set`,
    );
  }
  into.kind = kind;
  into.clockForm = clockForm;
  cursor = start + 2;
  into.number = varint(bytes, end);
  into.clock = clockForm === "none" ? NO_CLOCK : readClock(clockForm === "changed", bytes, end);
  into.payloadStart = cursor;
  into.payloadEnd = end;
}

const NO_CLOCK: readonly number[] = [];

function readClock(changed: boolean, bytes: Uint8Array, end: number): number[] {
  const count = varint(bytes, end);
  if (count > PROCESSES_MAX || count > end - cursor) {
    throw new FrameError("protocol-error", `a clock of ${count} entries does not fit its frame`, { count });
  }
  const clock = new Array<number>(changed ? 2 * count : count);
  let previous = -1;
  for (let i = 0; i < clock.length; i++) {
    if (changed) {
      const index = varint(bytes, end);
      if (index <= previous || index >= PROCESSES_MAX) {
        throw new FrameError("protocol-error", `clock entry ${index} after ${previous}: indices must rise`);
      }
      clock[i++] = previous = index;
    }
    clock[i] = varint(bytes, end);
  }
  return clock;
}

// Where the varint being read begins; a variable of the module rather than a pair to allocate for each number.
let cursor = 0;

function varint(bytes: Uint8Array, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    if (cursor >= end) throw truncated();
    const byte = bytes[cursor++] as number;
    value += (byte & 0x7f) * scale;
    if (byte <= 0x7f) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 128;
  }
  throw new FrameError("protocol-error", "a number beyond 2^53 - 1");
}

function truncated(): FrameError {
  return new FrameError("protocol-error", "a frame ends inside its header");
}
