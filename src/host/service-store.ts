import { UsageError, type Plain } from "../core/index.js";

/**
 * Keeps what a service has done: a snapshot, and after it one entry for each effect, in the order of the effects.
 *
 * Entries are gathered by `append` and made to last by `commit`, all of them or none.
 */
export interface ServiceStore {
  /**
   * Once, before anything else. Throws when what is kept is of a service with another name, or cannot be read as it was
   * written.
   */
  load(service: string): Kept;
  append(entry: Plain): void;
  /** `undefined` when all that was appended lasts; otherwise why none of it does, such as "ENOSPC: no space left on device". */
  commit(): string | undefined;
  /** Whether a snapshot would take much less room than what is kept. */
  readonly wantsSnapshot: boolean;
  /** Replaces all that is kept; nothing may be waiting for `commit`. Tells why it could not: then nothing has changed. */
  replace(snapshot: Plain): string | undefined;
  close(): void;
}

export interface Kept {
  readonly snapshot: Plain | undefined;
  readonly entries: readonly Plain[];
}

/** Keeps everything in memory, for as long as somebody holds it: a server that starts anew in the same program. */
export class MemoryServiceStore implements ServiceStore {
  #service: string | undefined;
  #snapshot: Plain | undefined;
  #entries: Plain[] = [];
  #appended: Plain[] = [];

  load(service: string): Kept {
    this.#service ??= service;
    if (service !== this.#service)
      throw new UsageError(`the store keeps the calls of ${this.#service}; this is ${service}`);
    return { snapshot: this.#snapshot, entries: [...this.#entries] };
  }

  append(entry: Plain): void {
    this.#appended.push(entry);
  }

  commit(): undefined {
    this.#entries.push(...this.#appended);
    this.#appended = [];
  }

  get wantsSnapshot(): boolean {
    return this.#entries.length >= 10_000;
  }

  replace(snapshot: Plain): undefined {
    this.#snapshot = snapshot;
    this.#entries = [];
  }

  close(): void {}
}
