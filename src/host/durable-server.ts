import type { Plain } from "../core/index.js";
import {
  rangeOf,
  savedOf,
  serverFrom,
  type Answer,
  type ByteRange,
  type ClientRecord,
  type ServerRole,
  type ServerState,
  type Service,
} from "../protocols/index.js";
import type { ServiceStore } from "./service-store.js";

/** A call that had its effect; without a method, one that was refused for good. */
type Entry = readonly [client: string, pruned: number, answer: Plain, method?: string, args?: Plain];

interface KeptAnswer<Payload> {
  readonly record: ClientRecord<Payload>;
  readonly seq: number;
  readonly ran: boolean;
}

/**
 * Makes what a server keeps last, a batch at a time: effects and their replies together, before any reply leaves.
 *
 * An entry says which call ran and what came of it. A successor runs the calls again, in the same order, on the state of
 * the last snapshot: a service is a pure function, so that gives the state of its predecessor.
 */
export class DurableServer<State, Payload> {
  readonly state: ServerState<State, Payload>;
  /** Effects that last, of this run. */
  executed = 0;
  readonly #bytes: boolean;
  readonly #role: ServerRole<State, Payload>;
  readonly #store: ServiceStore;
  readonly #log: (line: string) => void;
  /** The service's state when everything lasted. */
  #lasting: State;
  #kept: KeptAnswer<Payload>[] = [];

  /** Takes up what the store holds; throws as `ServiceStore.load` does. */
  constructor(
    service: Service<State, string, Payload>,
    role: ServerRole<State, Payload>,
    store: ServiceStore,
    log: (line: string) => void,
  ) {
    this.#bytes = service.payload === "bytes";
    this.#role = role;
    this.#store = store;
    this.#log = log;
    const { snapshot, entries } = store.load(service.name);
    // Written by a server of this very service, whose types these are.
    this.state = snapshot === undefined ? role.start() : serverFrom<State, Payload>(this.#unpacked(snapshot));
    for (const entry of entries) {
      const [client, pruned, answer, method, args] = this.#unpacked(entry) as Entry;
      role.restore(this.state, client, pruned, answer as Answer<Payload>);
      if (method === undefined) continue;
      this.state.service = service.handle(this.state.service, method, args as Payload).state;
    }
    this.#lasting = this.state.service;
  }

  keep(
    record: ClientRecord<Payload>,
    answer: Answer<Payload>,
    ran: { readonly method: string; readonly args: Payload } | undefined,
  ): void {
    const { client, pruned } = record;
    const call = ran === undefined ? [] : [ran.method, ran.args];
    this.#store.append(this.#packed([client, pruned, answer, ...call]));
    this.#kept.push({ record, seq: answer.seq, ran: ran !== undefined });
  }

  /** `false`: what was kept since the last time does not last, and so has not happened. */
  commit(): boolean {
    const kept = this.#kept;
    if (kept.length === 0) return true;
    this.#kept = [];
    const problem = this.#store.commit();
    if (problem !== undefined) {
      for (const { record, seq } of kept.toReversed()) this.#role.undo(record, seq);
      this.state.service = this.#lasting;
      this.#log(`${kept.length} calls were not run, for their effect could not be kept: ${problem}`);
      return false;
    }
    for (const { ran } of kept) if (ran) this.executed++;
    this.#lasting = this.state.service;
    if (this.#store.wantsSnapshot) {
      const without = this.#store.replace(this.#packed(savedOf(this.state)));
      if (without !== undefined) this.#log(`the log could not be made shorter: ${without}`);
    }
    return true;
  }

  close(): void {
    this.#store.close();
  }

  #packed(value: unknown): Plain {
    // Plain already, unless its payloads are bytes.
    return this.#bytes ? packed(value) : (value as Plain);
  }

  #unpacked(value: Plain): unknown {
    return this.#bytes ? unpacked(value) : value;
  }
}

// Bytes among plain data, as text of one character each.
const BYTES_KEY = "bytes/latin1";

function packed(value: unknown): Plain {
  if (isRange(value))
    return {
      [BYTES_KEY]: Buffer.from(value.bytes.buffer, value.bytes.byteOffset).toString(
        "latin1",
        value.start,
        value.end,
      ),
    };
  if (Array.isArray(value)) return value.map(packed);
  if (typeof value !== "object" || value === null) return value as Plain;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, packed(inner)]));
}

function isRange(value: unknown): value is ByteRange {
  return typeof value === "object" && value !== null && "bytes" in value && value.bytes instanceof Uint8Array;
}

function unpacked(value: Plain): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [key, text] = entries[0] ?? [];
  if (key === BYTES_KEY && typeof text === "string")
    return rangeOf(Uint8Array.from(Buffer.from(text, "latin1")));
  return Object.fromEntries(entries.map(([name, inner]) => [name, unpacked(inner ?? null)]));
}
