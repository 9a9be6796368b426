import { closeSync, linkSync, lstatSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import type { FifoIdentity } from "./fifo-file.js";
import { identifyFifo, makeFifos, openFifo, removeFifo } from "./fifo-file.js";
import { claimFolder, doorPath, freshId, leaveFolder, pairPaths, sweepFolder } from "./fifo-folder.js";
import type { Knock } from "./fifo-knock.js";
import { KnockReader } from "./fifo-knock.js";
import { FifoPair } from "./fifo-pair.js";
import { StreamAdmission } from "./stream-admission.js";
import type { StreamShared } from "./stream-connection.js";
import type { Connection, Listener, ListenOptions } from "./transport.js";
import { systemCode, TransportError } from "./transport-error.js";

/** Claims the folder, hangs its door and answers who knocks. */
export async function listenFifo(
  folder: string,
  address: string,
  accept: (connection: Connection) => void,
  options: ListenOptions,
  shared: StreamShared,
): Promise<Listener> {
  const { made } = claimFolder(folder, address);
  try {
    const door = await hangDoor(folder, address);
    return new FifoListener(
      folder,
      address,
      made,
      door,
      new StreamAdmission(address, accept, options, shared),
    );
  } catch (error) {
    if (made) leaveFolder(folder);
    throw error;
  }
}

interface Door {
  readonly fd: number;
  readonly identity: FifoIdentity;
}

class FifoListener implements Listener {
  readonly address: string;
  readonly #folder: string;
  readonly #madeFolder: boolean;
  readonly #door: FifoIdentity;
  readonly #socket: Socket;
  readonly #knocks = new KnockReader();
  readonly #admission: StreamAdmission;
  #closed: Promise<void> | undefined;

  constructor(folder: string, address: string, madeFolder: boolean, door: Door, admission: StreamAdmission) {
    this.address = address;
    this.#folder = folder;
    this.#madeFolder = madeFolder;
    this.#door = door.identity;
    this.#admission = admission;
    // Open for writing, too, so that the door stays open while nobody knocks.
    this.#socket = new Socket({ fd: door.fd, readable: true, writable: false });
    this.#socket.on("data", (chunk: Buffer) => this.#onKnocks(chunk));
    this.#socket.on("error", (cause) => {
      admission.problem(
        new TransportError("accept-failed", `${address} cannot be knocked at any more`, {}, { cause }),
      );
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onKnocks(chunk: Buffer): void {
    const { knocks, strayBytes } = this.#knocks.push(chunk);
    if (strayBytes > 0) {
      this.#admission.problem(
        new TransportError("bad-magic", `${strayBytes} bytes at the door of ${this.address} were no knock`, {
          strayBytes,
        }),
      );
    }
    for (const knock of knocks) if (this.#closed === undefined) this.#answer(knock);
  }

  #answer(knock: Knock): void {
    const { up, down } = pairPaths(this.#folder, knock.id);
    const { device } = this.#door;
    let reading: number | undefined;
    try {
      reading = openFifo(up, "read", { device, inode: knock.up });
      const writing = openFifo(down, "write", { device, inode: knock.down });
      // Both ends are open on both sides: without names nobody else can ever write into them.
      removeFifo(up);
      removeFifo(down);
      this.#admission.take(new FifoPair(reading, writing), this.address);
    } catch (error) {
      if (reading !== undefined) closeSync(reading);
      if (!(error instanceof TransportError)) throw error;
      this.#admission.problem(error);
    }
  }

  async #end(): Promise<void> {
    // First nobody finds the door any more; who has knocked and got no answer sees that, too.
    if (isDoor(this.#folder, this.#door)) removeFifo(doorPath(this.#folder));
    const shut = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.destroy();
    await this.#admission.close();
    await shut;
    sweepFolder(this.#folder);
    if (this.#madeFolder) leaveFolder(this.#folder);
  }
}

/** Whether the folder's door is still the one that was hung. */
function isDoor(folder: string, { device, inode }: FifoIdentity): boolean {
  const found = lstatSync(doorPath(folder), { bigint: true, throwIfNoEntry: false });
  return found?.dev === device && found.ino === inode;
}

/**
 * Makes a door under a passing name, opens it, and only then gives it the name by which it is found: of several
 * listeners one gets it, and whoever finds a door finds somebody behind it.
 */
async function hangDoor(folder: string, address: string): Promise<Door> {
  const passing = join(folder, `${freshId()}.door`);
  await makeFifos([passing]);
  let fd: number | undefined;
  try {
    const identity = identifyFifo(passing);
    fd = openFifo(passing, "both", identity);
    if (!nameDoor(passing, folder)) {
      removeDeadDoor(folder, address);
      if (!nameDoor(passing, folder)) throw inUse(address);
    }
    // Nobody else listens here: what lies around was left by the dead.
    sweepFolder(folder);
    return { fd, identity };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    removeFifo(passing);
    // Another listener has swept the folder: then it listens here.
    throw error instanceof TransportError && error.code === "refused" ? inUse(address) : error;
  }
}

/** False when there is something at the door's place. */
function nameDoor(passing: string, folder: string): boolean {
  try {
    linkSync(passing, doorPath(folder));
    return true;
  } catch (error) {
    // No passing name any more: swept by another listener, see above.
    if (systemCode(error) === "EEXIST" || systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Throws `address-in-use` unless what is there is a FIFO of ours behind which nobody listens. */
function removeDeadDoor(folder: string, address: string): void {
  const path = doorPath(folder);
  let found: FifoIdentity | undefined;
  try {
    found = identifyFifo(path);
    closeSync(openFifo(path, "write", found));
  } catch (error) {
    if (error instanceof TransportError && error.code === "refused") {
      // Still the same one? An instant remains between these two calls; two processes that start at one address at
      // once are the supervisor's mistake.
      if (found !== undefined && isDoor(folder, found)) removeFifo(path);
      return;
    }
    if (error instanceof TransportError && error.code === "not-permitted") {
      throw new TransportError("address-in-use", `${address} is taken: ${error.message}`, { address });
    }
    throw error;
  }
  throw inUse(address);
}

function inUse(address: string): TransportError {
  return new TransportError("address-in-use", `${address} is in use by another process`, { address });
}
