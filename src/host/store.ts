import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";

/**
 * Keeps what a process saves. Two phases, so that the trace and the store cannot disagree about a save that failed:
 * `prepare` writes, the event is recorded, `commit` makes it the kept one before any message of the step leaves.
 */
export interface Store {
  /** `undefined` when it can be kept; otherwise why not, such as "ENOSPC: no space left on device". */
  prepare(json: string): string | undefined;
  /** Makes the last prepared value the kept one; nothing when none is prepared. Throws when the system refuses. */
  commit(): void;
  /** What is kept, or `undefined` when nothing was ever saved. */
  load(): string | undefined;
}

/** Keeps the last value in memory alone: for hosts that never restart. */
export class MemoryStore implements Store {
  #kept: string | undefined;
  #prepared: string | undefined;

  prepare(json: string): undefined {
    this.#prepared = json;
  }

  commit(): void {
    this.#kept = this.#prepared ?? this.#kept;
    this.#prepared = undefined;
  }

  load(): string | undefined {
    return this.#kept;
  }
}

/** A value may have at most that many characters of JSON; a protocol that saves more is told that it was not kept. */
export const SAVED_LENGTH_MAX = 4 * 2 ** 20;

/**
 * Keeps the value in one file: written beside it and renamed over it, so the file always holds one whole value.
 *
 * With `sync` every commit waits for the disk and survives a power cut; without, it survives the process.
 */
export class FileStore implements Store {
  readonly #path: string;
  readonly #sync: boolean;
  #prepared = false;

  constructor(path: string, options: { readonly sync?: boolean } = {}) {
    this.#path = path;
    this.#sync = options.sync ?? false;
  }

  prepare(json: string): string | undefined {
    if (json.length > SAVED_LENGTH_MAX)
      return `${json.length} characters; at most ${SAVED_LENGTH_MAX} can be saved`;
    // Written under a third name first: when this one does not fit, what was prepared before it still does.
    const beside = `${this.#path}.next`;
    let file: number | undefined;
    try {
      file = openSync(beside, "w", 0o600);
      const bytes = Buffer.from(json, "utf8");
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (this.#sync) fsyncSync(file);
      renameSync(beside, `${this.#path}.new`);
      this.#prepared = true;
      return undefined;
    } catch (error) {
      rmSync(beside, { force: true, recursive: true });
      return error instanceof Error ? error.message : String(error);
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  commit(): void {
    if (!this.#prepared) return;
    this.#prepared = false;
    renameSync(`${this.#path}.new`, this.#path);
  }

  load(): string | undefined {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}
