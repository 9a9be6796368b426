import { invariant, type Duration } from "../core/index.js";
import type { Asked, ByteRange, ToClient } from "../protocols/index.js";
import { ByteWriter, FrameError } from "../wire/index.js";

/*
 * What client and server send each other once they have greeted: packs, each one frame, of any number of messages.
 *
 *   to the server  kind:u8  0  method:u16  seq:u64  behind:u32  budget:u32  length:u32, then `length` bytes
 *   to the client  kind:u8  0  0:u16       seq:u64                          length:u32, then `length` bytes
 *
 * Little-endian. `method` counts the names in the server's welcome; `behind` is seq - 1 - ackUpTo; `budget` is in
 * microseconds. What else a message says is the same for the whole connection, and was said in the greeting.
 */

const REQUEST = 1;
const CANCEL = 2;
const RECEIVED = 3;
const REPLY = 4;
const REFUSED = 5;
const LOST = 6;

const TO_SERVER_BYTES = 24;
const TO_CLIENT_BYTES = 16;
const TWO_32 = 2 ** 32;

/**
 * A pack is closed beyond this, and may leave before the tick is over: the peer works on it while the next one is made.
 * With 256 calls of 64 bytes under way that is three packs each way instead of one, and half as many calls again.
 */
const PACK_BYTES = 8_192;

/** Writes a value behind what the writer has. */
export type Encode<Payload> = (writer: ByteWriter, value: Payload) => void;

/** Reads the value that lies between two places; of bytes, it may give a view. */
export type Decode<Payload> = (bytes: Uint8Array, start: number, end: number) => Payload;

/** Gathers messages into packs until somebody takes them: a message costs its bytes and no frame of its own. */
export class Packer<Payload> {
  readonly #encode: Encode<Payload>;
  readonly #pool: WriterPool;
  #pack: Pack | undefined;
  #closed: Pack[] = [];
  /** Where the last payload lies, in the last writer. */
  #payloadAt = 0;
  #bytesFirst = 1024;

  constructor(encode: Encode<Payload>, pool: WriterPool) {
    this.#encode = encode;
    this.#pool = pool;
  }

  /** Whether a pack is as large as it should become. */
  get ripe(): boolean {
    return this.#closed.length > 0;
  }

  get empty(): boolean {
    return this.#pack === undefined && this.#closed.length === 0;
  }

  /** Throws `FrameError` and `UsageError` for what cannot be sent, and is then as it was before. */
  request(seq: number, method: number, args: Payload, budget: Duration, ackUpTo: number): void {
    this.#add(REQUEST, method, seq, seq - 1 - ackUpTo, budget, args);
  }

  cancel({ seq, ackUpTo }: { readonly seq: number; readonly ackUpTo: number }): void {
    this.#add(CANCEL, 0, seq, seq - 1 - ackUpTo, 0, undefined);
  }

  /** Throws like {@link request}. */
  toClient(message: Exclude<ToClient<Payload>, { kind: "bound" }>): void {
    if (message.kind === "reply") this.#add(REPLY, 0, message.seq, -1, 0, message.value);
    else if (message.kind === "received") this.#add(RECEIVED, 0, message.seq, -1, 0, undefined);
    else this.#addText(message.kind === "lost" ? LOST : REFUSED, message.seq, message.reason);
  }

  /** Hands over each pack, and is empty. */
  take(sink: (bytes: Uint8Array, length: number) => void): void {
    const closed = this.#closed;
    const pack = this.#pack;
    this.#bytesFirst = closed.length > 0 ? PACK_BYTES + 1024 : 1024;
    if (closed.length > 0) this.#closed = [];
    this.#pack = undefined;
    for (const each of closed) this.#give(each, sink);
    if (pack !== undefined) this.#give(pack, sink);
  }

