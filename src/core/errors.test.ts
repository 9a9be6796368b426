import { describe, expect, test } from "vitest";
import { LightconeError, nearestName, unknownName, UsageError } from "./errors.js";

const LABS = ["ricart-agrawala", "causal-broadcast", "lamport-mutex", "bully", "chang-roberts"];

describe("nearestName", () => {
  test("finds the name behind a typo", () => {
    for (const [given, meant] of [
      ["ricart-agrawla", "ricart-agrawala"],
      ["ricart_agrawala", "ricart-agrawala"],
      ["Ricart-Agrawala", "ricart-agrawala"],
      ["casual-broadcast", "causal-broadcast"],
      ["bulyl", "bully"],
      ["buly", "bully"],
      ["lamport mutex", "lamport-mutex"],
    ] as const) {
      expect(nearestName(given, LABS), given).toBe(meant);
    }
  });

  test("finds the name that was begun", () => {
    expect(nearestName("ricart", LABS)).toBe("ricart-agrawala");
    expect(nearestName("ch", LABS)).toBe("chang-roberts");
  });

  test("takes another word for another word", () => {
    for (const given of ["paxos", "mutex", "election", "", "x", "broadcast", "🙂"]) {
      expect(nearestName(given, LABS), given).toBeUndefined();
    }
    expect(nearestName("bully", [])).toBeUndefined();
  });

  test("of two equally near takes the first", () => {
    expect(nearestName("fat", ["bat", "cat"])).toBe("bat");
  });
});

test("an unknown name is told with the nearest and all that are known", () => {
  expect(unknownName("lab", "ricart", LABS).message).toMatchInlineSnapshot(
    `"unknown lab "ricart"; did you mean "ricart-agrawala"? Known: ricart-agrawala, causal-broadcast, lamport-mutex, bully, chang-roberts"`,
  );
  expect(unknownName("lab", "paxos", ["bully"]).message).toMatchInlineSnapshot(
    `"unknown lab "paxos". Known: bully"`,
  );
  expect(unknownName("lab", "bulli", LABS).facts).toEqual({ given: "bulli", known: LABS });
});

test("an error is called what it is, and carries code, facts and cause", () => {
  const cause = new Error("below");
  const error = new UsageError("no such file", { path: "x" }, { cause });
  expect(error).toBeInstanceOf(LightconeError);
  expect([error.name, error.code, error.facts, error.cause]).toEqual([
    "UsageError",
    "usage",
    { path: "x" },
    cause,
  ]);
});
