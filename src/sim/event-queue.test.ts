import fc from "fast-check";
import { expect, test } from "vitest";
import { InvariantError } from "../core/index.js";
import { EventQueue } from "./event-queue.js";

test("gives entries by instant, and at one instant in the order they were put in", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (instants) => {
      const queue = new EventQueue<readonly [number, number]>();
      instants.forEach((at, i) => queue.push(at, [at, i]));
      const given = instants.map(() => queue.pop());
      const expected = instants.map((at, i) => [at, i] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(given).toEqual(expected);
      expect(queue.size).toBe(0);
    }),
  );
});

test("keeps that order when entries come in while others leave", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 9 }), { freq: 3 })), (script) => {
      const queue = new EventQueue<number>();
      let model: { at: number; order: number }[] = [];
      script.forEach((at, order) => {
        if (at !== null) {
          queue.push(at, order);
          model.push({ at, order });
        } else if (model.length > 0) {
          model.sort((a, b) => a.at - b.at || a.order - b.order);
          expect(queue.nextAt).toBe(model[0]?.at);
          expect(queue.pop()).toBe(model[0]?.order);
          model = model.slice(1);
        }
      });
    }),
  );
});

test("an empty queue has nothing due and cannot be popped", () => {
  const queue = new EventQueue<number>();
  expect(queue.nextAt).toBe(Infinity);
  expect(() => queue.pop()).toThrow(InvariantError);
});
