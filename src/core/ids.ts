import { UsageError } from "./errors.js";

/** A participant's name, such as `P2`: unique in a run, 1 to 64 characters of letters, digits, `_`, `.` and `-`. */
export type ProcessId = string;

/** Names an event by its process and its place there, counted from 1: `P2:8`. */
export type EventId = string;

/**
 * The lane of what happens to the network and to processes from outside: partitions, pauses, a message that
 * reaches a crashed process. No participant may use the name.
 */
export const NETWORK: ProcessId = "net";

/** More would make a vector clock larger than most messages; a stated limit rather than a slow surprise. */
export const PROCESSES_MAX = 4096;

/** `P1` … `Pn`. */
export function processNames(count: number): ProcessId[] {
  return Array.from({ length: count }, (_, i) => `P${i + 1}`);
}

export function eventId(process: ProcessId, number: number): EventId {
  return `${process}:${number}`;
}

/** Splits `P2:8`; throws a {@link UsageError} that shows the form when the text has another. */
export function parseEventId(text: string): { process: ProcessId; number: number } {
  const match = /^([A-Za-z0-9_.-]{1,64}):([1-9][0-9]{0,15})$/.exec(text);
  const [, process, number] = match ?? [];
  if (process === undefined || number === undefined) {
    throw new UsageError(`"${text}" does not name an event; an event is PROCESS:NUMBER, such as P2:8`);
  }
  return { process, number: Number(number) };
}

/** Names a call everywhere and for ever: `P2#7`, or `P2#7@1` in the client's second incarnation. */
export type OperationId = string;

export function operationId(client: ProcessId, incarnation: number, seq: number): OperationId {
  return incarnation === 0 ? `${client}#${seq}` : `${client}#${seq}@${incarnation}`;
}

/** Throws a {@link UsageError} unless the names can be the participants of one run. */
export function checkProcessNames(names: readonly string[]): void {
  if (names.length === 0) throw new UsageError("a run needs at least one process");
  if (names.length > PROCESSES_MAX) {
    throw new UsageError(`${names.length} processes; a run has at most ${PROCESSES_MAX}`);
  }
  const seen = new Set<string>();
  for (const name of names) {
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) {
      throw new UsageError(
        `"${name}" cannot name a process; a name has 1 to 64 letters, digits, "_", "." or "-"`,
      );
    }
    // State keyed by process name could not hold it.
    if (name === "__proto__") throw new UsageError(`"__proto__" cannot name a process; give it another name`);
    if (name === NETWORK)
      throw new UsageError(`"${NETWORK}" names the network's own lane; give the process another name`);
    if (seen.has(name)) throw new UsageError(`two processes are called "${name}"; names must differ`);
    seen.add(name);
  }
}