  /**
   * The payload that was written last: it lasts, without having been copied, until {@link LentRange.giveBack}, or for as
   * long as somebody holds it.
   */
  keepLast(): ByteRange {
    const pack = this.#pack ?? this.#closed.at(-1);
    invariant(pack !== undefined, "nothing has been packed");
    pack.lent++;
    return new LentRange(pack, this.#payloadAt, pack.writer.end, this.#pool);
  }

  drop(): void {
    this.take(() => {});
  }

  #give(pack: Pack, sink: (bytes: Uint8Array, length: number) => void): void {
    sink(pack.writer.bytes, pack.writer.end);
    pack.gone = true;
    this.#pool.give(pack);
  }

  #add(
    kind: number,
    method: number,
    seq: number,
    behind: number,
    budget: number,
    payload: Payload | undefined,
  ): void {
    const writer = (this.#pack ??= this.#pool.take(this.#bytesFirst)).writer;
    const start = writer.end;
    try {
      const header = behind < 0 ? TO_CLIENT_BYTES : TO_SERVER_BYTES;
      writer.reserve(header);
      const { bytes } = writer;
      bytes[start] = kind;
      bytes[start + 1] = 0;
      bytes[start + 2] = method;
      bytes[start + 3] = method >>> 8;
      put32(bytes, start + 4, seq);
      put32(bytes, start + 8, seq / TWO_32);
      if (behind >= 0) {
        put32(bytes, start + 12, behind);
        put32(bytes, start + 16, budget);
      }
      const from = start + header;
      this.#payloadAt = from;
      writer.end = from;
      if (payload !== undefined) this.#encode(writer, payload);
      // Encoding may have replaced the buffer.
      put32(writer.bytes, from - 4, writer.end - from);
    } catch (error) {
      writer.end = start;
      if (start === 0) this.#pack = undefined;
      // It may fit into a pack of its own.
      if (!(error instanceof FrameError) || start === 0) throw error;
      this.#close();
      return this.#add(kind, method, seq, behind, budget, payload);
    }
    if (writer.end > PACK_BYTES) this.#close();
  }

  #addText(kind: number, seq: number, text: string): void {
    const bytes = Buffer.from(text, "utf8");
    const writer = (this.#pack ??= this.#pool.take(this.#bytesFirst)).writer;
    const start = writer.end;
    writer.reserve(TO_CLIENT_BYTES + bytes.length);
    writer.bytes.fill(0, start, start + 4);
    writer.bytes[start] = kind;
    put32(writer.bytes, start + 4, seq);
    put32(writer.bytes, start + 8, seq / TWO_32);
    put32(writer.bytes, start + 12, bytes.length);
    writer.end += TO_CLIENT_BYTES;
    writer.raw(bytes);
    if (writer.end > PACK_BYTES) this.#close();
  }

  #close(): void {
    if (this.#pack !== undefined) this.#closed.push(this.#pack);
    this.#pack = undefined;
  }
}

interface Pack {
  readonly writer: ByteWriter;
  /** How many payloads in it are kept. */
  lent: number;
  /** It has been sent. */
  gone: boolean;
}

/** A payload that lies where it was packed. */
export class LentRange implements ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly #pack: Pack;
  readonly #pool: WriterPool;

  constructor(pack: Pack, start: number, end: number, pool: WriterPool) {
    this.bytes = pack.writer.bytes;
    this.start = start;
    this.end = end;
    this.#pack = pack;
    this.#pool = pool;
  }

  /** Nobody looks at it any more. Once. */
  giveBack(): void {
    this.#pack.lent--;
    this.#pool.give(this.#pack);
  }
}

