import { describe, expect, test } from "vitest";
import { electionOf } from "../../../test/support/elections.js";
import { processNames } from "../../core/index.js";
import { bully, type BullyMessage } from "./bully.js";

const protocol = bully({ patience: 100_000 });

function counts(n: number, starters: readonly string[], down: readonly string[] = []) {
  const { leaders, sent } = electionOf(protocol, n, starters, down);
  const count = (kind: BullyMessage["kind"]) => sent.filter(({ message }) => message.kind === kind).length;
  return {
    leaders,
    all: sent.length,
    election: count("election"),
    ok: count("ok"),
    told: count("coordinator"),
  };
}

describe("from the source", () => {
  test.each([3, 5, 8, 16])("the highest of %i is down and the lowest misses it: n² - n - 1 messages", (n) => {
    const { leaders, all, election, ok, told } = counts(n, ["P1"], [`P${n}`]);
    expect([election, ok, told]).toEqual([(n * (n - 1)) / 2, ((n - 1) * (n - 2)) / 2, n - 2]);
    expect(all).toBe(n * n - n - 1);
    for (const process of processNames(n - 1)) expect(leaders[process]).toBe(`P${n - 1}`);
  });

  test.each([3, 5, 8, 16])("the second highest of %i misses it: n - 1 messages, one of them in vain", (n) => {
    expect(counts(n, [`P${n - 1}`], [`P${n}`]).all).toBe(n - 1);
  });

  test("the highest, up, takes over at once from whoever asks", () => {
    const { leaders, told } = counts(4, ["P1", "P2", "P3", "P4"]);
    expect(new Set(Object.values(leaders))).toEqual(new Set(["P4"]));
    expect(told).toBeGreaterThanOrEqual(3);
  });
});
