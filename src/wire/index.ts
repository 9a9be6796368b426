export * from "./batch-decoder.js";
export * from "./batch-encoder.js";
export type { PreambleStatus } from "./batch-format.js";
export {
  checkPreamble,
  FRAME_BYTES_MAX,
  goodbye,
  preamble,
  PREAMBLE_BYTES,
  preambleStatus,
  WIRE_VERSION,
} from "./batch-format.js";
export * from "./byte-writer.js";
export * from "./chunk-pool.js";
export * from "./codec.js";
export * from "./crc32.js";
export * from "./errors.js";
export * from "./message.js";
export * from "./plain-codec.js";
export type { PlatformText } from "./text.js";
