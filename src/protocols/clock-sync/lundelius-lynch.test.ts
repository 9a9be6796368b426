import { expect, test } from "vitest";
import { bestPrecision, lundeliusLynchCorrection } from "./lundelius-lynch.js";

/** The largest distance of two corrected clocks, over all runs in which every delay is d - u or d. */
function worst(n: number, u: number): number {
  const links = n * (n - 1);
  let worstSkew = 0;
  for (let run = 0; run < 2 ** links; run++) {
    const slow = (from: number, to: number) => (run >> (from * (n - 1) + to - (to > from ? 1 : 0))) & 1;
    const clocks = Array.from({ length: n }, (_, self) => {
      const others = Array.from({ length: n }, (_unused, peer) => peer).filter((peer) => peer !== self);
      // All clocks agree to begin with, so a difference is u/2 less the part of u that the message took.
      return lundeliusLynchCorrection(others.map((peer) => u / 2 - u * slow(peer, self)));
    });
    worstSkew = Math.max(worstSkew, Math.max(...clocks) - Math.min(...clocks));
  }
  return worstSkew;
}

test.each([2, 3, 4])("§4: %d clocks come as close as u(1-1/n), in the worst of all runs", (n) => {
  expect(worst(n, 12)).toBeCloseTo(bestPrecision(12, n), 9);
});

test("§4: u(1-1/n) is 0.5u, 0.667u and 0.75u for 2, 3 and 4 clocks", () => {
  expect([2, 3, 4].map((n) => bestPrecision(1, n))).toEqual([0.5, 1 - 1 / 3, 0.75]);
});
