import { lstatSync, unlinkSync } from "node:fs";
import { chmod, lstat, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { UsageError } from "../core/index.js";
import type { StreamOptions } from "./stream-transport.js";
import { dialStream, listenStream, plainWay, streamShared } from "./stream-transport.js";
import type { Transport } from "./transport.js";
import { listenError, systemCode, TransportError } from "./transport-error.js";

/** The kernel has room for 107 bytes on Linux and 103 on macOS, and cuts off the rest without a word. */
export const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Unix sockets: `uds:///PATH`, percent-encoded where a URL must be. Only the user who listens can connect.
 *
 * The socket's folder must exist and be one in which nobody else can replace files. A socket that a dead process of
 * ours left behind is replaced; whatever else is in the way stays, and the address is in use.
 */
export function createUdsTransport(options: StreamOptions = {}): Transport {
  const shared = streamShared(options);
  return {
    scheme: "uds",
    promises: { ordered: true, reliable: true, frameBytesMax: shared.frameBytesMax },

    async listen(address, accept, listenOptions = {}) {
      const path = parseUdsAddress(address);
      await checkFolder(path, address);
      await removeStale(path, address);
      const { promise, created } = withPrivateUmask(() =>
        listenStream(
          { asked: address, at: { path }, address: () => address, remote: () => address },
          accept,
          listenOptions,
          shared,
        ),
      );
      const listener = await promise;
      // Where the umask could not be set, others could have connected for an instant; with 0700 folders they cannot.
      if (!created) {
        await chmod(path, 0o600).catch(async (cause: unknown) => {
          await listener.close();
          throw listenError(cause, address);
        });
      }
      return listener;
    },

    async dial(address, dialOptions = {}) {
      return dialStream(address, plainWay(address, { path: parseUdsAddress(address) }), dialOptions, shared);
    },
  };
}

/** The usual one. */
export const uds: Transport = createUdsTransport();

/** The path in `uds:///PATH`; throws a {@link UsageError} that shows the form, or `path-too-long`. */
export function parseUdsAddress(address: string): string {
  const path = decodePath(address);
  if (path === undefined || !path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    throw new UsageError(
      `uds:///PATH expected, such as uds:///run/user/1000/p1.sock; got ${JSON.stringify(address)}`,
      {
        address,
      },
    );
  }
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    throw new TransportError(
      "path-too-long",
      `a socket's path has at most ${SOCKET_PATH_BYTES_MAX} bytes, ${path} has ${bytes}; use a shorter folder`,
      { path, bytes, bytesMax: SOCKET_PATH_BYTES_MAX },
    );
  }
  return path;
}

/** `uds:///PATH` for a path. */
export function udsAddress(path: string): string {
  return `uds://${path.split("/").map(encodeURIComponent).join("/")}`;
}

function decodePath(address: string): string | undefined {
  if (!address.startsWith("uds://")) return undefined;
  try {
    return decodeURIComponent(address.slice("uds://".length));
  } catch {
    // A lone % or bytes that are not UTF-8: not of the form.
    return undefined;
  }
}

/** Whoever may write in the folder could put his socket in our place, unless the folder is sticky. */
async function checkFolder(path: string, address: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch((cause: unknown) => {
    throw new TransportError(
      "address-unavailable",
      `${folder} is no folder; create it first`,
      { address },
      { cause },
    );
  });
  const user = process.getuid?.();
  if (user === undefined) return;
  const ownedByOthers = found.uid !== user && found.uid !== 0;
  const writableByOthers = (found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0;
  if (ownedByOthers || writableByOthers) {
    throw new TransportError(
      "not-permitted",
      `others can replace files in ${folder}; use a folder of your own (chmod 700)`,
      { address, folder },
    );
  }
}

async function removeStale(path: string, address: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw listenError(error, address);
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new TransportError("address-in-use", `${path} exists and is not a socket`, { address });
  }
  const user = process.getuid?.();
  if (user !== undefined && found.uid !== user) {
    throw new TransportError("address-in-use", `${path} is another user's socket`, { address });
  }
  if (await isLive(path)) {
    throw new TransportError("address-in-use", `${address} is in use by another process`, { address });
  }
  // Still the same file? Somebody else may have cleared it away and listen there by now. An instant remains between
  // these two calls; two processes that start at one address at once are the supervisor's mistake.
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now?.ino === found.ino && now.dev === found.dev) unlinkSync(path);
}

/** Whether anybody listens. Anything but a clear refusal counts as yes: better an error than another's socket gone. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(1_000, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", (error) =>
      settle(systemCode(error) !== "ECONNREFUSED" && systemCode(error) !== "ENOENT"),
    );

    function settle(live: boolean): void {
      resolve(live);
      socket.destroy();
    }
  });
}

/**
 * Runs `start`, whose socket is made before it returns, so that nobody else can connect from the first instant.
 * `created`: the mode is right already. In a worker thread the mask cannot be set.
 */
function withPrivateUmask<T>(start: () => T): { readonly promise: T; readonly created: boolean } {
  if (!isMainThread) return { promise: start(), created: false };
  const before = process.umask(0o177);
  try {
    return { promise: start(), created: true };
  } finally {
    process.umask(before);
  }
}
