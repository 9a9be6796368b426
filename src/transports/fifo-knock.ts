import { crc32 } from "../wire/index.js";
import type { FifoIdentity } from "./fifo-file.js";

// How whoever dials says which pair of FIFOs he has made. Many write to one door, so a knock must be written whole:
// POSIX promises that up to PIPE_BUF, at least 512 bytes.
//
//   C3 4C 4B 4E  version 0 0 0  id:16  up inode:u64  down inode:u64  crc:u32   (little-endian)

const MAGIC = [0xc3, 0x4c, 0x4b, 0x4e] as const;
const VERSION = 1;
const ID_AT = 8;
const UP_AT = 24;
const DOWN_AT = 32;
const CRC_AT = 40;

export const KNOCK_BYTES = 44;
export const PAIR_ID_BYTES = 16;

/** A pair of FIFOs that waits to be opened: `up` from whoever dialled, `down` to him. */
export interface Knock {
  /** 32 hexadecimal digits: what the FIFOs are called. */
  readonly id: string;
  readonly up: bigint;
  readonly down: bigint;
}

export function encodeKnock(id: string, up: FifoIdentity, down: FifoIdentity): Uint8Array {
  const bytes = Buffer.alloc(KNOCK_BYTES);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = VERSION;
  bytes.write(id, ID_AT, "hex");
  bytes.writeBigUInt64LE(up.inode, UP_AT);
  bytes.writeBigUInt64LE(down.inode, DOWN_AT);
  bytes.writeUInt32LE(crc32(bytes, 0, CRC_AT), CRC_AT);
  return bytes;
}

/** Finds the knocks in what comes through a door, whatever else somebody may have written into it. */
export class KnockReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The knocks that are whole, and how many bytes were none. Keeps less than one knock. */
  push(chunk: Buffer): { readonly knocks: readonly Knock[]; readonly strayBytes: number } {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const knocks: Knock[] = [];
    let at = 0;
    let strayBytes = 0;
    while (bytes.length - at >= KNOCK_BYTES) {
      const knock = decodeKnock(bytes.subarray(at, at + KNOCK_BYTES));
      if (knock !== undefined) knocks.push(knock);
      else strayBytes++;
      at += knock === undefined ? 1 : KNOCK_BYTES;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return { knocks, strayBytes };
  }
}

function decodeKnock(bytes: Buffer): Knock | undefined {
  if (MAGIC.some((byte, i) => bytes[i] !== byte) || bytes[MAGIC.length] !== VERSION) return undefined;
  if (bytes.readUInt32LE(CRC_AT) !== crc32(bytes, 0, CRC_AT)) return undefined;
  return {
    id: bytes.toString("hex", ID_AT, ID_AT + PAIR_ID_BYTES),
    up: bytes.readBigUInt64LE(UP_AT),
    down: bytes.readBigUInt64LE(DOWN_AT),
  };
}
