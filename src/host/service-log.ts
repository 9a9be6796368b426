import { randomBytes } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { LightconeError, UsageError, type Plain } from "../core/index.js";
import { nodeCrc32 } from "../transports/index.js";
import { messageOf, safeText } from "./errors.js";
import { ProcessLock } from "./process-lock.js";
import type { Kept, ServiceStore } from "./service-store.js";

/*
 *   file    "LCLOG2\r\n"  salt:u32              the salt is drawn when the file is made
 *   batch   magic:u32  kind:u32  number:u32  length:u32  crc:u32  header crc:u32, then `length` bytes
 *
 * Little-endian. The payload is JSON: of kind 1 a snapshot, of kind 2 an array of entries, of kind 3, which comes first
 * and once, the name of the service. Batches are numbered from 0. The salt is in every checksum: what another file has left behind is no batch of this one.
 */

const FILE_MAGIC = Buffer.from("LCLOG2\r\n", "latin1");
const SALT_BYTES = 4;
const FILE_HEADER_BYTES = FILE_MAGIC.length + SALT_BYTES;
const BATCH_MAGIC = 0x4c43_4221;
const BATCH_HEADER_BYTES = 24;
const SNAPSHOT = 1;
const ENTRIES = 2;
const SERVICE = 3;

/** A batch may have at most that many bytes, and so a snapshot. */
export const LOG_BATCH_BYTES_MAX = 256 * 2 ** 20;

/** A log that is this much longer than its snapshot is replaced by a new one. Bytes. */
export const LOG_GROWTH_BYTES = 8 * 2 ** 20;

/** What is kept in a file is damaged, or a batch is too long: `log-damaged`, `too-long`. */
export class ServiceLogError extends LightconeError {}

/**
 * Keeps what a service does in one file that only grows: each commit adds one batch, checked by a checksum, and waits
 * for the disk. So what has been acknowledged survives `kill -9` and a power cut.
 *
 * What a crash has left unfinished at the end is cut off when the log is opened: nothing of it was acknowledged. A damaged
 * batch with others after it is another matter, for these were acknowledged: the log is refused. When the disk is full
 * nothing is lost but what could not be written, and the next commit tries again. Once the log is 8 MiB longer than the
 * snapshot it begins with, a new one is written beside it and put in its place. A lock beside it keeps a second process
 * away. Loading throws `UsageError` for a file of something else, of another service, or of a server that runs.
 */
export class ServiceLog implements ServiceStore {
  readonly #path: string;
  readonly #log: (line: string) => void;
  #lock: ProcessLock | undefined;
  #service = "";
  #salt = 0;
  #file: number | undefined;
  #number = 0;
  #end = 0;
  #snapshotBytes = 0;
  #appended: Plain[] = [];
  #broken: string | undefined;

  /** `log` is told, in a line, what was cut off at opening. */
  constructor(path: string, log: (line: string) => void = () => {}) {
    this.#path = path;
    this.#log = log;
  }

