import type { ChatEntry, HallRoom } from "../protocols/index.js";
import { shareFrame } from "../transports/index.js";
import type { SharedFrame } from "../wire/index.js";
import { entriesFrame } from "./chat-frames.js";
import { BATCH_BYTES, ChatHistory, newHistoryId } from "./chat-history.js";
import { messageOf } from "./errors.js";

// Posts that may wait for the disk; beyond them a post has to come again.
const WAITING_POSTS_MAX = 10_000;
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

// Frames of the latest commits are kept for members that are a little behind.
const RECENT_BYTES_MAX = 1024 * 1024;

/** What a room does with its commits. */
export interface CommitListener {
  appended(room: ChatRoom, entries: readonly ChatEntry[]): void;
  notAppended(room: ChatRoom, entries: readonly ChatEntry[], reason: string): void;
}

interface Recent {
  readonly from: number;
  readonly to: number;
  readonly frame: SharedFrame;
}

/**
 * A room of a real server: its history in a file, one commit at a time. What comes while one is under way goes
 * together into the next, so that many posts share one wait for the disk.
 */
export class ChatRoom implements HallRoom {
  readonly name: string;
  readonly history: string;
  head: number;
  readonly last: Map<string, number>;
  readonly #listener: CommitListener;
  readonly #path: string | undefined;
  #file: ChatHistory | undefined;
  #waiting: ChatEntry[] = [];
  #waitingBytes = 0;
  #commits: Promise<void> | undefined;
  #recent: Recent[] = [];
  #recentBytes = 0;

  /** A room that had messages, or a new one, whose file is made with its first. */
  constructor(
    room: ChatHistory | { readonly name: string; readonly path: string | undefined },
    listener: CommitListener,
  ) {
    this.#listener = listener;
    if (room instanceof ChatHistory) {
      this.#file = room;
      this.name = room.room;
      this.history = room.id;
      this.head = room.head;
      this.last = new Map(room.last);
    } else {
      this.#path = room.path;
      this.name = room.name;
      this.history = newHistoryId();
      this.head = 0;
      this.last = new Map();
    }
  }

  get busy(): boolean {
    return this.#waiting.length >= WAITING_POSTS_MAX || this.#waitingBytes >= WAITING_BYTES_MAX;
  }

  /** Whether nobody would miss it: nothing was ever said here, or is about to be. */
  get isEmpty(): boolean {
    return this.head === 0 && this.#commits === undefined;
  }

  append(entry: ChatEntry): void {
    this.#waiting.push(entry);
    this.#waitingBytes += bytesOf(entry);
    this.#commits ??= this.#commit();
  }

  /** The frame that begins with message `from`, when it is one of the latest. */
  recent(from: number): Recent | undefined {
    const { length } = this.#recent;
    if (length === 0 || from < (this.#recent[0]?.from ?? 0)) return undefined;
    // Nearly always the last.
    for (let i = length - 1; i >= 0; i--) {
      const one = this.#recent[i];
      if (one === undefined || one.from < from) return undefined;
      if (one.from === from) return one;
    }
    return undefined;
  }

  /** A frame of messages from `from` on, and the index after its last. Rejects with `HistoryError`. */
  async read(from: number, to: number): Promise<{ readonly frame: Uint8Array; readonly to: number }> {
    if (this.#file === undefined) return { frame: new Uint8Array(0), to: from };
    const { count, items } = await this.#file.read(from, to);
    return { frame: entriesFrame(from, items), to: from + count };
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#commits;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #commit(): Promise<void> {
    // What comes in the same turn goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchLength(this.#waiting));
      for (const entry of batch) this.#waitingBytes -= bytesOf(entry);
      let items;
      try {
        this.#file ??= await ChatHistory.create(this.name, this.history, this.#path);
        items = await this.#file.append(batch);
      } catch (error) {
        // What waits came after these; without them it would be out of its order.
        this.#waitingBytes = 0;
        this.#listener.notAppended(this, [...batch, ...this.#waiting.splice(0)], messageOf(error));
        continue;
      }
      const from = this.head;
      this.#keep({ from, to: from + batch.length, frame: shareFrame(entriesFrame(from, items)) });
      this.#listener.appended(this, batch);
    }
    this.#commits = undefined;
  }

  #keep(recent: Recent): void {
    this.#recent.push(recent);
    this.#recentBytes += 2 * recent.frame.batch.length;
    while (this.#recentBytes > RECENT_BYTES_MAX) {
      this.#recentBytes -= 2 * (this.#recent.shift()?.frame.batch.length ?? this.#recentBytes);
    }
  }
}

/** As many as one commit takes. */
function batchLength(entries: readonly ChatEntry[]): number {
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    bytes += bytesOf(entry);
    if (count > 0 && bytes > BATCH_BYTES) break;
    count++;
  }
  return count;
}

function bytesOf({ author, name, text }: ChatEntry): number {
  return author.length + Buffer.byteLength(name) + Buffer.byteLength(text) + 32;
}
