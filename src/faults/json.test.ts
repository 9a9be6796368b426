import { describe, expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { parseFaultsJson } from "./json.js";
import { parseFaults } from "./parse.js";

function problem(value: unknown, processes?: string[]): string {
  try {
    parseFaultsJson(value, processes);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).not.toMatch(/[\n\r]/);
    return message;
  }
  return "accepted";
}

describe("a fault plan as JSON", () => {
  test("is read back as written, sharing nothing", () => {
    const plan = parseFaults(`
      P1->P3 loss 50% delay 5..50ms mean 10ms, duplicate 5% reorder 20% corrupt 1%
      partition P1 P2 | P3 P4 at 2s..5s, one-way P1 -> P2 at 1s, crash P2 at 3s, restart P2 at 5s
      pause P1 at 1s..2s, clock P3 +250ms drift 80ppm, refuse P2 at 0s..1s
      fail-send P1 at 1s..2s, fail-receive P1 at 1s, disk-full P1 at 2s`);
    const read = parseFaultsJson(JSON.parse(JSON.stringify(plan)));
    expect(read).toEqual(plan);
    expect(parseFaultsJson(plan).schedule[0]).not.toBe(plan.schedule[0]);
    expect(parseFaultsJson({})).toEqual({ links: [], schedule: [] });
  });

  test("says which field is wrong", () => {
    expect(problem([])).toMatchInlineSnapshot(`"fault plan: it is a list; give an object"`);
    expect(problem({ link: [] })).toMatchInlineSnapshot(
      `"fault plan: there is no field "link"; did you mean "links"? Fields: links, schedule"`,
    );
    expect(problem({ links: {} })).toMatchInlineSnapshot(`"fault links: it is an object; give a list"`);
    expect(problem({ links: [{}] })).toMatchInlineSnapshot(
      `"fault links[0]: no fault is given; give delay, loss, duplicate, reorder or corrupt"`,
    );
    expect(problem({ links: [{ loss: "10%" }] })).toMatchInlineSnapshot(
      `"fault links[0].loss: it is "10%"; give a number"`,
    );
    expect(problem({ links: [{ loss: null }] })).toMatchInlineSnapshot(
      `"fault links[0].loss: it is null; give a number"`,
    );
    expect(problem({ links: [{ loss: NaN }] })).toMatchInlineSnapshot(
      `"fault links[0]: loss is NaN; give 0% to 100%"`,
    );
    expect(problem({ links: [{ loss: -0.1 }] })).toMatchInlineSnapshot(
      `"fault links[0]: loss is -10%; give 0% to 100%"`,
    );
    expect(problem({ links: [{ delay: { min: 5 } }] })).toMatchInlineSnapshot(
      `"fault links[0].delay.max: it is missing; give a number"`,
    );
    expect(problem({ links: [{ delay: { min: -1, max: 5 } }] })).toMatchInlineSnapshot(
      `"fault links[0]: the shortest delay is -1 microseconds; give a whole number from 0 to a year"`,
    );
    expect(problem({ links: [{ delay: { min: 1.5, max: 5 } }] })).toMatchInlineSnapshot(
      `"fault links[0]: the shortest delay is 1.5 microseconds; give a whole number from 0 to a year"`,
    );
    expect(problem({ links: [{ delay: { min: 1, max: 1e15 } }] })).toMatchInlineSnapshot(
      `"fault links[0]: the longest delay is 1000000000000000 microseconds; give a whole number from 0 to a year"`,
    );
    expect(problem({ schedule: [{ kind: "crsh", process: "P1", at: 1 }] })).toMatchInlineSnapshot(
      `"fault schedule[0].kind: it is "crsh"; give one of partition, one-way, crash, restart, pause, clock, refuse, failed-send, failed-receive, disk-full; did you mean "crash"?"`,
    );
    expect(problem({ schedule: [{ kind: "crash", process: "P1", at: 1, until: 2 }] })).toMatchInlineSnapshot(
      `"fault schedule[0]: there is no field "until". Fields: kind, at, process"`,
    );
    expect(
      problem({ schedule: [{ kind: "partition", groups: [["P1"], [2]], at: 1 }] }),
    ).toMatchInlineSnapshot(`"fault schedule[0].groups[1][0]: it is 2; give a text"`);
    expect(problem({ schedule: [{ kind: "pause", process: "P\u001b1", at: 1 }] })).toMatchInlineSnapshot(
      `"fault schedule[0]: "P\\u{1b}1" cannot name a process"`,
    );
    expect(
      problem({ schedule: [{ kind: "pause", process: "P9", at: 1 }] }, ["P1", "P2"]),
    ).toMatchInlineSnapshot(
      `"fault schedule[0]: there is no process "P9"; did you mean "P1"? Processes: P1, P2"`,
    );
    expect(
      problem({ schedule: [{ kind: "clock", process: "P1", at: 1, step: 2 ** 53, driftPpm: 0 }] }),
    ).toMatchInlineSnapshot(
      `"fault schedule[0]: the step is 9007199254740992 microseconds; give a whole number, at most a year either way"`,
    );
    expect(problem({ links: Array.from({ length: 1001 }, () => ({ loss: 1 })) })).toMatchInlineSnapshot(
      `"fault links: it has 1001 items; at most 1000"`,
    );
  });

  test("has no field that reaches a prototype", () => {
    expect(problem(JSON.parse(`{"__proto__": {"links": []}}`))).toMatchInlineSnapshot(
      `"fault plan: there is no field "__proto__". Fields: links, schedule"`,
    );
    expect(problem({ schedule: [{ kind: "toString", at: 1 }] })).toContain("one of partition");
  });

  test("says so when the text is not JSON", () => {
    expect(() => parseFaults(`{"links": [}`)).toThrow(/^fault plan "\{"links": \[\}": it is not JSON/);
  });
});
