import { expect, test } from "vitest";
import { deepFreeze } from "../../core/index.js";
import { PeerRecords } from "./peer-records.js";

const blank = () => ({ sent: 0 });
const copy = (entry: { readonly sent: number }) => ({ ...entry });

test("gives back the very records it was given while nothing is edited", () => {
  const before = { P1: { sent: 1 } };
  const records = new PeerRecords(before, blank, copy);
  expect(records.peek("P1")).toBe(before.P1);
  expect(records.peek("P2")).toBeUndefined();
  expect(records.records).toBe(before);
});

test("changes a copy of what is edited and shares the rest", () => {
  const before = deepFreeze({ P1: { sent: 1 }, P2: { sent: 5 } });
  const records = new PeerRecords(before, blank, copy);
  records.edit("P1").sent += 1;
  records.edit("P1").sent += 1;
  records.edit("P3").sent += 1;
  expect(before.P1.sent).toBe(1);
  expect(records.records).toEqual({ P1: { sent: 3 }, P2: { sent: 5 }, P3: { sent: 1 } });
  expect(records.peek("P2")).toBe(before.P2);
});

test("is not confused by a process called like a method of every object", () => {
  const records = new PeerRecords({}, blank, copy);
  expect(records.peek("constructor")).toBeUndefined();
  records.edit("constructor").sent = 7;
  expect(records.peek("constructor")).toEqual({ sent: 7 });
});
