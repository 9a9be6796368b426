import { closeSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { identifyFifo, makeFifos, openFifo, removeFifo, type FifoIdentity } from "./fifo-file.js";
import { checkFolderToDial, doorPath, freshId, pairPaths } from "./fifo-folder.js";
import { encodeKnock } from "./fifo-knock.js";
import { FifoPair } from "./fifo-pair.js";
import { CONNECT_MS_MAX, HANDSHAKE_MS_MAX } from "./limits.js";
import type { StreamShared } from "./stream-connection.js";
import { StreamConnection } from "./stream-connection.js";
import { handshakeError } from "./stream-transport.js";
import type { Connection, DialOptions } from "./transport.js";
import { systemCode, TransportError } from "./transport-error.js";

// A knock waits in the pipe: nothing tells whoever knocked that the listener has died before it answered, but looking.
const LOOK_MS = 50;

// The door is full when 1,489 others have knocked and nobody has answered.
const FULL_DOOR_MS = 5;

/** Makes a pair of FIFOs, knocks and shakes hands. Rejects when nothing is left of it, as `Transport.dial` says. */
export async function dialFifo(
  folder: string,
  address: string,
  options: DialOptions,
  shared: StreamShared,
): Promise<Connection> {
  const { signal, connectMsMax = CONNECT_MS_MAX, handshakeMsMax = HANDSHAKE_MS_MAX } = options;
  signal?.throwIfAborted();
  checkFolderToDial(folder, address);
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    giveUp.abort(
      new TransportError("timed-out", `${address} did not answer within ${connectMsMax} ms`, { address }),
    );
  }, connectMsMax);
  try {
    const door = identifyDoor(folder, address);
    const id = freshId();
    const paths = pairPaths(folder, id);
    try {
      const pair = await knock(folder, address, door, id, giveUp.signal);
      return await shakeHands(pair, folder, address, door, handshakeMsMax, giveUp.signal, shared);
    } finally {
      removeFifo(paths.up);
      removeFifo(paths.down);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A pair whose FIFOs are made, open and announced; rejects with `signal.reason`, or with the listener's absence. */
async function knock(
  folder: string,
  address: string,
  doorIdentity: FifoIdentity,
  id: string,
  signal: AbortSignal,
): Promise<FifoPair> {
  const paths = pairPaths(folder, id);
  const door = openDoor(folder, address, doorIdentity);
  const open: number[] = [door];
  try {
    await makeFifos([paths.up, paths.down]);
    signal.throwIfAborted();
    const up = identifyFifo(paths.up);
    const down = identifyFifo(paths.down);
    const opened = (fd: number): number => (open.push(fd), fd);
    // Nobody can open a FIFO for writing that nobody reads, and a reader whom nobody writes to sees an end: until the
    // listener has opened its ends, we stand in for it.
    const reading = opened(openFifo(paths.down, "read", down));
    const listenersWriting = opened(openFifo(paths.down, "write", down));
    const listenersReading = opened(openFifo(paths.up, "read", up));
    const writing = opened(openFifo(paths.up, "write", up));
    await putThrough(door, encodeKnock(id, up, down), address, signal);
    open.splice(0);
    closeSync(door);
    return new FifoPair(reading, writing, [listenersWriting, listenersReading]);
  } catch (error) {
    for (const fd of open) closeSync(fd);
    throw signal.aborted ? signal.reason : error;
  }
}

async function putThrough(
  door: number,
  bytes: Uint8Array,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      // All or nothing, for it is shorter than PIPE_BUF.
      writeSync(door, bytes);
      return;
    } catch (cause) {
      if (systemCode(cause) === "EPIPE") throw nobody(address, cause);
      if (systemCode(cause) !== "EAGAIN") throw cause;
    }
    await pause(FULL_DOOR_MS, undefined, { signal });
  }
}

function shakeHands(
  pair: FifoPair,
  folder: string,
  address: string,
  door: FifoIdentity,
  handshakeMsMax: number,
  signal: AbortSignal,
  shared: StreamShared,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let refusal: TransportError | undefined;
    const onAbort = (): void => void pair.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    const look = setInterval(() => {
      try {
        closeSync(openDoor(folder, address, door));
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        refusal = error;
        pair.destroy();
      }
    }, LOOK_MS);
    const forget = (): void => {
      clearInterval(look);
      signal.removeEventListener("abort", onAbort);
    };
    const connection = new StreamConnection(pair, address, shared, handshakeMsMax, () => {
      forget();
      resolve(connection);
    });
    // Reaches nobody once the promise has been resolved.
    void connection.closed.then((reason) => {
      forget();
      if (signal.aborted) reject(signal.reason);
      else reject(refusal ?? handshakeError(reason, address, undefined));
    });
  });
}

function identifyDoor(folder: string, address: string): FifoIdentity {
  try {
    return identifyFifo(doorPath(folder));
  } catch (error) {
    throw isAbsence(error) ? nobody(address, error) : error;
  }
}

/** Throws `refused` when nobody listens behind it, or it is another listener's by now. */
function openDoor(folder: string, address: string, door: FifoIdentity): number {
  try {
    return openFifo(doorPath(folder), "write", door);
  } catch (error) {
    throw isAbsence(error) ? nobody(address, error) : error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof TransportError && error.code === "refused";
}

function nobody(address: string, cause: unknown): TransportError {
  return new TransportError("refused", `nobody listens at ${address}`, { address }, { cause });
}
