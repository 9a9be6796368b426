import { describe, expect, test } from "vitest";
import type { EventKind, TraceEvent } from "../trace/index.js";
import { checkTrace, TraceCheck } from "./check-trace.js";
import type { Checker, Violation, Witness } from "./checker.js";
import { MutexRun } from "./hand-made.test-helper.js";

/** Tells every event it is shown, with how much of P1 is in its past. */
function spy(name: string, kinds?: readonly EventKind[]): Checker {
  return {
    name,
    claim: "nothing ever happens",
    ...(kinds !== undefined && { kinds }),
    begin() {
      const found: Violation[] = [];
      return {
        observe(event: TraceEvent, past) {
          const message = `${event.kind} ${past.known("P1")}`;
          found.push({ checker: name, message, evidence: [`${event.process}:${event.number}`] });
        },
        finish: () => found,
      };
    },
  };
}

const witness = (name: string, shownBy: string | undefined): Witness => ({
  name,
  claim: `${name} happened`,
  begin: () => ({ observe: () => {}, finish: () => shownBy }),
});

const trace = new MutexRun().message("P1", "P2").output("P2", "x").trace();

describe("a checker", () => {
  test("without kinds is shown every event, in order, with its past", () => {
    expect(checkTrace(trace, [spy("all")], []).violations.map(({ message }) => message)).toEqual([
      "start 1",
      "start 0",
      "start 0",
      "send 2",
      "receive 2",
      "output 2",
    ]);
  });

  test("with kinds is shown those only, and what it knows is the same", () => {
    const { violations } = checkTrace(trace, [spy("some", ["receive", "output", "crash"])], []);
    expect(violations.map(({ message }) => message)).toEqual(["receive 2", "output 2"]);
  });

  test("of no kinds is shown nothing", () => {
    expect(checkTrace(trace, [spy("none", [])], []).violations).toEqual([]);
  });
});

test("findings stand in the order of the checkers and witnesses, whatever kinds they look at", () => {
  const checkers = [spy("b", ["output"]), spy("a"), spy("c", ["send"])];
  const findings = checkTrace(trace, checkers, [witness("late", undefined), witness("met", "P1:2")]);
  expect([...new Set(findings.violations.map(({ checker }) => checker))]).toEqual(["b", "a", "c"]);
  expect(findings.witnesses).toEqual([
    { name: "late", claim: "late happened" },
    { name: "met", claim: "met happened", shownBy: "P1:2" },
  ]);
});

test("a trace that comes in event by event is checked like one that is all there", () => {
  const check = new TraceCheck(trace.header, [spy("all")], [witness("met", "P1:2")]);
  for (const event of trace.events) check.observe(event);
  expect(check.finish(trace.end)).toEqual(checkTrace(trace, [spy("all")], [witness("met", "P1:2")]));
});