  load(service: string): Kept {
    this.#service = service;
    this.#lock = ProcessLock.take(`${this.#path}.lock`, this.#path);
    try {
      return this.#load();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #load(): Kept {
    const bytes = this.#bytes();
    if (bytes === undefined || bytes.length === 0) {
      this.#create(undefined);
      return { snapshot: undefined, entries: [] };
    }
    if (bytes.length < FILE_HEADER_BYTES || !FILE_MAGIC.equals(bytes.subarray(0, FILE_MAGIC.length))) {
      throw this.#unusable("it is not a log of a service");
    }
    this.#salt = bytes.readUInt32LE(FILE_MAGIC.length);
    let snapshot: Plain | undefined;
    const entries: Plain[] = [];
    this.#end = FILE_HEADER_BYTES;
    for (;;) {
      const batch = this.#batchAt(bytes, this.#end);
      if (batch === undefined || batch.number !== this.#number) break;
      const value = this.#decode(bytes, batch.start, batch.end);
      if (batch.kind === SERVICE) {
        if (value !== this.#service) throw this.#unusable(`it keeps the calls of ${JSON.stringify(value)}`);
      } else if (batch.kind === SNAPSHOT) {
        snapshot = value;
        this.#snapshotBytes = batch.end - batch.start;
      } else if (Array.isArray(value)) for (const entry of value as readonly Plain[]) entries.push(entry);
      this.#number++;
      this.#end = batch.end;
    }
    this.#refuseLaterBatches(bytes);
    if (this.#number === 0) throw this.#unusable("its beginning is damaged; restore it from a copy");
    this.#file = openSync(this.#path, "r+");
    if (this.#end < bytes.length) {
      ftruncateSync(this.#file, this.#end);
      fsyncSync(this.#file);
      const cut = bytes.length - this.#end;
      this.#log(
        `${this.#path}: cut off ${cut} bytes that a crash had left unfinished; nothing acknowledged is lost`,
      );
    }
    return { snapshot, entries };
  }

  /** What is in the file; `undefined` when there is none. */
  #bytes(): Buffer | undefined {
    try {
      if (!statSync(this.#path).isFile()) throw this.#unusable("it is not a file");
      return readFileSync(this.#path);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw this.#unusable(messageOf(error));
    }
  }

  #unusable(why: string): UsageError {
    const path = safeText(this.#path);
    return new UsageError(`${path} cannot keep the calls of ${this.#service}: ${safeText(why, 300)}`, {
      path,
    });
  }

  append(entry: Plain): void {
    this.#appended.push(entry);
  }

  commit(): string | undefined {
    const appended = this.#appended;
    this.#appended = [];
    if (this.#broken !== undefined) return this.#broken;
    const file = this.#file;
    if (file === undefined) return "the log is closed";
    try {
      const bytes = this.#batch(ENTRIES, appended, this.#number);
      writeAt(file, bytes, this.#end);
      this.#sync(file);
      this.#end += bytes.length;
      this.#number++;
      return this.#broken;
    } catch (error) {
      this.#cutOff(file);
      return messageOf(error);
    }
  }

  get wantsSnapshot(): boolean {
    return this.#end - this.#snapshotBytes > LOG_GROWTH_BYTES + this.#snapshotBytes;
  }

  replace(snapshot: Plain): string | undefined {
    const old = this.#file;
    try {
      this.#create(snapshot);
    } catch (error) {
      return messageOf(error);
    }
    if (old !== undefined) closeSync(old);
    return undefined;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  /** Writes a whole new file beside the old one and puts it in its place: at every moment there is one of them. */
  #create(snapshot: Plain | undefined): void {
    const beside = `${this.#path}.new`;
    const salt = randomBytes(SALT_BYTES);
    const before = this.#salt;
    this.#salt = salt.readUInt32LE(0);
    let file: number | undefined;
    try {
      const name = this.#batch(SERVICE, this.#service, 0);
      const batch = snapshot === undefined ? new Uint8Array(0) : this.#batch(SNAPSHOT, snapshot, 1);
      file = openSync(beside, "w", 0o600);
      writeAt(file, Buffer.concat([FILE_MAGIC, salt, name, batch]), 0);
      fsyncSync(file);
      renameSync(beside, this.#path);
      syncFolder(dirname(this.#path));
      this.#file = file;
      this.#number = snapshot === undefined ? 1 : 2;
      this.#end = FILE_HEADER_BYTES + name.length + batch.length;
      this.#snapshotBytes = batch.length;
    } catch (error) {
      this.#salt = before;
      if (file !== undefined) closeSync(file);
      rmSync(beside, { force: true });
      throw error;
    }
  }

  #batch(kind: number, value: Plain | readonly Plain[], number: number): Uint8Array {
    // JSON rather than MessagePack, whose limits on depth and keys are for strangers, and would refuse a large state.
    const payload = Buffer.from(JSON.stringify(value), "utf8");
    if (payload.length > LOG_BATCH_BYTES_MAX) {
      throw new ServiceLogError(
        "too-long",
        `${payload.length} bytes; at most ${LOG_BATCH_BYTES_MAX} go into a batch`,
      );
    }
    const header = Buffer.alloc(BATCH_HEADER_BYTES);
    header.writeUInt32LE(BATCH_MAGIC, 0);
    header.writeUInt32LE(kind, 4);
    header.writeUInt32LE(number, 8);
    header.writeUInt32LE(payload.length, 12);
    header.writeUInt32LE(this.#checksum(payload, 0, payload.length), 16);
    header.writeUInt32LE(this.#checksum(header, 0, BATCH_HEADER_BYTES - 4), 20);
    return Buffer.concat([header, payload]);
  }

  /** The batch that lies at `at`, whole and sound; otherwise `undefined`. */
  #batchAt(
    bytes: Buffer,
    at: number,
  ): { kind: number; number: number; start: number; end: number } | undefined {
    const start = at + BATCH_HEADER_BYTES;
    if (!this.#headerAt(bytes, at)) return undefined;
    const end = start + bytes.readUInt32LE(at + 12);
    if (end > bytes.length || bytes.readUInt32LE(at + 16) !== this.#checksum(bytes, start, end))
      return undefined;
    return { kind: bytes.readUInt32LE(at + 4), number: bytes.readUInt32LE(at + 8), start, end };
  }

  #headerAt(bytes: Buffer, at: number): boolean {
    if (at + BATCH_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== BATCH_MAGIC) return false;
    return bytes.readUInt32LE(at + 20) === this.#checksum(bytes, at, at + BATCH_HEADER_BYTES - 4);
  }

  /** A batch is begun once the one before it lasts; so nothing unfinished has a batch after it. */
  #refuseLaterBatches(bytes: Buffer): void {
    const magic = Buffer.alloc(4);
    magic.writeUInt32LE(BATCH_MAGIC);
    for (let at = bytes.indexOf(magic, this.#end + 1); at !== -1; at = bytes.indexOf(magic, at + 1)) {
      if (!this.#headerAt(bytes, at) || bytes.readUInt32LE(at + 8) <= this.#number) continue;
      throw new ServiceLogError(
        "log-damaged",
        `${this.#path} is damaged at byte ${this.#end}, with acknowledged calls after it; restore it from a copy`,
        { at: this.#end, next: at },
      );
    }
  }

  #checksum(bytes: Uint8Array, start: number, end: number): number {
    return (nodeCrc32(bytes, start, end) ^ this.#salt) >>> 0;
  }

  #decode(bytes: Buffer, start: number, end: number): Plain {
    try {
      return JSON.parse(bytes.toString("utf8", start, end)) as Plain;
    } catch (cause) {
      throw new ServiceLogError("log-damaged", `${this.#path} holds what no server writes`, {}, { cause });
    }
  }

  #sync(file: number): void {
    try {
      fdatasyncSync(file);
    } catch (error) {
      // The system may have dropped what it could not write, and would not say so again.
      this.#broken = `${messageOf(error)}; the log takes nothing more until the server is started again`;
      throw error;
    }
  }

  #cutOff(file: number): void {
    try {
      ftruncateSync(file, this.#end);
    } catch (error) {
      this.#broken ??= `${messageOf(error)}; the log takes nothing more until the server is started again`;
    }
  }
}

function writeAt(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
