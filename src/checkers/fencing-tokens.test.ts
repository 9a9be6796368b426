import { expect, test } from "vitest";
import { fencingTokens } from "./fencing-tokens.js";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";

function entries(...fences: readonly (number | undefined)[]): string[] {
  const run = new MutexRun();
  for (const [i, fence] of fences.entries()) {
    const process = `P${(i % 3) + 1}`;
    run.output(process, { kind: "entered", stamp: [1, process], ...(fence !== undefined && { fence }) });
  }
  return toldOf(fencingTokens, run.trace());
}

test("holds when tokens grow, by however much", () => {
  expect(entries(0, 1, 7, 8)).toEqual([]);
});

test("is violated by a smaller token, and by the same again", () => {
  expect(entries(1, 4, 3)).toMatchInlineSnapshot(`
    [
      "P3 entered at P3:2 with fencing token 3, after P2:2 with 4 [P3:2 P2:2]",
    ]
  `);
  expect(entries(4, 4)).toHaveLength(1);
});

test("compares with the highest so far, not with the last", () => {
  expect(entries(9, 2, 5)).toHaveLength(2);
});

test("says nothing of entries without a token", () => {
  expect(entries(undefined, 3, undefined)).toEqual([]);
});
