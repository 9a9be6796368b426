import { escapeText, LightconeError } from "../core/index.js";

export type HostErrorCode =
  /** The token, the process or the incarnation that a connection claimed is not one this run accepts. */
  | "peer-refused"
  /** A peer sent what no correct host sends. */
  | "peer-violation"
  /** A control frame that is not one of the known messages. */
  | "control-invalid"
  /** A participant's process could not be started, ended unasked, or does not answer. */
  | "participant-failed"
  /** A handler of the protocol threw. */
  | "protocol-failed"
  /** The run's own folder cannot be made, or has unsafe owner or mode. */
  | "run-folder"
  /** What a process saved could not be written. */
  | "not-saved"
  /** A participant did not get as far as the beginning of the run: nothing was run. */
  | "not-started"
  /** The trace, or the events of a participant, could not be written: the disk is full, say. */
  | "trace-not-written";

/** Something that a process, a peer or the machine did to a real run. */
export class HostError extends LightconeError {
  declare readonly code: HostErrorCode;

  constructor(
    code: HostErrorCode,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, facts, options);
  }
}

/** Text from another process, safe to show on one terminal line each; longer than `max` characters is cut. */
export function safeText(text: string, max = 2000): string {
  return escapeText(text.length > max ? `${text.slice(0, max)}…` : text);
}

/** What went wrong, in one line, whatever was thrown. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "something that cannot be printed was thrown";
  }
}
