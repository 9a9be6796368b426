import { describe, expect, test } from "vitest";
import { processNames, UsageError } from "../core/index.js";
import { findLab } from "./catalogue.js";
import type { Lab } from "./lab.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";
import { runSettings, type RunRequest } from "./run-lab.js";

const lab: Lab = {
  ...ricartAgrawalaLab,
  options: [
    { name: "rounds", summary: "", kind: "integer", usual: 2, min: 1, max: 10 },
    { name: "hold", summary: "", kind: "duration", usual: 20_000, min: 1_000, max: 60_000_000 },
    { name: "pace", summary: "", kind: "duration", usual: 0, min: 0 },
    { name: "greeting", summary: "", kind: "text", usual: "hello" },
    { name: "eager", summary: "", kind: "flag", usual: false },
  ],
};

const settings = (request: Partial<RunRequest> = {}) =>
  runSettings(lab, { processes: ["P1", "P2"], seed: 1, ...request });

function problem(request: Partial<RunRequest>): string {
  try {
    settings(request);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error(`${JSON.stringify(request)} was accepted`);
}

test("what is not given has its usual value", () => {
  expect(settings()).toEqual({
    processes: ["P1", "P2"],
    seed: 1,
    options: { rounds: 2, hold: 20_000, pace: 0, greeting: "hello", eager: false },
  });
});

test("options are read as text from a command line, or taken as values", () => {
  const options = { rounds: 3, hold: 5_000, pace: 1, greeting: "7", eager: true };
  expect(settings({ options }).options).toEqual(options);
  expect(
    settings({ options: { ...options, rounds: "3", hold: "5ms", pace: "1us", greeting: 7 } }).options,
  ).toEqual(options);
});

test("the settings of a trace's header are the settings of its run", () => {
  const { options } = settings({ options: { rounds: "3", hold: "5ms" } });
  expect(settings({ options }).options).toEqual(options);
});

describe("is refused with what was given and what is accepted:", () => {
  test("the processes", () => {
    expect(problem({ processes: [] })).toMatchInlineSnapshot(`"a run needs at least one process"`);
    expect(problem({ processes: ["P1"] })).toMatchInlineSnapshot(
      `"ricart-agrawala runs with 2 to 1000 processes; 1 given"`,
    );
    expect(problem({ processes: processNames(1_001) })).toMatchInlineSnapshot(
      `"ricart-agrawala runs with 2 to 1000 processes; 1001 given"`,
    );
    expect(problem({ processes: ["P1", "P1"] })).toMatchInlineSnapshot(
      `"two processes are called "P1"; names must differ"`,
    );
  });

  test("the seed", () => {
    expect(problem({ seed: -1 })).toMatchInlineSnapshot(
      `"a seed is a whole number from 0 to 2^53 - 1; -1 given"`,
    );
    for (const seed of [0.5, NaN, 2 ** 53]) expect(problem({ seed })).toContain(`${seed} given`);
    expect(settings({ seed: 2 ** 53 - 1 }).seed).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("an option's name", () => {
    expect(problem({ options: { round: 1 } })).toMatchInlineSnapshot(
      `"unknown option of ricart-agrawala "round"; did you mean "rounds"? Known: rounds, hold, pace, greeting, eager"`,
    );
    expect(problem({ options: { constructor: 1 } })).toMatchInlineSnapshot(
      `"unknown option of ricart-agrawala "constructor". Known: rounds, hold, pace, greeting, eager"`,
    );
  });

  test("a whole number", () => {
    expect(problem({ options: { rounds: "three" } })).toMatchInlineSnapshot(
      `"--rounds takes a whole number; "three" given"`,
    );
    expect(problem({ options: { rounds: "" } })).toMatchInlineSnapshot(
      `"--rounds takes a whole number; "" given"`,
    );
    for (const rounds of [1.5, "1.5", "-1", "1e1", true]) {
      expect(problem({ options: { rounds } })).toContain("--rounds takes a whole number");
    }
    expect(problem({ options: { rounds: 0 } })).toMatchInlineSnapshot(`"--rounds takes 1 to 10; 0 given"`);
    expect(problem({ options: { rounds: "11" } })).toMatchInlineSnapshot(
      `"--rounds takes 1 to 10; 11 given"`,
    );
  });

  test("a duration", () => {
    expect(problem({ options: { hold: "soon" } })).toMatchInlineSnapshot(
      `"--hold: "soon" is not a duration; write a number and a unit, such as 250ms, 10s or 2m (units: us, ms, s, m, h)"`,
    );
    expect(problem({ options: { hold: "20" } })).toContain('"20"');
    expect(problem({ options: { hold: 0.5 } })).toMatchInlineSnapshot(
      `"--hold takes a duration such as 250ms or 10s; "0.5" given"`,
    );
    expect(problem({ options: { hold: "10us" } })).toMatchInlineSnapshot(
      `"--hold takes 1ms to 1m; 10us given"`,
    );
    expect(problem({ options: { hold: "2m" } })).toMatchInlineSnapshot(`"--hold takes 1ms to 1m; 2m given"`);
    expect(problem({ options: { pace: -5 } })).toMatchInlineSnapshot(
      `"--pace takes at least 0ms; -5us given"`,
    );
  });

  test("a flag", () => {
    expect(problem({ options: { eager: "yes" } })).toMatchInlineSnapshot(
      `"--eager is a flag and takes no value; "yes" given"`,
    );
  });
});

test("a lab is found by its id, and a typo finds the nearest", () => {
  expect(findLab("ricart-agrawala")).toBe(ricartAgrawalaLab);
  expect(() => findLab("ricart")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: unknown lab "ricart"; did you mean "ricart-agrawala"? Known: ricart-agrawala, causal-broadcast, vector-clocks, hello, calculator, random-numbers, chat, berkeley, cristian, ntp, lamport, roucairol-carvalho, suzuki-kasami, raymond, maekawa, token-ring, coordinator, chang-roberts, hirschberg-sinclair, bully]`,
  );
});
