import type { Plain } from "../core/index.js";
import type { ChatEntry, ToHall, ToMember } from "../protocols/index.js";
import { nodeText, type Connection } from "../transports/index.js";
import { ByteWriter, createPlainCodec, DecodeError, FrameError } from "../wire/index.js";

// A chat's frames are plain data, but for the messages of a room, which come from the file as they lie there:
//
//   0x01  index of the first:varint  then for each:  bytes:varint  [author, seq, name, text, at]
//
// 0x01 begins no other frame: plain data with fields begins with 0x80 or above.

/** Begins a frame with messages of a room. */
const ENTRIES = 0x01;

const codec = createPlainCodec(nodeText);
const writer = new ByteWriter();
const scratch = new ByteWriter();

/** `false`: the connection has more to write than it should; see `Connection.send`. */
export function sendChatFrame(connection: Connection, message: ToHall | ToMember): boolean {
  writer.clear();
  codec.encode(writer, message);
  return connection.send(writer.bytes, 0, writer.end);
}

/** Appends a message of a room as it lies in files and frames. */
export function writeEntry(into: ByteWriter, { author, seq, name, text, at }: ChatEntry): void {
  scratch.clear();
  codec.encode(scratch, [author, seq, name, text, at]);
  into.varint(scratch.end);
  into.raw(scratch.bytes, 0, scratch.end);
}

/** A frame of the messages from index `from` on, as {@link writeEntry} made them. */
export function entriesFrame(from: number, items: Uint8Array): Uint8Array {
  writer.clear();
  writer.byte(ENTRIES);
  writer.varint(from);
  writer.raw(items);
  return writer.copy();
}

/** Reads the message of a room at `start`; gives it and where the next begins. Throws `FrameError` for anything else. */
export function readEntry(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly entry: ChatEntry; readonly end: number } {
  const length = readVarint(bytes, start, end);
  const to = length.end + length.value;
  if (to > end) throw malformed("a message that ends too early");
  const value = decode(bytes, length.end, to);
  if (!Array.isArray(value) || value.length !== 5) throw malformed("what is no message of a room");
  const [author, seq, name, said, at] = value as readonly Plain[];
  return {
    entry: { author: text(author), seq: count(seq, 1), name: text(name), text: text(said), at: count(at) },
    end: to,
  };
}

/** Where the message of a room at `start` ends. */
export function entryEnd(bytes: Uint8Array, start: number, end: number): number {
  const length = readVarint(bytes, start, end);
  return length.end + length.value;
}

/** What a member sends; throws `FrameError` for anything else. */
export function readToHall(bytes: Uint8Array, start: number, end: number): ToHall {
  const fields = record(decode(bytes, start, end));
  const { kind } = fields;
  const incarnation = count(fields["incarnation"]);
  switch (kind) {
    case "join": {
      const { history } = fields;
      return {
        kind,
        room: text(fields["room"]),
        name: text(fields["name"]),
        next: count(fields["next"]),
        oldest: count(fields["oldest"], 1),
        incarnation,
        ...(history !== undefined && { history: text(history) }),
      };
    }
    case "post":
      return {
        kind,
        seq: count(fields["seq"], 1),
        text: text(fields["text"]),
        oldest: count(fields["oldest"], 1),
        session: count(fields["session"]),
        incarnation,
      };
    case "have":
      return {
        kind,
        next: count(fields["next"]),
        missing: fields["missing"] === true,
        session: count(fields["session"]),
        incarnation,
      };
    case "switch": {
      const { error, on } = fields;
      if (error !== "send" && error !== "reception") throw malformed("an unknown error to simulate");
      return { kind, error, on: on === true, incarnation };
    }
    case "who":
      return { kind, incarnation };
    case "leave": {
      const { reason } = fields;
      return { kind, incarnation, ...(reason !== undefined && { reason: text(reason).slice(0, 200) }) };
    }
    default:
      throw malformed("a frame that no member sends");
  }
}

/** What a server sends; throws `FrameError` for anything else. */
export function readToMember(bytes: Uint8Array, start: number, end: number): ToMember {
  if (start < end && bytes[start] === ENTRIES) return readEntries(bytes, start + 1, end);
  const fields = record(decode(bytes, start, end));
  const { kind } = fields;
  switch (kind) {
    case "joined":
      return {
        kind,
        session: count(fields["session"]),
        incarnation: count(fields["incarnation"]),
        head: count(fields["head"]),
        history: text(fields["history"]),
      };
    case "turned-away":
      return {
        kind,
        reason: text(fields["reason"]),
        again: fields["again"] === true,
        incarnation: count(fields["incarnation"]),
      };
    case "posted":
      return { kind, seq: count(fields["seq"], 1), incarnation: count(fields["incarnation"]) };
    case "refused":
      return {
        kind,
        seq: count(fields["seq"], 1),
        reason: text(fields["reason"]),
        incarnation: count(fields["incarnation"]),
      };
    case "head":
      return { kind, head: count(fields["head"]) };
    case "rejoin":
      return { kind, session: count(fields["session"]) };
    case "people": {
      const { names } = fields;
      if (!Array.isArray(names)) throw malformed("people without names");
      return { kind, names: (names as readonly Plain[]).map(text) };
    }
    default:
      throw malformed("a frame that no server sends");
  }
}

function readEntries(bytes: Uint8Array, start: number, end: number): ToMember {
  const first = readVarint(bytes, start, end);
  const entries: ChatEntry[] = [];
  for (let at = first.end; at < end;) {
    const read = readEntry(bytes, at, end);
    entries.push(read.entry);
    at = read.end;
  }
  return { kind: "entries", from: first.value, entries };
}

function readVarint(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 8; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte <= 0x7f && Number.isSafeInteger(value)) return { value, end: at + 1 };
  }
  throw malformed("a number that does not end");
}

function decode(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return codec.decode(bytes, start, end);
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
}

type Fields = Readonly<Record<string, Plain | undefined>>;

function record(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("a frame without fields");
  }
  // The codec gives plain data or throws.
  return value as Fields;
}

function text(value: Plain | undefined): string {
  if (typeof value !== "string") throw malformed("a field that should be text");
  return value;
}

function count(value: Plain | undefined, least = 0): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw malformed("a field that should be a whole number");
}

function malformed(what: string): FrameError {
  return new FrameError("protocol-error", what);
}
