import { join } from "node:path";
import { UsageError } from "../core/index.js";
import { fifoAddress, udsAddress } from "../transports/index.js";

/**
 * Where one incarnation of a process listens for its peers: a port of the system's choice on the loopback interface,
 * or a path in the run's folder for transports that use the file system.
 *
 * Throws `UsageError` for a transport that cannot join operating-system processes.
 */
export function meshAddress(scheme: string, folder: string, index: number, incarnation: number): string {
  switch (scheme) {
    case "memory":
      throw new UsageError(
        'the transport "memory" joins hosts of one program only; take tcp or uds to run processes',
      );
    case "uds":
      return udsAddress(join(folder, `${index}.${incarnation}.sock`));
    case "fifo":
      return fifoAddress(join(folder, `${index}.${incarnation}.fifo`));
    default:
      return `${scheme}://127.0.0.1:0`;
  }
}
