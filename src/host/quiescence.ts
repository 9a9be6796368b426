import type { ProcessId } from "../core/index.js";
import type { Status } from "./control.js";

/** What is known about a process that runs. */
export interface Report {
  readonly process: ProcessId;
  readonly status: Status;
  /** Commands handed to this incarnation. */
  readonly commandsGiven: number;
  /** Number of the last event that has been read from its file. */
  readonly read: number;
}

/**
 * Says that nothing is going on, as a fingerprint, or `undefined`. Two equal fingerprints from two rounds of reports,
 * one after the other, prove that nothing was going on in between: counters only rise, so a message under way would
 * show as sent and not received in one of the rounds (F. Mattern, "Algorithms for distributed termination
 * detection", Distributed Computing 2, 1987: the four-counter method).
 *
 * Messages lost with a broken connection count for neither end: counters belong to a connection, and both ends name
 * the one they mean.
 *
 * Where the transport itself may lose messages (`lossless` false) the counters prove nothing: what is equal for longer
 * than a message can be under way is then taken for still, and it is the caller who waits so long.
 */
export function stillness(reports: readonly Report[], lossless = true): string | undefined {
  for (const { status, commandsGiven, read } of reports) {
    if (status.timers > 0 || status.held > 0 || status.commands < commandsGiven || status.number !== read)
      return undefined;
  }
  const counters = new Map<
    string,
    { readonly sent: number; readonly received: number; readonly connection: string }
  >();
  for (const { process, status } of reports) {
    for (const link of status.links) counters.set(`${process}>${link.peer}`, link);
  }
  for (const { process: from } of reports) {
    for (const { process: to } of reports) {
      const there = counters.get(`${from}>${to}`);
      const back = counters.get(`${to}>${from}`);
      if (there === undefined || back === undefined) return undefined;
      if (there.connection !== back.connection || (lossless && there.sent !== back.received))
        return undefined;
    }
  }
  return JSON.stringify(
    reports.map(({ process, status }) => [process, status.number, status.commands, status.links]),
  );
}
