import { describe, expect, test } from "vitest";
import { MutexRun, witnessOf } from "./hand-made.test-helper.js";
import { explained, somebodyWaited } from "./witnesses.js";

describe("somebody waited", () => {
  const shownBy = (run: MutexRun) => witnessOf(somebodyWaited, run.trace());

  test("is shown by the first entry between another's request and entry", () => {
    const run = new MutexRun().tells("P1", "requested", 1).tells("P2", "requested", 1);
    run.tells("P1", "entered", 1).tells("P1", "exited", 1).tells("P2", "entered", 1);
    expect(shownBy(run)).toBe("P1:3");
  });

  test("is not shown by processes that take turns", () => {
    const run = new MutexRun();
    for (const process of ["P1", "P2"]) {
      run.tells(process, "requested", 1).tells(process, "entered", 1).tells(process, "exited", 1);
    }
    expect(shownBy(run)).toBeUndefined();
  });

  test("is not shown by an entry after the one who waited has crashed", () => {
    const run = new MutexRun().tells("P2", "requested", 1).crash("P2").tells("P1", "entered", 1);
    expect(shownBy(run)).toBeUndefined();
  });
});

test("explained is shown by the first step that one of the rules decided", () => {
  const witness = explained("deferred", "a reply was deferred", ["ra.defer", "ra.keep"]);
  const run = new MutexRun().explain("P1", "ra.deferred").explain("P2", "ra.keep").explain("P1", "ra.defer");
  expect(witnessOf(witness, run.trace())).toBe("P2:2");
  expect(witnessOf(witness, new MutexRun().output("P1", "ra.defer").trace())).toBeUndefined();
});
