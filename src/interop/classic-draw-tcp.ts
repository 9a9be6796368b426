import { setImmediate as otherClients } from "node:timers/promises";
import type { CallOutcome } from "../protocols/index.js";
import { systemCode, TransportError } from "../transports/index.js";
import { dialClassic, timedOut } from "./classic-exchange.js";
import {
  ClassicError,
  type ClassicCallOptions,
  type ClassicServeOptions,
  type ClassicServer,
} from "./classic-format.js";
import { endWith, listenClassic, type ClassicCaller } from "./classic-listener.js";
import { speaksFrames } from "./classic-text.js";
import {
  decodeDrawRequest,
  DRAW_REQUEST_BYTES,
  DrawReader,
  drawProblem,
  encodeDrawReplies,
  encodeDrawRequest,
  RecordReader,
  SHOWN_NUMBERS_MAX,
  type DrawRequest,
} from "./draw-records.js";
import { drawNumbers, numbersFor } from "./random-numbers.js";

/** Numbers per write: the client's slowness is noticed between two. 8 KiB. */
const NUMBERS_PER_WRITE = 1_024;

/** Serves random numbers over TCP, many clients at once. What is no request ends the connection: there are no words. */
export function serveDrawsOverTcp(options: ClassicServeOptions): Promise<ClassicServer> {
  const { at, log, limits, seed } = options;
  let requests = 0;
  return listenClassic({
    at,
    log,
    text: false,
    take: (caller) => takeDraws(caller, () => numbersFor(seed, requests++)),
    ...(limits !== undefined && { limits }),
  });
}

function takeDraws(caller: ClassicCaller, source: () => ReturnType<typeof numbersFor>): void {
  const { socket, remote, limits, log, served } = caller;
  const reader = new RecordReader(DRAW_REQUEST_BYTES);
  let deadline = setTimeout(tooLate, limits.requestMsMax);
  let busy = false;
  let answered = false;
  let over = false;
  socket.on("close", () => {
    over = true;
    clearTimeout(deadline);
  });
  socket.on("end", () => {
    // Comes although the socket is paused, when nothing is left to read.
    if (!busy && !over) end();
  });
  socket.on("data", (chunk: Buffer) => {
    if (!over) void take(chunk);
  });

  /** Answers the requests of one read in order; until then nothing more is read, so no more than that can wait. */
  async function take(chunk: Buffer): Promise<void> {
    if (speaksFrames(chunk))
      return refuse("here is a classic port without frames; the client should use --classic");
    busy = true;
    socket.pause();
    for (const record of reader.push(chunk)) {
      const request = decodeDrawRequest(record);
      const problem = drawProblem(request);
      if (problem !== undefined) return refuse(problem);
      clearTimeout(deadline);
      await answer(request);
      await otherClients();
      if (over) return;
      answered = true;
      // The client closes, or asks again.
      deadline = setTimeout(tooLate, limits.requestMsMax);
    }
    busy = false;
    if (socket.readableEnded) end();
    else socket.resume();
  }

  function end(): void {
    if (reader.partial > 0)
      log(`${remote}: refused: ended after ${reader.partial} of ${DRAW_REQUEST_BYTES} bytes`);
    socket.end();
  }

  async function answer(request: DrawRequest): Promise<void> {
    const { x, nmax, pid } = request;
    log(`${remote}: process ${pid} asks for ${x} numbers up to ${nmax}`);
    let batch: number[] = [];
    let sent = 0;
    for (const number of drawNumbers(source(), x, nmax)) {
      batch.push(number);
      if (batch.length < NUMBERS_PER_WRITE && sent + batch.length < x) continue;
      sent += batch.length;
      if (!socket.write(encodeDrawReplies(process.pid, batch)) && !(await drained())) return;
      if (x <= SHOWN_NUMBERS_MAX) log(`${remote}: sent ${batch.join(" ")}`);
      batch = [];
    }
    served();
    log(`${remote}: ${x} numbers sent`);
  }

  /** `false`: the connection is over. */
  function drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        log(`${remote}: cut off: it does not read its numbers`);
        socket.destroy();
      }, limits.replyMsMax);
      const settle = (goOn: boolean): void => {
        clearTimeout(timer);
        socket.off("drain", onDrain);
        socket.off("close", onClose);
        resolve(goOn);
      };
      const onDrain = (): void => settle(true);
      const onClose = (): void => settle(false);
      socket.once("drain", onDrain);
      socket.once("close", onClose);
      if (over) settle(false);
    });
  }

  function tooLate(): void {
    if (answered && reader.partial === 0) return leave();
    refuse(`no whole request of ${DRAW_REQUEST_BYTES} bytes came within ${limits.requestMsMax} ms`);
  }

  function refuse(reason: string): void {
    log(`${remote}: refused: ${reason}`);
    leave();
  }

  function leave(): void {
    over = true;
    clearTimeout(deadline);
    socket.resume();
    endWith(socket, "");
  }
}

/** Asks a server of the format for numbers over TCP. */
export async function drawOverTcp(
  asked: Pick<DrawRequest, "x" | "nmax">,
  options: ClassicCallOptions,
): Promise<CallOutcome> {
  const { to, msMax, signal, step = () => {} } = options;
  const socket = await dialClassic(options);
  const reader = new DrawReader(asked, step);
  try {
    return await new Promise<CallOutcome>((resolve, reject) => {
      const timer = setTimeout(() => reject(timedOut(to, msMax)), msMax);
      const onAbort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      socket.once("close", () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      });
      let first = true;
      socket.on("data", (chunk: Buffer) => {
        const frames = first && speaksFrames(chunk);
        first = false;
        if (frames)
          reject(new ClassicError("frames", `${to} speaks Lightcone's frames; leave out --classic`));
        const problem = reader.push(chunk);
        if (problem !== undefined)
          reject(new ClassicError("bad-reply", `${to} is no server of this format: ${problem}`));
        if (reader.complete) resolve({ kind: "ok", value: reader.numbers });
      });
      socket.on("end", () => {
        const came = reader.numbers.length;
        const reason =
          came === 0
            ? `${to} closed without an answer: it refused the request, or speaks another format`
            : `${to} closed after ${came} of ${asked.x} numbers`;
        resolve({ kind: "unknown", reason });
      });
      socket.on("error", (cause) =>
        reject(new TransportError("closed", `${to} broke off: ${systemCode(cause)}`, { to }, { cause })),
      );
      step(`process ${process.pid} asks for ${asked.x} numbers up to ${asked.nmax}`);
      socket.write(encodeDrawRequest({ pid: process.pid, ...asked }));
    });
  } finally {
    socket.destroy();
  }
}
