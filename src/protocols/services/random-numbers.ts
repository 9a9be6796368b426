import { Random, type Plain } from "../../core/index.js";
import { unknownMethod, type Service } from "./service.js";
import { fieldsOf, partOf, type StreamPart } from "./stream-part.js";

/** What a caller wants drawn. */
export interface Draw {
  readonly count: number;
  /** Numbers lie from 1 to this. */
  readonly max: number;
  /** The same seed gives the same numbers, everywhere and for ever. */
  readonly seed: number;
}

export const DRAW_COUNT_MAX = 1_000_000_000;
export const DRAW_NUMBER_MAX = 1_000_000_000;

/** Numbers drawn from one stream of the generator; any of them is found without drawing those of the others. */
const BLOCK = 1024;

const METHODS = ["draw"] as const;

/**
 * Draws `count` numbers from 1 to `max`, as a stream: any part of it may be fetched, and again, as often as one likes.
 *
 * The numbers follow from the seed alone, so nothing is kept for a stream, whoever serves it goes on where another
 * stopped, and a lost part is the same when it is fetched again. Without a seed the caller's system chooses one.
 */
export const randomNumbers: Service<null, "draw"> = {
  name: "random-numbers",
  methods: METHODS,
  streams: METHODS,
  parameters: [
    { name: "count", kind: "number" },
    { name: "max", kind: "number" },
    { name: "seed", kind: "number", optional: true },
  ],
  initial: null,

  prepare(_method, args, entropy) {
    const fields = fieldsOf(args);
    return fields === undefined || "seed" in fields ? args : { ...fields, seed: entropy };
  },

  check(method, args) {
    const unknown = unknownMethod(method, METHODS);
    if (unknown !== undefined) return unknown;
    const draw = drawOf(args);
    if (draw === undefined) return "draw takes numbers: count, max and seed";
    const { count, max, seed } = draw;
    if (!isWhole(count, 1, DRAW_COUNT_MAX)) {
      return `count is a whole number from 1 to ${DRAW_COUNT_MAX}; ${count} given`;
    }
    if (!isWhole(max, 1, DRAW_NUMBER_MAX)) {
      return `max is a whole number from 1 to ${DRAW_NUMBER_MAX}; ${max} given`;
    }
    if (!isWhole(seed, 0, Number.MAX_SAFE_INTEGER)) {
      return `seed is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}; ${seed} given`;
    }
    return partOf(args, count) === undefined
      ? `from and most do not name a part of ${count} numbers`
      : undefined;
  },

  handle(state, _method, args) {
    const draw = drawOf(args);
    const part = draw && partOf(args, draw.count);
    // Checked before.
    if (draw === undefined || part === undefined) return { state, value: null };
    const value: StreamPart = {
      from: part.from,
      items: numbersOf(draw, part.from, part.from + part.most),
      count: draw.count,
    };
    return { state, value: { ...value } };
  },
};

/** Numbers `from` (counted from 0) to `to`, without that one, of a draw; the same whoever asks. */
export function numbersOf({ count, max, seed }: Draw, from: number, to: number): number[] {
  const numbers: number[] = [];
  const end = Math.min(to, count);
  for (let at = from; at < end;) {
    const random = new Random(seed, Math.floor(at / BLOCK));
    for (let skipped = 0; skipped < at % BLOCK; skipped++) random.uint32();
    const blockEnd = Math.min(end, at - (at % BLOCK) + BLOCK);
    for (; at < blockEnd; at++) numbers.push(random.between(1, max));
  }
  return numbers;
}

function drawOf(args: Plain): Draw | undefined {
  const { count, max, seed } = fieldsOf(args) ?? {};
  if (typeof count !== "number" || typeof max !== "number" || typeof seed !== "number") return undefined;
  return { count, max, seed };
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
