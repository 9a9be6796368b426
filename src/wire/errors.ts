import { LightconeError } from "../core/index.js";

/** What can be wrong with bytes that claim to be batches, frames or message headers. */
export type FrameErrorCode = "bad-magic" | "version" | "bad-checksum" | "frame-too-long" | "protocol-error";

/**
 * A peer sent what no peer may send, or the caller asked to send what no peer may receive (`frame-too-long`).
 * After one of these a stream cannot be trusted any more: end the connection.
 */
export class FrameError extends LightconeError {
  declare readonly code: FrameErrorCode;

  constructor(code: FrameErrorCode, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(code, message, facts);
  }
}

/** What can be wrong with the payload of a message: the frame was whole, its content is not plain data. */
export type DecodeErrorCode =
  "truncated" | "trailing-bytes" | "depth" | "count" | "bad-text" | "bad-key" | "not-plain";

/** A payload that is not plain data in our encoding. The connection is still sound; the message is lost. */
export class DecodeError extends LightconeError {
  declare readonly code: DecodeErrorCode;

  constructor(
    code: DecodeErrorCode,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, facts, options);
  }
}
