import { UsageError, type ProcessId } from "../../core/index.js";

/** What a process's user asks of any election protocol: it misses a leader, or suspects that there is none. */
export interface ElectionCommand {
  readonly kind: "elect";
}

/** What any election protocol tells its user; checkers read these. */
export type ElectionOutput =
  /** It takes part from here on. */
  | { readonly kind: "started" }
  /** It knows the leader; the leader itself says so first. */
  | { readonly kind: "elected"; readonly leader: ProcessId };

/** Distinct numbers by which processes are compared; the highest wins. */
export type Ids = Readonly<Record<ProcessId, number>>;

/**
 * Reads `3 1 2`: the ids of the first, the second, … process. Throws a {@link UsageError} when there are not as many as
 * processes, when one is no whole number, or when two are the same.
 */
export function parseIds(text: string, processes: readonly ProcessId[]): Ids {
  const numbers = text
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .map((word) => {
      if (!/^[0-9]{1,15}$/.test(word)) throw new UsageError(`an id is a whole number; "${word}" given`);
      return Number(word);
    });
  if (numbers.length !== processes.length) {
    throw new UsageError(`${numbers.length} ids for ${processes.length} processes; give one for each`);
  }
  const again = numbers.find((id, place) => numbers.indexOf(id) !== place);
  if (again !== undefined)
    throw new UsageError(
      `two processes have the id ${again}, and neither could win; give each an id of its own`,
    );
  return Object.fromEntries(processes.map((process, place) => [process, numbers[place] ?? 0]));
}
