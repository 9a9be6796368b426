import { LightconeError } from "../core/index.js";
import type { FrameErrorCode } from "../wire/index.js";

export type TransportErrorCode =
  | "address-in-use"
  | "address-unavailable"
  | "path-too-long"
  | "not-permitted"
  | "refused"
  | "unreachable"
  | "timed-out"
  | "handshake-timeout"
  | "limit"
  | "bad-certificate"
  | "closed"
  | "buffer-full"
  | "accept-failed"
  | "mkfifo-missing"
  | FrameErrorCode;

/** The network, the machine or the other side did not do its part; `facts` has the address. */
export class TransportError extends LightconeError {
  declare readonly code: TransportErrorCode;

  constructor(
    code: TransportErrorCode,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, facts, options);
  }
}

/** The system's own code, such as `ECONNREFUSED`, or `""`. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return "";
  return error.code;
}

/** What a failed `listen` means to whoever asked for it. */
export function listenError(cause: unknown, address: string): TransportError {
  const system = systemCode(cause);
  switch (system) {
    case "EADDRINUSE":
      return new TransportError(
        "address-in-use",
        `${address} is in use by another process`,
        { address },
        { cause },
      );
    case "EACCES":
    case "EPERM":
      return new TransportError(
        "not-permitted",
        `not permitted to listen at ${address}`,
        { address },
        { cause },
      );
    default:
      return new TransportError(
        "address-unavailable",
        `cannot listen at ${address}: ${system || "the system refused"}`,
        { address, system },
        { cause },
      );
  }
}

/** What a failed `dial` means to whoever asked for it. */
export function dialError(cause: unknown, address: string): TransportError {
  const system = systemCode(cause);
  switch (system) {
    case "ECONNREFUSED":
    case "ENOENT":
    case "ENOTSOCK":
    case "ECONNRESET":
    case "EPIPE":
      return new TransportError("refused", `nobody listens at ${address}`, { address, system }, { cause });
    case "EACCES":
    case "EPERM":
      return new TransportError(
        "not-permitted",
        `not permitted to connect to ${address}`,
        { address },
        { cause },
      );
    case "ETIMEDOUT":
      return new TransportError("timed-out", `${address} does not answer`, { address }, { cause });
    default:
      return new TransportError(
        "unreachable",
        `cannot reach ${address}: ${system || "the system refused"}`,
        { address, system },
        { cause },
      );
  }
}
