import type { ProcessId } from "../../core/index.js";

/**
 * A wrapper's records, one per peer, during one step: each is copied at its first change and then written in place,
 * so a step that sends ten messages to a peer pays for one copy. What the step was given is never changed.
 */
export class PeerRecords<Entry extends object> {
  readonly #before: Readonly<Record<ProcessId, Readonly<Entry>>>;
  readonly #blank: () => Entry;
  readonly #copy: (entry: Readonly<Entry>) => Entry;
  #now: Record<ProcessId, Entry> | undefined;

  constructor(
    before: Readonly<Record<ProcessId, Readonly<Entry>>>,
    blank: () => Entry,
    copy: (entry: Readonly<Entry>) => Entry,
  ) {
    this.#before = before;
    this.#blank = blank;
    this.#copy = copy;
  }

  /** To be read only; `undefined` until the peer's first change. */
  peek(peer: ProcessId): Readonly<Entry> | undefined {
    return entryOf<Readonly<Entry>>(this.#now ?? this.#before, peer);
  }

  /** To be written in place until the step ends. */
  edit(peer: ProcessId): Entry {
    const before = entryOf(this.#before, peer);
    this.#now ??= { ...this.#before };
    const now = entryOf(this.#now, peer);
    if (now !== undefined && now !== before) return now;
    const copy = before === undefined ? this.#blank() : this.#copy(before);
    this.#now[peer] = copy;
    return copy;
  }

  /** The same object as before while nothing was edited. */
  get records(): Readonly<Record<ProcessId, Readonly<Entry>>> {
    return this.#now ?? this.#before;
  }
}

/** Own entries only: a process may be called `constructor`. */
function entryOf<Entry>(records: Readonly<Record<ProcessId, Entry>>, peer: ProcessId): Entry | undefined {
  return Object.hasOwn(records, peer) ? records[peer] : undefined;
}
