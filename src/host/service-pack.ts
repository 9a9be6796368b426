import type { ToClient, ToServer } from "../protocols/index.js";
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

/** A pack is closed beyond this: enough for hundreds of small messages, and little to lose. */
const PACK_BYTES = 16_384;

/** Writes a value behind what the writer has. */
export type Encode<Payload> = (writer: ByteWriter, value: Payload) => void;

/** Reads the value that lies between two places; of bytes, it may give a view. */
export type Decode<Payload> = (bytes: Uint8Array, start: number, end: number) => Payload;

/** Gathers messages into packs until somebody takes them: a message costs its bytes and no frame of its own. */
export class Packer<Payload> {
  readonly #encode: Encode<Payload>;
  readonly #pool: WriterPool;
  #writer: ByteWriter | undefined;
  #closed: ByteWriter[] = [];

  constructor(encode: Encode<Payload>, pool: WriterPool) {
    this.#encode = encode;
    this.#pool = pool;
  }

  get empty(): boolean {
    return this.#writer === undefined && this.#closed.length === 0;
  }

  /** Throws `FrameError` and `UsageError` for what cannot be sent, and is then as it was before. */
  toServer(message: Exclude<ToServer<Payload>, { kind: "bind" }>, method: number): void {
    const behind = message.seq - 1 - message.ackUpTo;
    if (message.kind === "cancel") this.#add(CANCEL, 0, message.seq, behind, 0, undefined);
    else this.#add(REQUEST, method, message.seq, behind, message.budget, message.args);
  }

  /** Throws like {@link toServer}. */
  toClient(message: Exclude<ToClient<Payload>, { kind: "bound" }>): void {
    if (message.kind === "reply") this.#add(REPLY, 0, message.seq, -1, 0, message.value);
    else if (message.kind === "received") this.#add(RECEIVED, 0, message.seq, -1, 0, undefined);
    else this.#addText(message.kind === "lost" ? LOST : REFUSED, message.seq, message.reason);
  }

  /** Hands over each pack, and is empty. */
  take(sink: (bytes: Uint8Array, length: number) => void): void {
    const closed = this.#closed;
    const writer = this.#writer;
    if (closed.length > 0) this.#closed = [];
    this.#writer = undefined;
    for (const each of closed) this.#give(each, sink);
    if (writer !== undefined) this.#give(writer, sink);
  }

  drop(): void {
    this.take(() => {});
  }

  #give(writer: ByteWriter, sink: (bytes: Uint8Array, length: number) => void): void {
    sink(writer.bytes, writer.end);
    this.#pool.give(writer);
  }

  #add(
    kind: number,
    method: number,
    seq: number,
    behind: number,
    budget: number,
    payload: Payload | undefined,
  ): void {
    const writer = (this.#writer ??= this.#pool.take());
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
      writer.end = from;
      if (payload !== undefined) this.#encode(writer, payload);
      // Encoding may have replaced the buffer.
      put32(writer.bytes, from - 4, writer.end - from);
    } catch (error) {
      writer.end = start;
      if (start === 0) {
        this.#writer = undefined;
        this.#pool.give(writer);
      }
      // It may fit into a pack of its own.
      if (!(error instanceof FrameError) || start === 0) throw error;
      this.#close(writer);
      return this.#add(kind, method, seq, behind, budget, payload);
    }
    if (writer.end > PACK_BYTES) this.#close(writer);
  }

  #addText(kind: number, seq: number, text: string): void {
    const bytes = Buffer.from(text, "utf8");
    const writer = (this.#writer ??= this.#pool.take());
    const start = writer.end;
    writer.reserve(TO_CLIENT_BYTES + bytes.length);
    writer.bytes.fill(0, start, start + 4);
    writer.bytes[start] = kind;
    put32(writer.bytes, start + 4, seq);
    put32(writer.bytes, start + 8, seq / TWO_32);
    put32(writer.bytes, start + 12, bytes.length);
    writer.end += TO_CLIENT_BYTES;
    writer.raw(bytes);
    if (writer.end > PACK_BYTES) this.#close(writer);
  }

  #close(writer: ByteWriter): void {
    this.#closed.push(writer);
    this.#writer = undefined;
  }
}

/** Writers between two packs, so that a connection without anything to send has none. */
export class WriterPool {
  readonly #frameBytesMax: number;
  readonly #idle: ByteWriter[] = [];

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  take(): ByteWriter {
    return this.#idle.pop() ?? new ByteWriter(this.#frameBytesMax);
  }

  give(writer: ByteWriter): void {
    if (this.#idle.length === IDLE_WRITERS_MAX || writer.bytes.length > 4 * PACK_BYTES) return;
    writer.clear();
    this.#idle.push(writer);
  }
}

const IDLE_WRITERS_MAX = 64;

/** Reads the messages of a pack one after the other; one object for all packs. */
export class PackReader<Payload> {
  readonly #decode: Decode<Payload>;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(decode: Decode<Payload>) {
    this.#decode = decode;
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
  toServer(
    methods: readonly string[],
    server: number,
  ): Exclude<ToServer<Payload>, { kind: "bind" }> | undefined {
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
        const args = this.#decode(bytes, from, to);
        return { kind: "request", seq, method, args, budget, incarnation: 0, ackUpTo, server };
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
      case REPLY:
        return { kind: "reply", seq, value: this.#decode(bytes, from, to), incarnation: 0 };
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
