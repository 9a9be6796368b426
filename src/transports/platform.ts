import { crc32 as nativeCrc32 } from "node:zlib";
import type { Crc32, PlatformText, SharedFrame } from "../wire/index.js";
import { ChunkPool, crc32 as plainCrc32, sharedFrame } from "../wire/index.js";

// Below this a native call costs more than the bytes: 300 ns against 1 ns a byte.
const NATIVE_BYTES_MIN = 256;

/** CRC-32 by Node's zlib, 3.6 GB/s against 1 GB/s, where there are enough bytes for it. */
export const nodeCrc32: Crc32 = (bytes, start, end) =>
  end - start < NATIVE_BYTES_MIN ? plainCrc32(bytes, start, end) : nativeCrc32(bytes.subarray(start, end));

/** Node's UTF-8, for `createPlainCodec`. */
export const nodeText: PlatformText = platformText();

/** Buffers as sockets want them, not cleared first. Up to 4 MiB of idle ones are kept. */
export function nodeChunkPool(): ChunkPool {
  return new ChunkPool((bytes) => Buffer.allocUnsafeSlow(bytes));
}

/**
 * Where every socket that may read into memory of ours does: one buffer for all, as what one read brings is dealt with
 * before the next. Several large frames fit, so that they are parsed where they lie and answered in one write.
 */
export function readBuffer(): Buffer {
  return (room ??= Buffer.allocUnsafeSlow(READ_BYTES));
}

const READ_BYTES = 256 * 1024;
let room: Buffer | undefined;

/** A frame that goes to many connections, encoded once; `bytes` must stay as they are. */
export function shareFrame(bytes: Uint8Array): SharedFrame {
  return sharedFrame(bytes, nodeCrc32, (length) => Buffer.allocUnsafeSlow(length));
}

function platformText(): PlatformText {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return {
    isWellFormed: (text) => !/\p{Surrogate}/u.test(text),
    encodeInto: (text, bytes) => encoder.encodeInto(text, bytes),
    decode: (bytes) => decoder.decode(bytes),
  };
}
