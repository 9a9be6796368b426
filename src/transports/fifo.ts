import { UsageError } from "../core/index.js";
import { dialFifo } from "./fifo-dial.js";
import { listenFifo } from "./fifo-listener.js";
import type { StreamOptions } from "./stream-transport.js";
import { streamShared } from "./stream-transport.js";
import type { Transport } from "./transport.js";
import { TransportError } from "./transport-error.js";

/** Longest path of a listener's folder; the names inside need the rest of the system's 4,096. Bytes. */
export const FIFO_FOLDER_BYTES_MAX = 4_000;

/**
 * Named pipes: `fifo:///FOLDER`, percent-encoded where a URL must be. For processes of one user on one machine.
 *
 * The listener makes the folder (0700), or takes one that is this user's alone, and hangs a door in it: a FIFO. Whoever
 * dials makes a pair of FIFOs in the folder and writes one knock through the door; once both sides have opened both,
 * their names are removed, so that nobody else ever writes into them and nothing is left when both are killed. Needs
 * the command `mkfifo`; without it `listen` and `dial` reject with `mkfifo-missing`.
 */
export function createFifoTransport(options: StreamOptions = {}): Transport {
  const shared = streamShared(options);
  return {
    scheme: "fifo",
    promises: { ordered: true, reliable: true, frameBytesMax: shared.frameBytesMax },

    async listen(address, accept, listenOptions = {}) {
      return listenFifo(parseFifoAddress(address), address, accept, listenOptions, shared);
    },

    async dial(address, dialOptions = {}) {
      return dialFifo(parseFifoAddress(address), address, dialOptions, shared);
    },
  };
}

/** The usual one. */
export const fifo: Transport = createFifoTransport();

/** The folder in `fifo:///FOLDER`; throws a {@link UsageError} that shows the form, or `path-too-long`. */
export function parseFifoAddress(address: string): string {
  const folder = decodeFolder(address);
  if (folder === undefined || !folder.startsWith("/") || folder.endsWith("/") || folder.includes("\0")) {
    throw new UsageError(
      `fifo:///FOLDER expected, such as fifo:///run/user/1000/p1; got ${JSON.stringify(address)}`,
      { address },
    );
  }
  const bytes = Buffer.byteLength(folder);
  if (bytes > FIFO_FOLDER_BYTES_MAX) {
    throw new TransportError(
      "path-too-long",
      `a folder for named pipes has at most ${FIFO_FOLDER_BYTES_MAX} bytes, this one has ${bytes}`,
      { bytes, bytesMax: FIFO_FOLDER_BYTES_MAX },
    );
  }
  return folder;
}

/** `fifo:///FOLDER` for a folder. */
export function fifoAddress(folder: string): string {
  return `fifo://${folder.split("/").map(encodeURIComponent).join("/")}`;
}

function decodeFolder(address: string): string | undefined {
  if (!address.startsWith("fifo://")) return undefined;
  try {
    return decodeURIComponent(address.slice("fifo://".length));
  } catch {
    // A lone % or bytes that are not UTF-8: not of the form.
    return undefined;
  }
}
