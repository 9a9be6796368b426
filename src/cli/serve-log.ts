import { escapeText, UsageError } from "../core/index.js";
import { messageOf } from "../host/index.js";
import { RotatingLog } from "./process/rotating-log.js";
import type { Terminal } from "./terminal.js";

// Our own file rather than pino's: pino rotates in a worker thread, which loses the last lines of a process that is
// killed, and writes JSON, which is not what one reads while a server runs. A line here is one synchronous append.

/** One line of a log is cut at so many characters. */
const LINE_LENGTH_MAX = 4_000;

/**
 * Where a server tells what it does: lines with the time, to standard error or to a file that rotates.
 *
 * Throws `UsageError` when the file cannot be written.
 */
export function serveLog(file: string | undefined, terminal: Terminal): (line: string) => void {
  const write = file === undefined ? (line: string) => terminal.complain(line) : fileWriter(file, terminal);
  return (line) => {
    const safe = escapeText(line);
    const cut = safe.length > LINE_LENGTH_MAX ? `${safe.slice(0, LINE_LENGTH_MAX)}…` : safe;
    write(`${new Date().toISOString()} ${cut}`);
  };
}

function fileWriter(file: string, terminal: Terminal): (line: string) => void {
  try {
    const log = new RotatingLog(file, (problem) => terminal.complain(`lightcone: ${escapeText(problem)}`));
    return (line) => log.write(line);
  } catch (cause) {
    throw new UsageError(`--log: cannot write ${file}: ${messageOf(cause)}`, { file }, { cause });
  }
}