/** Writers between two packs, so that a connection without anything to send or to keep has none. */
export class WriterPool {
  readonly #frameBytesMax: number;
  readonly #idle: Pack[] = [];
  #idleBytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** With room for about as much as is expected. */
  take(bytesFirst: number): Pack {
    const idle = this.#idle.pop();
    if (idle === undefined) {
      return { writer: new ByteWriter(this.#frameBytesMax, bytesFirst), lent: 0, gone: false };
    }
    this.#idleBytes -= idle.writer.bytes.length;
    idle.gone = false;
    return idle;
  }

  /** Takes back a pack that is of no use to anybody. */
  give(pack: Pack): void {
    if (pack.lent > 0 || !pack.gone) return;
    const { length } = pack.writer.bytes;
    if (this.#idleBytes + length > IDLE_BYTES_MAX) return;
    this.#idleBytes += length;
    pack.writer.clear();
    this.#idle.push(pack);
  }
}

/** So much idle memory is kept for the packs to come. */
const IDLE_BYTES_MAX = 2 * 2 ** 20;

/** Reads the messages of a pack one after the other; each is valid until the next is read. */
export class PackReader<Payload> {
  readonly #decode: Decode<Payload>;
  // The same objects for all messages of their kind: most of what a call would leave to the collector.
  readonly #request: Changing<Extract<Asked<Payload>, { kind: "request" }>>;
  readonly #reply: Changing<Extract<ToClient<Payload>, { kind: "reply" }>>;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(decode: Decode<Payload>) {
    this.#decode = decode;
    // No message yet, and so no payload.
    const none = undefined as Payload;
    const numbers = { seq: 0, incarnation: 0 };
    this.#request = { kind: "request", ...numbers, method: "", args: none, budget: 0, ackUpTo: 0, server: 0 };
    this.#reply = { kind: "reply", ...numbers, value: none };
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /**
   * The next message of a client, or `undefined` at the end; throws `FrameError` for what no client sends.
   * `server` is the incarnation that the client greeted.
   */
  toServer(methods: readonly string[], server: number): Asked<Payload> | undefined {
    const at = this.#at;
    if (at === this.#end) return undefined;
    const bytes = this.#bytes;
    const from = at + TO_SERVER_BYTES;
    if (from > this.#end) throw malformed("a pack that ends inside a message");
    const seq = get32(bytes, at + 4) + get32(bytes, at + 8) * TWO_32;
    const ackUpTo = seq - 1 - get32(bytes, at + 12);
    const budget = get32(bytes, at + 16);
    const to = from + get32(bytes, at + 20);
    if (to > this.#end) throw malformed("a pack that ends inside a message");
    if (seq < 1 || ackUpTo < 0 || seq > Number.MAX_SAFE_INTEGER) throw malformed("a number that no call has");
    this.#at = to;
    switch (bytes[at]) {
      case REQUEST: {
        const method = methods[(bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8)];
        if (method === undefined || budget === 0) throw malformed("a request that no client sends");
        const request = this.#request;
        request.seq = seq;
        request.method = method;
        request.args = this.#decode(bytes, from, to);
        request.budget = budget;
        request.ackUpTo = ackUpTo;
        request.server = server;
        return request;
      }
      case CANCEL:
        return { kind: "cancel", seq, incarnation: 0, ackUpTo, server };
      default:
        throw malformed("a message that no client sends");
    }
  }

  /** The next message of a server, or `undefined` at the end; throws `FrameError` for what no server sends. */
  toClient(): Exclude<ToClient<Payload>, { kind: "bound" }> | undefined {
    const at = this.#at;
    if (at === this.#end) return undefined;
    const bytes = this.#bytes;
    const from = at + TO_CLIENT_BYTES;
    if (from > this.#end) throw malformed("a pack that ends inside a message");
    const seq = get32(bytes, at + 4) + get32(bytes, at + 8) * TWO_32;
    const to = from + get32(bytes, at + 12);
    if (to > this.#end) throw malformed("a pack that ends inside a message");
    this.#at = to;
    switch (bytes[at]) {
      case REPLY: {
        const reply = this.#reply;
        reply.seq = seq;
        reply.value = this.#decode(bytes, from, to);
        return reply;
      }
      case RECEIVED:
        return { kind: "received", seq, incarnation: 0 };
      case REFUSED:
        return { kind: "refused", seq, reason: textOf(bytes, from, to), incarnation: 0 };
      case LOST:
        return { kind: "lost", seq, reason: textOf(bytes, from, to), incarnation: 0 };
      default:
        throw malformed("a message that no server sends");
    }
  }
}

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

function malformed(what: string): FrameError {
  return new FrameError("protocol-error", what);
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function get32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return low + (bytes[at + 3] as number) * 0x1_00_00_00;
}
