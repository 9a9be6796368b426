import { isUtf8 } from "node:buffer";
import type { CallOutcome } from "../protocols/index.js";
import { preamble, PREAMBLE_BYTES } from "../wire/index.js";
import { ERROR_PREFIX, quote, type ClassicServer, type ClassicServeOptions } from "./classic-format.js";
import { endWith, listenClassic, type ClassicCaller } from "./classic-listener.js";

// These formats have no end of a request: the published servers take what their first read gives. A request may come
// in pieces all the same, so one that looks whole is answered after a moment of silence, at once if it ends by a
// newline or with the client's side of the connection.

/** A request that could be whole is, when nothing has followed for so long. */
const WHOLE_AFTER_MS = 25;

/** One that is not whole will not be, when nothing has followed for so long. */
const CUT_OFF_AFTER_MS = 1_000;

/**
 * Between two writes, so that a client which reads once for each gets them one by one. TCP does not promise that: at
 * 25 ms one in fifty Python clients on a busy machine read both at once.
 */
const BETWEEN_WRITES_MS = 100;

/** A format of one text to the server and some back. */
export interface TextFormat {
  /** `certainly`: nothing can follow. `perhaps`: more could. `not-yet`: more must. */
  whole(request: string): "certainly" | "perhaps" | "not-yet";
  /** What is written before the answer or the error, as a write of its own. */
  readonly acknowledgement?: string;
  answer(request: string): TextAnswer;
}

export type TextAnswer =
  { readonly kind: "ok"; readonly text: string } | { readonly kind: "failed"; readonly reason: string };

/** Serves a text format over TCP: one request for each connection, however many there are. */
export function serveText(format: TextFormat, options: ClassicServeOptions): Promise<ClassicServer> {
  const { at, log, limits } = options;
  return listenClassic({
    at,
    log,
    text: true,
    take: (caller) => takeRequest(format, caller),
    ...(limits !== undefined && { limits }),
  });
}

function takeRequest(format: TextFormat, { socket, remote, limits, log, served }: ClassicCaller): void {
  let bytes: Buffer = Buffer.alloc(0);
  let answered = false;
  let silence: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => decide(), limits.requestMsMax);
  const forget = (): void => {
    clearTimeout(silence);
    clearTimeout(deadline);
  };
  socket.on("data", (chunk: Buffer) => {
    if (answered) return;
    bytes = Buffer.concat([bytes, chunk.subarray(0, limits.requestBytesMax + 1 - bytes.length)]);
    const whole =
      isSpoiled(bytes) || bytes.length > limits.requestBytesMax ? "certainly" : wholeness(format, bytes);
    clearTimeout(silence);
    if (whole === "certainly") decide();
    else silence = setTimeout(decide, whole === "perhaps" ? WHOLE_AFTER_MS : CUT_OFF_AFTER_MS);
  });
  socket.on("end", () => {
    if (bytes.length > 0) decide();
    else if (!answered) socket.end();
  });
  socket.on("close", forget);

  function decide(): void {
    if (answered) return;
    answered = true;
    forget();
    const answer = answerTo(format, bytes, limits.requestBytesMax);
    const shown = isUtf8(bytes) ? quote(bytes.toString("utf8").trimEnd()) : `${bytes.length} bytes`;
    if (answer.kind === "ok") {
      served();
      log(`${remote}: ${shown} -> ${quote(answer.text)}`);
    } else log(`${remote}: refused: ${shown}: ${answer.reason}`);
    const last = answer.kind === "ok" ? answer.text : ERROR_PREFIX + answer.reason;
    if (format.acknowledgement === undefined) return endWith(socket, last);
    socket.write(format.acknowledgement);
    const pause = setTimeout(() => endWith(socket, last), BETWEEN_WRITES_MS);
    socket.once("close", () => clearTimeout(pause));
  }
}

function answerTo(format: TextFormat, bytes: Buffer, bytesMax: number): TextAnswer {
  const failed = (reason: string): TextAnswer => ({ kind: "failed", reason });
  if (speaksFrames(bytes)) return failed("here is a classic port without frames; call it with --classic");
  if (bytes.length > bytesMax) return failed(`the request is longer than ${bytesMax} bytes`);
  if (!isUtf8(bytes)) return failed("the request is not UTF-8 text");
  const text = bytes.toString("utf8");
  if (CONTROL.test(text)) return failed("the request has control characters in it");
  if (text.trim() === "") return failed("the request is empty");
  return format.answer(text.trim());
}

// Nothing that could follow makes it text; without this, 25 ms are lost on garbage.
function isSpoiled(bytes: Buffer): boolean {
  return bytes.includes(0) || (bytes.length >= PREAMBLE_BYTES && speaksFrames(bytes));
}

function wholeness(format: TextFormat, bytes: Buffer): ReturnType<TextFormat["whole"]> {
  if (!isUtf8(bytes)) return "not-yet";
  const text = bytes.toString("utf8");
  if (text.includes("\n") && text.trim() !== "") return "certainly";
  return text.trim() === "" ? "not-yet" : format.whole(text);
}

/** C0 without tab, newline and carriage return; DEL. */
// oxlint-disable-next-line no-control-regex -- to find them
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Whether the other side begins like a Lightcone transport with frames. */
export function speaksFrames(bytes: Uint8Array): boolean {
  const magic = preamble().subarray(0, 4);
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}

/** An outcome from text that may be an error's. */
export function outcomeOf(text: string): CallOutcome {
  return text.startsWith(ERROR_PREFIX)
    ? { kind: "failed", reason: text.slice(ERROR_PREFIX.length) }
    : { kind: "ok", value: text };
}
