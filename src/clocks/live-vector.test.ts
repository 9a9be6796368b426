import { describe, expect, test } from "vitest";
import { COUNT_MAX, JUMP_MAX, LiveVector } from "./index.js";

test("counts its own events and takes over what messages know", () => {
  const live = new LiveVector(3, 1);
  expect(live.tick()).toBe(1);
  expect(live.receive([4, 0, 2])).toBe(2);
  expect(live.copy()).toEqual([4, 2, 2]);
  live.merge([1, 2, 7]);
  expect(live.copy()).toEqual([4, 2, 7]);
});

test("a stamp that was taken stays what it was", () => {
  const live = new LiveVector(2, 0);
  live.tick();
  const stamp = live.copy();
  live.tick();
  live.merge([1, 5]);
  expect(stamp).toEqual([1, 0]);
});

test("lists the entries that rose since one of its own events", () => {
  const live = new LiveVector(3, 0);
  live.tick();
  live.receive([0, 4, 0]);
  expect(live.raisedSince(0)).toEqual([0, 2, 1, 4]);
  expect(live.raisedSince(1)).toEqual([0, 2, 1, 4]);
  expect(live.raisedSince(2)).toEqual([]);
  live.merge([0, 0, 9]);
  live.tick();
  expect(live.raisedSince(2)).toEqual([0, 3, 2, 9]);
});

test("starts again where it was stored", () => {
  const live = new LiveVector(2, 0, { start: [7, 3] });
  expect(live.own).toBe(7);
  expect(live.raisedSince(0)).toEqual([0, 7, 1, 3]);
  expect(() => new LiveVector(2, 0, { start: [7] })).toThrow(/cannot start/);
  expect(() => new LiveVector(2, 0, { start: [7, -1] })).toThrow(/cannot start/);
});

describe("a poisoned stamp is refused, and the clock is unchanged", () => {
  test.each([
    ["an entry one beyond the jump bound", [10, 6 + JUMP_MAX, 5]],
    ["2^53 - 1", [10, COUNT_MAX, 5]],
    ["2^53", [10, 2 ** 53, 5]],
    ["NaN", [10, NaN, 5]],
    ["infinity", [10, Infinity, 5]],
    ["a negative count", [10, -1, 5]],
    ["a fraction", [10, 5.5, 5]],
    ["a text", [10, "6" as unknown as number, 5]],
    ["unknown members", [10, 5, 5, 1]],
    ["a missing member", [10, 5]],
    ["100,000 entries", Array.from({ length: 100_000 }, () => 1)],
    ["more of this process's events than it has made", [11, 5, 5]],
    ["a good entry before a bad one", [10, 6, NaN]],
  ])("%s", (_, stamp) => {
    const live = new LiveVector(3, 0, { start: [10, 5, 5] });
    const rejected = expect.objectContaining({ name: "ClockError", code: "clock-rejected" });
    expect(() => live.receive(stamp)).toThrow(rejected);
    expect(() => live.merge(stamp)).toThrow(rejected);
    expect(live.copy()).toEqual([10, 5, 5]);
    expect(live.raisedSince(10)).toEqual([]);
  });

  test("an honest stamp just inside every bound is accepted", () => {
    const live = new LiveVector(3, 0, { start: [10, 5, 5] });
    live.receive([10, 5 + JUMP_MAX, 5]);
    expect(live.copy()).toEqual([11, 5 + JUMP_MAX, 5]);
  });

  test("the jump bound can be set", () => {
    const live = new LiveVector(2, 0, { jumpMax: 3 });
    expect(() => live.merge([0, 4])).toThrow(/4 ahead; at most 3/);
    live.merge([0, 3]);
    live.merge([0, 6]);
    expect(live.copy()).toEqual([0, 6]);
  });
});

test("refuses to stamp before a count loses precision", () => {
  const live = new LiveVector(2, 0, { start: [2 ** 53 - 3, 0] });
  expect(live.tick()).toBe(2 ** 53 - 2);
  expect(live.tick()).toBe(COUNT_MAX);
  const exhausted = expect.objectContaining({ name: "ClockError", code: "clock-exhausted" });
  expect(() => live.tick()).toThrow(exhausted);
  expect(() => live.receive([0, 1])).toThrow(exhausted);
  expect(live.copy()).toEqual([COUNT_MAX, 0]);
});
