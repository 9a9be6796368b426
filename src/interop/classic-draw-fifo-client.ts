import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { CallOutcome } from "../protocols/index.js";
import { removeFifo, TransportError } from "../transports/index.js";
import { ClassicError, type ClassicCallOptions } from "./classic-format.js";
import { SETTLE_MS } from "./classic-draw-fifo-server.js";
import { timedOut } from "./classic-exchange.js";
import { drawFolder, ensureFifo, openIfThere, takeTurn, type DrawFolder } from "./draw-folder.js";
import { DrawReader, encodeDrawRequest, type DrawRequest } from "./draw-records.js";
import { expectWakeUps, wakeProcess, wakeUps, wokenSince } from "./wake-up.js";

const RETRY_MS = 5;

/** For the server's signal, once its numbers are here. */
const WAKE_MS_MAX = 3_000;

/**
 * Asks for numbers over named pipes: makes `Fifo1`, reads the numbers from `Fifo2`, waits for SIGUSR1 and signals back.
 *
 * Rejects with `TransportError`: `refused` when nobody has opened `Fifo1` in the time, `timed-out`, and as `drawFolder`.
 */
export async function drawOverFifo(
  asked: Pick<DrawRequest, "x" | "nmax">,
  options: ClassicCallOptions,
): Promise<CallOutcome> {
  const { to, msMax, step = () => {} } = options;
  const folder = drawFolder(to);
  expectWakeUps();
  const deadline = AbortSignal.timeout(msMax);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  try {
    using _turn = await ourTurn(folder, signal);
    return await draw(folder, asked, signal, step);
  } catch (error) {
    if (deadline.aborted && options.signal?.aborted !== true && !(error instanceof TransportError)) {
      throw timedOut(to, msMax);
    }
    throw options.signal?.aborted === true ? options.signal.reason : error;
  }
}

async function ourTurn(folder: DrawFolder, signal: AbortSignal): Promise<Disposable> {
  for (;;) {
    const turn = takeTurn(folder, "client");
    if (turn !== undefined) return turn;
    await pause(RETRY_MS, undefined, { signal });
  }
}

async function draw(
  folder: DrawFolder,
  asked: Pick<DrawRequest, "x" | "nmax">,
  signal: AbortSignal,
  step: (line: string) => void,
): Promise<CallOutcome> {
  const made: string[] = [];
  for (const path of [folder.requests, folder.replies]) if (await ensureFifo(folder, path)) made.push(path);
  if (made.includes(folder.requests)) step("made Fifo1");
  // Open before the request, so that the server finds a reader; for writing, too, so that there is no end between two
  // numbers.
  const fd = openIfThere(folder.replies, "both");
  if (fd === undefined) throw new TransportError("refused", `${folder.replies} has vanished`, {});
  const replies = new Socket({ fd, readable: true, writable: false });
  try {
    const reader = new DrawReader(asked, step);
    const before = wakeUps();
    await send(folder, encodeDrawRequest({ pid: process.pid, ...asked }), made, signal);
    step(`process ${process.pid} asks for ${asked.x} numbers up to ${asked.nmax}`);
    await receive(replies, reader, folder, signal);
    const { numbers, serverPid = 0 } = reader;
    const woken = await wokenSince(before, WAKE_MS_MAX, signal);
    if (!woken) {
      step("not woken by the server");
      return { kind: "ok", value: numbers };
    }
    step("woken by SIGUSR1: the answer is here");
    // The published server sends its signal and then waits for ours.
    await pause(SETTLE_MS, undefined, { signal });
    const problem = await wakeProcess(serverPid);
    step(problem === undefined ? `signalled process ${serverPid} back` : `not signalled back: ${problem}`);
    return { kind: "ok", value: numbers };
  } finally {
    replies.destroy();
  }
}

/** Puts the request into `Fifo1` as soon as somebody reads it. */
async function send(
  folder: DrawFolder,
  request: Uint8Array,
  made: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const fd = openIfThere(folder.requests, "write");
    if (fd !== undefined) {
      try {
        writeSync(fd, request);
        return;
      } finally {
        closeSync(fd);
      }
    }
    if (signal.aborted) {
      for (const path of made) removeFifo(path);
      throw new TransportError("refused", `nobody serves at ${folder.address}: nobody reads Fifo1`, {});
    }
    await pause(RETRY_MS);
  }
}

function receive(
  replies: Socket,
  reader: DrawReader,
  { address }: DrawFolder,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    replies.once("error", reject);
    replies.on("data", (chunk: Buffer) => {
      const problem = reader.push(chunk);
      if (problem !== undefined)
        reject(new ClassicError("bad-reply", `${address} is no server of this format: ${problem}`));
      if (!reader.complete && problem === undefined) return;
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}
