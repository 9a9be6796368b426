import { describe, expect, test } from "vitest";
import { processNames } from "../../core/index.js";
import { checkQuorums, cyclicQuorums, parseQuorums } from "./quorums.js";

test("any two computed quorums meet, all are of one size, and each process is in its own", () => {
  for (let n = 1; n <= 64; n++) {
    const processes = processNames(n);
    const quorums = cyclicQuorums(processes);
    expect(() => checkQuorums(quorums, processes)).not.toThrow();
    const sizes = new Set(Object.values(quorums).map((quorum) => quorum.length));
    expect(sizes.size).toBe(1);
    for (const process of processes) expect(quorums[process]).toContain(process);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * Math.ceil(Math.sqrt(n)));
  }
});

test.each([3, 7, 13, 21, 31, 57])(
  "%i processes have a projective plane: K(K-1)+1 of them, and no two share more than one",
  (n) => {
    const quorums = Object.values(cyclicQuorums(processNames(n)));
    const k = quorums[0]?.length ?? 0;
    expect(k * (k - 1) + 1).toBe(n);
    for (const a of quorums)
      for (const b of quorums) if (a !== b) expect(a.filter((name) => b.includes(name))).toHaveLength(1);
  },
);

describe("quorums given as text", () => {
  const three = processNames(3);
  const four = processNames(4);

  test("are read in the order of the processes", () => {
    expect(parseQuorums("P1 P2 | P2,P3 |P1 P3", three)).toEqual({
      P1: ["P1", "P2"],
      P2: ["P2", "P3"],
      P3: ["P1", "P3"],
    });
  });

  test.each([
    ["P1 P2 | P2 P1", three, /2 quorums for 3 processes/],
    ["P1 P2 | P2 P4 | P1", three, /the quorum of P2 names P4; known: P1, P2, P3/],
    ["P1 P2 | | P1", three, /the quorum of P2 is empty/],
    ["P1 P2 | P2 P2 | P2", three, /the quorum of P2 names P2 twice/],
    ["P1 P2 | P1 P2 | P3 P4 | P3 P4", four, /P1 \(P1 P2\) and P3 \(P3 P4\) do not intersect/],
  ])("%s is refused with the reason", (text, processes, reason) => {
    expect(() => parseQuorums(text, processes)).toThrow(reason);
  });
});
