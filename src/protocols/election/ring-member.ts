import type { Context, ProcessId } from "../../core/index.js";

/** The next process on the ring that is the order of all, round from the last to the first; leaves `skipped` out. */
export function successor(
  { self, processes }: Pick<Context<never>, "self" | "processes">,
  skipped: readonly ProcessId[],
): ProcessId {
  const place = processes.indexOf(self);
  const round = [...processes.slice(place + 1), ...processes.slice(0, place)];
  return round.find((process) => !skipped.includes(process)) ?? self;
}
