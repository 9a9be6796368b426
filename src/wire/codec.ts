import type { ByteWriter } from "./byte-writer.js";

/** Turns the payload of a message into bytes and back. Both directions refuse what is not plain data (see `Plain`). */
export interface PayloadCodec {
  /** Appends `value` to `writer`; throws `UsageError` naming the first place that is not plain data. */
  encode(writer: ByteWriter, value: unknown): void;

  /** The value that `bytes` from `start` to `end` hold, all of them; throws `DecodeError`. */
  decode(bytes: Uint8Array, start: number, end: number): unknown;
}
