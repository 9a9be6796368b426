import { isUtf8 } from "node:buffer";
import { connect, type Socket } from "node:net";
import { UsageError } from "../core/index.js";
import { dialError, parseTcpAddress, systemCode, TransportError } from "../transports/index.js";
import { ClassicError, quote, type ClassicCallOptions } from "./classic-format.js";
import { speaksFrames } from "./classic-text.js";

/** Longer replies are cut off, and are no reply of these formats. Bytes. */
const REPLY_BYTES_MAX = 4_096;

/** A connection to a classic server. Rejects with `TransportError`, or with `signal.reason`. */
export function dialClassic({ to, msMax, signal }: ClassicCallOptions): Promise<Socket> {
  const at = parseTcpAddress(to);
  if (at.port === 0) throw new UsageError(`${to} has port 0; give the port that the server reports`);
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({ ...at, noDelay: true });
    const end = (error: unknown): void => {
      stop();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => end(signal?.reason);
    const onError = (cause: Error): void => end(dialError(cause, to));
    const timer = setTimeout(() => end(timedOut(to, msMax)), msMax);
    const stop = (): void => {
      clearTimeout(timer);
      socket.off("error", onError);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", () => {
      stop();
      resolve(socket);
    });
  });
}

/**
 * Sends a text and gives all that comes back until the server closes, or `over` says that it is enough.
 *
 * Rejects with `ClassicError` for what is no text, or too long, and with `TransportError` when the time is over or the
 * connection breaks.
 */
export async function exchangeText(
  request: string,
  options: ClassicCallOptions,
  over: (reply: string) => boolean,
): Promise<string> {
  const { to, msMax, signal } = options;
  const socket = await dialClassic(options);
  let bytes: Buffer = Buffer.alloc(0);
  try {
    return await new Promise<string>((resolve, reject) => {
      const read = (): string => {
        if (speaksFrames(bytes)) {
          throw new ClassicError("frames", `${to} speaks Lightcone's frames; leave out --classic`);
        }
        if (!isUtf8(bytes) || bytes.length > REPLY_BYTES_MAX) {
          const shown = quote(bytes.subarray(0, 60).toString("latin1"));
          throw new ClassicError(
            "bad-reply",
            `${to} answered ${bytes.length} bytes that are no reply: ${shown}`,
          );
        }
        return bytes.toString("utf8");
      };
      const timer = setTimeout(() => reject(timedOut(to, msMax)), msMax);
      const onAbort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      socket.once("close", () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      });
      const settle = (end: boolean): void => {
        try {
          // A character may be cut in two until all of it has come.
          if (end || bytes.length > REPLY_BYTES_MAX || speaksFrames(bytes)) resolve(read());
          else if (isUtf8(bytes) && over(bytes.toString("utf8"))) resolve(read());
        } catch (error) {
          reject(error);
        }
      };
      socket.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk.subarray(0, REPLY_BYTES_MAX + 1 - bytes.length)]);
        settle(false);
      });
      socket.on("end", () => settle(true));
      socket.on("error", (cause) => {
        // The published servers close over unread bytes, which resets; what came before is the reply.
        if (systemCode(cause) === "ECONNRESET" && bytes.length > 0) settle(true);
        else reject(new TransportError("closed", `${to} broke off: ${systemCode(cause)}`, { to }, { cause }));
      });
      socket.write(request);
    });
  } finally {
    socket.destroy();
  }
}

/** The error of a call that took too long. */
export function timedOut(to: string, msMax: number): TransportError {
  return new TransportError("timed-out", `${to} did not answer within ${msMax} ms`, { to, msMax });
}
