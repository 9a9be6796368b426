import { randomInt } from "node:crypto";
import { UsageError } from "../core/index.js";
import type { ClassicFormat } from "./classic-format.js";
import { drawOverFifo } from "./classic-draw-fifo-client.js";
import { serveDrawsOverFifo } from "./classic-draw-fifo-server.js";
import { drawOverTcp, serveDrawsOverTcp } from "./classic-draw-tcp.js";
import { drawProblem, type DrawRequest } from "./draw-records.js";

/** The published client's. */
const NMAX = 10;

/**
 * Random numbers: a client asks for x numbers from 1 to nmax and gets them one by one, over TCP or over named pipes.
 *
 * Binary, little-endian. `tcp://HOST:PORT`, many clients at once; `fifo:///FOLDER`, with a SIGUSR1 each way at the end.
 */
export const classicRandomNumbers: ClassicFormat = {
  service: "random-numbers",
  usual: "tcp://127.0.0.3:5000",
  calls: [
    ["draw 5 10", "five numbers from 1 to 10"],
    ["draw", "as many as a number from 1 to 10 says"],
  ],
  methods: ["draw"],

  serve: (options) => (isFifo(options.at) ? serveDrawsOverFifo(options) : serveDrawsOverTcp(options)),

  async call(method, words, options) {
    if (method !== "draw") throw new UsageError(`random-numbers has the method draw; "${method}" given`);
    const asked = readAsked(words);
    return isFifo(options.to) ? drawOverFifo(asked, options) : drawOverTcp(asked, options);
  },
};

function isFifo(address: string): boolean {
  return address.startsWith("fifo:");
}

function readAsked(words: readonly string[]): Pick<DrawRequest, "x" | "nmax"> {
  if (words.length > 2)
    throw new UsageError(`draw takes how many and up to what, such as 5 10; ${words.length} given`);
  for (const word of words) {
    if (!/^\d{1,10}$/.test(word) || Number(word) > INT32_MAX) {
      throw new UsageError(`"${word}" is not a whole number from 1 to ${INT32_MAX}`);
    }
  }
  const [x, nmax] = words.map(Number);
  const asked = { x: x ?? randomInt(1, NMAX + 1), nmax: nmax ?? NMAX };
  const problem = drawProblem(asked);
  if (problem !== undefined) throw new UsageError(problem);
  return asked;
}

const INT32_MAX = 2 ** 31 - 1;
