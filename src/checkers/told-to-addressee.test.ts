import { expect, test } from "vitest";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";
import { toldToAddressee } from "./told-to-addressee.js";

function told(process: string, message: unknown): string[] {
  const run = new MutexRun();
  run.event(process, { kind: "deliver", layer: "letters", from: "P1", sequence: 1, message });
  return toldOf(toldToAddressee("letters"), run.trace());
}

test.each([
  ["P2", { text: "for all" }],
  ["P2", { text: "for P2", to: "P2" }],
  ["P1", { text: "the sender knows it", to: "P2" }],
  ["P3", { to: "P2" }],
  ["P3", "no letter at all"],
])("holds when %s is handed %o", (process, message) => {
  expect(told(process, message)).toEqual([]);
});

test("is violated when a third process gets the text", () => {
  expect(told("P3", { text: "secret", to: "P2" })).toMatchInlineSnapshot(`
    [
      "P3 was told message 1 of P1 at P3:2, which is for P2 [P3:2]",
    ]
  `);
});
