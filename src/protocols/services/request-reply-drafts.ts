import type { Plain, ProcessId } from "../../core/index.js";
import type { Call, ClientState } from "./request-reply-client.js";
import type { Answer } from "./request-reply-messages.js";
import type { ClientRecord, ServerState, Work } from "./request-reply-server.js";
import { ringOf, ringValues, type SeqRing } from "./seq-ring.js";

/*
 * The roles change their state in place. Where a state must stay as it is, in a simulation and under an explorer, each
 * step works on a copy of as much as it may change, and gives the old state back when nothing has.
 */

export function clientDraft<Payload, Ticket>(
  state: ClientState<Payload, Ticket>,
): ClientState<Payload, Ticket> {
  const { role, server, binds, bindAt, next, oldest } = state;
  const calls = state.calls.map((call) => call && { ...call });
  return { role, server, binds, bindAt, next, oldest, calls };
}

/** Copies, of what is kept of clients, that of `from`, and of those with calls under way. */
export function serverDraft<State, Payload>(
  state: ServerState<State, Payload>,
  from: ProcessId | undefined,
): ServerState<State, Payload> {
  const clients = { ...state.clients };
  const changing = new Set(state.works.map(({ client }) => client));
  if (from !== undefined) changing.add(from);
  for (const client of changing) {
    const record = Object.hasOwn(clients, client) ? clients[client] : undefined;
    if (record !== undefined) clients[client] = { ...record, replies: [...record.replies] };
  }
  return { role: "server", service: state.service, clients, works: state.works.map((work) => ({ ...work })) };
}

export function sameClient<Payload, Ticket>(
  a: ClientState<Payload, Ticket>,
  b: ClientState<Payload, Ticket>,
): boolean {
  return (
    a.server === b.server &&
    a.binds === b.binds &&
    a.bindAt === b.bindAt &&
    a.next === b.next &&
    a.oldest === b.oldest &&
    sameItems(a.calls, b.calls, sameFields<Call<Payload, Ticket>>)
  );
}

export function sameServer<State, Payload>(
  a: ServerState<State, Payload>,
  b: ServerState<State, Payload>,
): boolean {
  const clients = Object.keys(b.clients);
  return (
    a.service === b.service &&
    Object.keys(a.clients).length === clients.length &&
    clients.every((client) => sameRecord(a.clients[client], b.clients[client])) &&
    sameItems(a.works, b.works, sameFields<Work<Payload>>)
  );
}

/** What a durable server saves, all of it in one go: an effect without its reply would run again. */
export interface SavedServer<State, Payload = Plain> {
  readonly service: State;
  readonly clients: Readonly<Record<ProcessId, SavedRecord<Payload>>>;
}

interface SavedRecord<Payload> {
  readonly incarnation: number;
  readonly pruned: number;
  readonly replies: readonly Answer<Payload>[];
}

export function savedOf<State, Payload>({
  service,
  clients,
}: ServerState<State, Payload>): SavedServer<State, Payload> {
  const saved = Object.entries(clients).map(([client, { incarnation, pruned, replies }]) => [
    client,
    { incarnation, pruned, replies: ringValues(replies) },
  ]);
  return { service, clients: Object.fromEntries(saved) };
}

export function serverFrom<State, Payload = Plain>(saved: unknown): ServerState<State, Payload> {
  // Its own save, and nothing else's.
  const { service, clients } = saved as SavedServer<State, Payload>;
  const records = Object.entries(clients).map(([client, { incarnation, pruned, replies }]) => [
    client,
    { client, incarnation, pruned, replies: ringOf(replies) },
  ]);
  return { role: "server", service, clients: Object.fromEntries(records), works: [] };
}

function sameRecord<Payload>(
  a: ClientRecord<Payload> | undefined,
  b: ClientRecord<Payload> | undefined,
): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.incarnation === b.incarnation && a.pruned === b.pruned && sameRing(a.replies, b.replies);
}

/** Kept answers never change. */
function sameRing<Payload>(a: SeqRing<Answer<Payload>>, b: SeqRing<Answer<Payload>>): boolean {
  return sameItems(a, b, (one, other) => one === other);
}

function sameItems<T>(
  a: readonly (T | null)[],
  b: readonly (T | null)[],
  same: (a: T, b: T) => boolean,
): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i];
      return one === other || (one !== null && other !== null && other !== undefined && same(one, other));
    })
  );
}

/** Fields are numbers, flags and references to what does not change. */
function sameFields<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(a) as (keyof T)[];
  return keys.every((key) => a[key] === b[key]);
}
