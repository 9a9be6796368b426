import { randomBytes, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LightconeError } from "../core/index.js";
import { noteAuthor, type ChatEntry } from "../protocols/index.js";
import { nodeCrc32, nodeText } from "../transports/index.js";
import { ByteWriter, createPlainCodec, FrameError } from "../wire/index.js";
import { messageOf } from "./errors.js";
import { entryEnd, readEntry, writeEntry } from "./chat-frames.js";

// The file of one room's history:
//
//   "LCCHAT1\n"  then batches:  bytes:u32 count:u32 crc-of-payload:u32 crc-of-these-12-bytes:u32  payload
//
// The first batch has count 0; its payload is { room, history }. The payload of the others is `count` messages. A batch
// is what one commit wrote: only the last can be unfinished, for each was on disk before the next was begun.

const MAGIC = Buffer.from("LCCHAT1\n");
const HEADER_BYTES = 16;

/** A commit, and a frame, has at most about so many bytes of messages. */
export const BATCH_BYTES = 32 * 1024;
// One message more may be in it, of at most 4,000 characters and a name.
const BATCH_BYTES_MAX = BATCH_BYTES + 16 * 1024;
const READ_BYTES = 64 * 1024;
const SCAN_BYTES = 1024 * 1024;
// Of the file, between two places whose index is known.
const SPARSE_BYTES = 64 * 1024;
// Places where somebody stopped reading, to go on without a search.
const PLACES_MAX = 4_096;

export type HistoryErrorCode =
  /** The file is no history, or not as it was written, and not only at its end. */
  | "history-damaged"
  /** The system did not write it: the disk is full, say. The history is as before. */
  | "not-written"
  /** The disk failed, and nobody can know what it has: nothing more is written. */
  | "history-failed";

/** What became of a history on its way to the disk, or from it. */
export class HistoryError extends LightconeError {
  declare readonly code: HistoryErrorCode;

  constructor(code: HistoryErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, {}, options);
  }
}

/** What {@link ChatHistory.open} found. */
export interface Opened {
  readonly history: ChatHistory;
  /** In one sentence, when the end of the file had to be cut off. */
  readonly repaired: string | undefined;
}

/** Messages as they lie in the file, `count` of them. */
export interface Messages {
  readonly count: number;
  readonly items: Uint8Array;
}

/**
 * A room's messages in one file that only grows. What `append` has resolved for survives the process; with a path of
 * its own, a power cut as well. Memory is flat: a place for each 64 KiB of the file, and the authors' last numbers.
 */
export class ChatHistory {
  readonly room: string;
  /** Tells this history from another of a room of that name. */
  readonly id: string;
  /** The number of each author's last post. */
  readonly last: Map<string, number>;
  readonly #file: FileHandle;
  readonly #sync: boolean;
  readonly #sparse: Place[];
  readonly #places = new Map<number, number>();
  #head: number;
  #bytes: number;
  #failed: string | undefined;

  private constructor(file: FileHandle, sync: boolean, scanned: Scanned) {
    this.#file = file;
    this.#sync = sync;
    this.room = scanned.room;
    this.id = scanned.id;
    this.last = scanned.last;
    this.#sparse = scanned.sparse;
    this.#head = scanned.head;
    this.#bytes = scanned.bytes;
  }

  /** How many messages it has. */
  get head(): number {
    return this.#head;
  }

  /**
   * Makes a history, readable by its owner alone. Without a path it lies in a temporary file that is gone with this
   * process, whatever ends it.
   */
  static async create(room: string, id = newHistoryId(), path?: string): Promise<ChatHistory> {
    const place = path ?? join(tmpdir(), `lightcone-chat-${randomUUID()}`);
    const file = await writing(open(place, "wx+", 0o600));
    try {
      if (path === undefined) rmSync(place);
      const payload = new ByteWriter();
      codec.encode(payload, { room, history: id });
      const start = Buffer.concat([MAGIC, batchOf(0, payload.copy())]);
      await writeAll(file, start, 0);
      if (path !== undefined) await file.datasync();
      const empty = { room, id, last: new Map<string, number>(), sparse: [], head: 0, bytes: start.length };
      return new ChatHistory(file, path !== undefined, empty);
    } catch (error) {
      await file.close();
      rmSync(place, { force: true });
      throw error instanceof HistoryError ? error : notWritten(error);
    }
  }

