import { randomInt } from "node:crypto";
import { Random } from "../core/index.js";

/** Where whole numbers come from: `Random`, or the system. */
export interface NumberSource {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
}

/** The system's randomness, for whoever gives no seed. */
export const systemNumbers: NumberSource = { between: (min, max) => randomInt(min, max + 1) };

/** The numbers of the `request`-th request under a seed, or the system's; what one client draws shifts no other's. */
export function numbersFor(seed: number | undefined, request: number): NumberSource {
  return seed === undefined ? systemNumbers : Random.stream(seed, `random-numbers ${request}`);
}

/** `count` numbers from 1 to `max`, one at a time. */
export function* drawNumbers(source: NumberSource, count: number, max: number): Generator<number> {
  for (let i = 0; i < count; i++) yield source.between(1, max);
}
