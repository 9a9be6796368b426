import { LightconeError } from "../core/index.js";

/**
 * The error of a call with frames, with a hint where the other side may be a classic server: its first bytes were no
 * frames, or (random numbers, which have no words for it) it ended the connection unanswered.
 */
export function withClassicHint(error: unknown, to: string): unknown {
  if (!(error instanceof LightconeError) || !to.startsWith("tcp:")) return error;
  const { code, message, facts } = error;
  const strange = code === "bad-magic" && !message.includes("TLS");
  const wordless = code === "refused" && message.endsWith("before its handshake");
  if (!strange && !wordless) return error;
  const hint = "if it was started with --classic, add --classic here";
  return new LightconeError(code, `${message}; ${hint}`, facts, { cause: error });
}