  /**
   * Reads a history from its first byte to its last and checks all of it; some million messages a second. An unfinished
   * commit at its end, which nobody was told of, is cut off. Rejects with `HistoryError` and changes nothing when anything else
   * is not as it was written.
   */
  static async open(path: string): Promise<Opened> {
    const file = await open(path, "r+");
    try {
      const scanned = await scan(file, path);
      const { size } = await file.stat();
      let repaired;
      if (scanned.bytes < size) {
        await file.truncate(scanned.bytes);
        await file.datasync();
        repaired = `${path}: cut off ${size - scanned.bytes} bytes of an unfinished commit after message ${scanned.head}`;
      }
      return { history: new ChatHistory(file, true, scanned), repaired };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Puts messages at the end, all or none; gives them as they lie there. Rejects with `HistoryError`. One at a time. */
  async append(entries: readonly ChatEntry[]): Promise<Uint8Array> {
    if (this.#failed !== undefined) throw new HistoryError("history-failed", this.#failed);
    const payload = new ByteWriter();
    for (const entry of entries) writeEntry(payload, entry);
    const items = payload.copy();
    const batch = batchOf(entries.length, items);
    const at = this.#bytes;
    try {
      await writeAll(this.#file, batch, at);
    } catch (error) {
      await this.#takeBack(at);
      throw notWritten(error);
    }
    if (this.#sync) {
      try {
        await this.#file.datasync();
      } catch (error) {
        // The system may have dropped what it could not write, and a second attempt would then succeed.
        this.#failed = `the disk failed (${messageOf(error)}); start the server again`;
        throw new HistoryError("history-failed", this.#failed, { cause: error });
      }
    }
    notePlace(this.#sparse, this.#head, at);
    this.#bytes = at + batch.length;
    this.#head += entries.length;
    return items;
  }

  /** Messages from index `from` to before `to` at most, some 32 KiB at a time, at least one. */
  async read(from: number, to = this.#head): Promise<Messages> {
    const end = Math.min(to, this.#head);
    if (from >= end) return { count: 0, items: new Uint8Array(0) };
    const fileEnd = this.#bytes;
    let { index, offset } = this.#placeOf(from);
    const found: Uint8Array[] = [];
    let count = 0;
    let bytes = 0;
    while (from + count < end && bytes < BATCH_BYTES && offset < fileEnd) {
      let chunk = await readAt(this.#file, offset, Math.min(READ_BYTES, fileEnd - offset));
      const needed = HEADER_BYTES + (chunk.length >= HEADER_BYTES ? chunk.readUInt32BE(0) : 0);
      if (needed > BATCH_BYTES_MAX + HEADER_BYTES)
        throw damaged(this.room, offset, "a batch of impossible length");
      if (needed > chunk.length) chunk = await readAt(this.#file, offset, needed);
      for (let at = 0; bytes < BATCH_BYTES && from + count < end;) {
        const batch = batchAt(chunk, at);
        if (batch.kind === "unfinished") {
          if (at === 0) throw damaged(this.room, offset, "a batch ends too early");
          break;
        }
        if (batch.kind === "damaged") throw damaged(this.room, offset + at, batch.what);
        const next = index + batch.count;
        if (next > from + count) {
          // Part of it, when somebody begins or ends within.
          const first = entryOffset(chunk, batch, from + count - index);
          const last = end >= next ? batch.end : entryOffset(chunk, batch, end - index);
          found.push(chunk.subarray(first, last));
          bytes += last - first;
          count = Math.min(next, end) - from;
        }
        if (next > end) break;
        index = next;
        at = batch.end;
        this.#remember(index, offset + at);
        if (at >= chunk.length) break;
      }
      const place = this.#places.get(index);
      if (place === undefined || place <= offset) break;
      offset = place;
    }
    return { count, items: found.length === 1 && found[0] !== undefined ? found[0] : Buffer.concat(found) };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #takeBack(bytes: number): Promise<void> {
    try {
      await this.#file.truncate(bytes);
    } catch (error) {
      this.#failed = `what was written in part cannot be taken back (${messageOf(error)}); start the server again`;
    }
  }

  /** The last place known at or before message `from`. */
  #placeOf(from: number): Place {
    const exact = this.#places.get(from);
    if (exact !== undefined) return { index: from, offset: exact };
    let low = 0;
    let high = this.#sparse.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#sparse[middle]?.index ?? 0) <= from) low = middle;
      else high = middle - 1;
    }
    return this.#sparse[low] ?? { index: 0, offset: this.#bytes };
  }

  #remember(index: number, offset: number): void {
    this.#places.delete(index);
    this.#places.set(index, offset);
    if (this.#places.size <= PLACES_MAX) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }
}

/** Names a new history. */
export function newHistoryId(): string {
  return randomBytes(12).toString("base64url");
}

interface Place {
  readonly index: number;
  readonly offset: number;
}

interface Scanned {
  readonly room: string;
  readonly id: string;
  readonly last: Map<string, number>;
  readonly sparse: Place[];
  readonly head: number;
  /** Where the last whole batch ends. */
  readonly bytes: number;
}

const codec = createPlainCodec(nodeText);

async function scan(file: FileHandle, path: string): Promise<Scanned> {
  const { size } = await file.stat();
  const magic = await readAt(file, 0, MAGIC.length);
  if (!magic.equals(MAGIC)) throw damaged(path, 0, "it is no history of a chat");
  let room: string | undefined;
  let id = "";
  let head = 0;
  let offset = MAGIC.length;
  const last = new Map<string, number>();
  const sparse: Place[] = [];
  for (;;) {
    const chunk = await readAt(file, offset, SCAN_BYTES);
    let at = 0;
    while (at < chunk.length) {
      const batch = batchAt(chunk, at);
      if (batch.kind === "unfinished") break;
      if (batch.kind === "damaged") {
        // The last commit may be on disk in part, in any part; nobody was told of it.
        if (batch.end !== undefined && offset + batch.end === size) break;
        throw damaged(path, offset + at, batch.what);
      }
      if (room === undefined) [room, id] = readTitle(chunk, batch, path);
      else {
        notePlace(sparse, head, offset + at);
        noteAuthors(last, chunk, batch, path, offset + at);
        head += batch.count;
      }
      at = batch.end;
    }
    offset += at;
    // Nothing whole in a chunk that is longer than any batch: the end of the file.
    if (at === 0 || chunk.length < SCAN_BYTES) break;
  }
  if (room === undefined) throw damaged(path, MAGIC.length, "it does not say of which room it is");
  // Longer than any commit: not what a crash leaves behind.
  if (size - offset > HEADER_BYTES + BATCH_BYTES_MAX) {
    throw damaged(path, offset, "a commit is not as it was written");
  }
  return { room, id, last, sparse, head, bytes: offset };
}

function readTitle(chunk: Buffer, batch: Batch, path: string): [room: string, id: string] {
  const title = codec.decode(chunk, batch.start, batch.end);
  if (typeof title === "object" && title !== null && "room" in title && "history" in title) {
    const { room, history } = title;
    if (typeof room === "string" && typeof history === "string") return [room, history];
  }
  throw damaged(path, MAGIC.length, "it does not say of which room it is");
}

function noteAuthors(
  last: Map<string, number>,
  chunk: Buffer,
  batch: Batch,
  path: string,
  offset: number,
): void {
  try {
    let at = batch.start;
    for (let i = 0; i < batch.count; i++) {
      const { entry, end } = readEntry(chunk, at, batch.end);
      noteAuthor(last, entry.author, entry.seq);
      at = end;
    }
    if (at !== batch.end) throw damaged(path, offset, "a batch has more than its messages");
  } catch (error) {
    if (error instanceof FrameError) throw damaged(path, offset, error.message);
    throw error;
  }
}

interface Batch {
  readonly kind: "batch";
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

type BatchRead =
  | Batch
  /** The chunk ends before it does. */
  | { readonly kind: "unfinished" }
  /** `end`: where it would end, if its header can be trusted. */
  | { readonly kind: "damaged"; readonly what: string; readonly end: number | undefined };

function batchAt(chunk: Buffer, at: number): BatchRead {
  if (chunk.length - at < HEADER_BYTES) return { kind: "unfinished" };
  const bytes = chunk.readUInt32BE(at);
  const count = chunk.readUInt32BE(at + 4);
  // A file that was made longer, and whose new part never came to the disk.
  if (chunk.subarray(at, at + HEADER_BYTES).every((byte) => byte === 0)) return { kind: "unfinished" };
  if (nodeCrc32(chunk, at, at + 12) !== chunk.readUInt32BE(at + 12) || bytes > BATCH_BYTES_MAX) {
    return { kind: "damaged", what: "the head of a commit is not as it was written", end: undefined };
  }
  const start = at + HEADER_BYTES;
  const end = start + bytes;
  if (end > chunk.length) return { kind: "unfinished" };
  if (nodeCrc32(chunk, start, end) !== chunk.readUInt32BE(at + 8)) {
    return { kind: "damaged", what: "a commit is not as it was written", end };
  }
  return { kind: "batch", count, start, end };
}

/** Where the `skip`-th message of a batch begins. */
function entryOffset(chunk: Buffer, { start, end }: Batch, skip: number): number {
  let at = start;
  for (let i = 0; i < skip; i++) at = entryEnd(chunk, at, end);
  return at;
}

function batchOf(count: number, payload: Uint8Array): Buffer {
  const batch = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  batch.writeUInt32BE(payload.length, 0);
  batch.writeUInt32BE(count, 4);
  batch.writeUInt32BE(nodeCrc32(payload, 0, payload.length), 8);
  batch.writeUInt32BE(nodeCrc32(batch, 0, 12), 12);
  batch.set(payload, HEADER_BYTES);
  return batch;
}

function notePlace(sparse: Place[], index: number, offset: number): void {
  const before = sparse.at(-1);
  if (before === undefined || offset - before.offset >= SPARSE_BYTES) sparse.push({ index, offset });
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}

async function writing<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw notWritten(error);
  }
}

function notWritten(cause: unknown): HistoryError {
  return new HistoryError("not-written", `the history cannot be written: ${messageOf(cause)}`, { cause });
}

function damaged(path: string, offset: number, what: string): HistoryError {
  return new HistoryError(
    "history-damaged",
    `${path}: ${what}, at byte ${offset}; the file is left as it is: move it away to begin anew, or bring back a copy`,
  );
}
