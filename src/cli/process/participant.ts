import { UsageError, type ProcessId } from "../../core/index.js";
import { TransportError } from "../../transports/index.js";

/** Longest message, in bytes of UTF-8: it fits into one frame of every transport. */
export const TEXT_BYTES_MAX = 32 * 1024;

/** One process of the group, while it runs. */
export interface Participant extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: string;
  /** Sends to all, or `to` one process; throws a `UsageError` for a text that cannot be sent. */
  say(text: string, to?: ProcessId): void;
}

/** Throws a `UsageError` unless the text can be sent. */
export function checkText(text: string, bytesMax = TEXT_BYTES_MAX): void {
  if (text === "") throw new UsageError("an empty message says nothing; write something");
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > bytesMax) {
    throw new UsageError(`a message has at most ${bytesMax} bytes of UTF-8; this one has ${bytes}`);
  }
  if (/\p{Cs}/u.test(text)) throw new UsageError("the message is not well-formed Unicode text");
}

/** An address that cannot be used is the caller's to change; any other error stays what it is. */
export function inUse(flag: string, error: unknown): unknown {
  if (!(error instanceof TransportError)) return error;
  return new UsageError(`${flag}: ${error.message}; choose another`, error.facts, { cause: error });
}
