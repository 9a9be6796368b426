import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "./errors.js";
import { checkProcessNames, eventId, NETWORK, parseEventId, PROCESSES_MAX, processNames } from "./ids.js";

test("processes are called P1 to Pn", () => {
  expect(processNames(3)).toEqual(["P1", "P2", "P3"]);
  expect(processNames(0)).toEqual([]);
});

test("an event's name reads back to its process and number", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);
  fc.assert(
    fc.property(name, fc.integer({ min: 1, max: 1e15 }), (process, number) => {
      expect(parseEventId(eventId(process, number))).toEqual({ process, number });
    }),
  );
});

test("what names no event is refused, with the form that does", () => {
  for (const text of ["", "P2", "P2:", ":8", "P2:0", "P2:08", "P2:-1", "P2:1.5", "P 2:8", "P2:8 ", "a:b:1"]) {
    expect(() => parseEventId(text), text).toThrow(UsageError);
  }
  expect(() => parseEventId("P2-8")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: "P2-8" does not name an event; an event is PROCESS:NUMBER, such as P2:8]`,
  );
});

test("names that can be the participants of one run are accepted", () => {
  checkProcessNames(["P1"]);
  checkProcessNames(["a", "B", "x_1", "node-7.local", "-", "x".repeat(64), "net2", "Net"]);
  checkProcessNames(processNames(PROCESSES_MAX));
});

test("names that cannot are refused, each with its reason", () => {
  const problem = (...names: string[]) => {
    try {
      checkProcessNames(names);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return (error as UsageError).message;
    }
    throw new Error(`${names.join()} were accepted`);
  };
  expect(problem()).toMatchInlineSnapshot(`"a run needs at least one process"`);
  expect(problem("P1", "")).toMatchInlineSnapshot(
    `""" cannot name a process; a name has 1 to 64 letters, digits, "_", "." or "-""`,
  );
  expect(problem("P1", "P:2")).toMatchInlineSnapshot(
    `""P:2" cannot name a process; a name has 1 to 64 letters, digits, "_", "." or "-""`,
  );
  expect(problem("x".repeat(65))).toContain("1 to 64");
  expect(problem("P1", NETWORK)).toMatchInlineSnapshot(
    `""net" names the network's own lane; give the process another name"`,
  );
  expect(problem("P1", "P2", "P1")).toMatchInlineSnapshot(
    `"two processes are called "P1"; names must differ"`,
  );
  expect(problem(...processNames(PROCESSES_MAX + 1))).toMatchInlineSnapshot(
    `"4097 processes; a run has at most 4096"`,
  );
  expect(problem("__proto__")).toContain("__proto__");
});
