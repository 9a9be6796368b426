import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Server } from "node:net";
import { systemCode } from "./transport-error.js";

/** No more lines than one in so long. Milliseconds. */
const QUIET_MS = 1_000;

/**
 * Tells when connections cannot be taken for want of file descriptors, at most once a second.
 *
 * Node does not: with the last descriptor it accepts what comes and ends it at once, and the server hears of nothing. So
 * each connection that is taken is followed by the question whether there is room for one more.
 */
export function watchDescriptors(
  server: Server,
  tell: (problem: string) => void,
  { problemNow = noDescriptor, now = () => performance.now() } = {},
): void {
  let quietUntil = -Infinity;
  server.on("connection", () => {
    const at = now();
    if (at < quietUntil) return;
    const problem = problemNow();
    if (problem === undefined) return;
    quietUntil = at + QUIET_MS;
    tell(`no file descriptor is left (${problem}; see ulimit -n): connections are ended as they come`);
  });
}

/** What the system says to opening a file, when it has no descriptor for it. */
function noDescriptor(): string | undefined {
  try {
    closeSync(openSync(devNull, "r"));
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    return code === "EMFILE" || code === "ENFILE" ? code : undefined;
  }
}
