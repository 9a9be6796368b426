import { LightconeError } from "../core/index.js";

/** A receiver of this format reads no more of a datagram. */
export const CLASSIC_DATAGRAM_BYTES_MAX = 1024;

/** One message of the classic vector-clock processes. */
export interface ClassicMessage {
  /** Empty: only the message's place in the order, for a process that it is not meant for. */
  readonly content: string;
  /** Id of the sender, from 0. */
  readonly pid: number;
  /** What the sender says its address is: IPv4. */
  readonly address: string;
  /** One entry per process, in the order of their ids; the sender's own counts this message. */
  readonly vector: readonly number[];
}

/** `content`: the message is too long for the format. The others: what came is none. */
export type ClassicFormatErrorCode =
  "too-long" | "not-text" | "wrong-form" | "wrong-process" | "wrong-vector";

/** A datagram that is not one of this format, or a message that cannot become one. */
export class ClassicFormatError extends LightconeError {
  declare readonly code: ClassicFormatErrorCode;

  constructor(code: ClassicFormatErrorCode, message: string) {
    super(code, message);
  }
}

/** The datagram `CONTENT:PID:IP:V0, V1, V2`; throws {@link ClassicFormatError} when it would be too long. */
export function encodeClassicMessage({ content, pid, address, vector }: ClassicMessage): Uint8Array {
  const bytes = new TextEncoder().encode(`${content}:${pid}:${address}:${vector.join(", ")}`);
  if (bytes.length > CLASSIC_DATAGRAM_BYTES_MAX) {
    throw new ClassicFormatError(
      "too-long",
      `the message makes a datagram of ${bytes.length} bytes; the classic format has at most ${CLASSIC_DATAGRAM_BYTES_MAX}`,
    );
  }
  return bytes;
}

/**
 * Reads a datagram of a group of `processes`. The parts are split off from the right, so colons in the content do no
 * harm. Throws {@link ClassicFormatError} for whatever else came.
 */
export function decodeClassicMessage(datagram: Uint8Array, processes: number): ClassicMessage {
  if (datagram.length > CLASSIC_DATAGRAM_BYTES_MAX) {
    throw new ClassicFormatError(
      "too-long",
      `it has ${datagram.length} bytes; at most ${CLASSIC_DATAGRAM_BYTES_MAX}`,
    );
  }
  const match = /^(.*):([0-9]{1,4}):([0-9.]{7,15}):([0-9, -]+)$/s.exec(textOf(datagram));
  const [, content = "", digits = "", address = "", entries = ""] = match ?? [];
  if (match === null)
    throw new ClassicFormatError("wrong-form", "it has not the form CONTENT:PID:IP:V0, V1, …");
  const pid = Number(digits);
  if (pid >= processes)
    throw new ClassicFormatError("wrong-process", `its process ${pid} is not of this group`);
  const vector = entries.split(",").map((entry) => (/^ *[0-9]{1,15} *$/.test(entry) ? Number(entry) : NaN));
  if (vector.some(Number.isNaN))
    throw new ClassicFormatError("wrong-vector", "an entry of its vector is no count");
  if (vector.length !== processes) {
    throw new ClassicFormatError("wrong-vector", `its vector has ${vector.length} entries, not ${processes}`);
  }
  if (vector[pid] === 0) throw new ClassicFormatError("wrong-vector", "its sender has not counted it");
  return { content, pid, address, vector };
}

function textOf(bytes: Uint8Array): string {
  try {
    // The byte order mark is kept: it is the sender's text.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ClassicFormatError("not-text", "it is not UTF-8");
  }
}
