import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clocksAlong, histories, type ClockRules } from "../../test/support/random-history.js";
import { MatrixClock, VectorClock, type DenseVector, type Matrix } from "./index.js";

function rules(processes: number): ClockRules<Matrix, Matrix> {
  return {
    start: () => MatrixClock.zero(processes),
    local: (own, self) => MatrixClock.tick(own, self),
    send(own, self) {
      const sent = MatrixClock.tick(own, self);
      return [sent, sent];
    },
    receive: (own, stamp, self, from) => MatrixClock.receive(own, stamp, self, from),
  };
}

function vectorRules(processes: number): ClockRules<DenseVector, DenseVector> {
  return {
    start: () => VectorClock.zero(processes),
    local: (own, self) => VectorClock.tick(own, self),
    send(own, self) {
      const sent = VectorClock.tick(own, self);
      return [sent, sent];
    },
    receive: (own, stamp, self) => VectorClock.receive(own, stamp, self),
  };
}

describe("logical-clocks.md §3", () => {
  test("row self is the vector clock", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const matrices = clocksAlong(history, rules(history.processes));
        const vectors = clocksAlong(history, vectorRules(history.processes));
        matrices.forEach((matrix, e) => {
          expect(MatrixClock.vector(matrix, history.events[e]?.process ?? -1)).toEqual(vectors[e]);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("knowledge never exceeds truth, and the column minimum is known to all", () => {
    let common = 0;
    fc.assert(
      fc.property(histories({ processesMax: 3, eventsMax: 60 }), (history) => {
        const truth = Array.from({ length: history.processes }, () => VectorClock.zero(history.processes));
        clocksAlong(history, rules(history.processes)).forEach((matrix, e) => {
          const self = history.events[e]?.process ?? -1;
          truth[self] = MatrixClock.vector(matrix, self);
          matrix.forEach((row, k) => expect(VectorClock.lessOrEqual(row, truth[k] ?? [])).toBe(true));
          for (let l = 0; l < history.processes; l++) {
            const known = MatrixClock.knownToAll(matrix, l);
            for (const row of truth) expect(row[l]).toBeGreaterThanOrEqual(known);
            common = Math.max(common, known);
          }
        });
      }),
      { numRuns: 200 },
    );
    expect(common).toBeGreaterThan(2);
  });

  test("an event may be discarded once word of everybody's knowing it has come round", () => {
    const [a, b, c] = [0, 1, 2];
    const a1 = MatrixClock.tick(MatrixClock.zero(3), a);
    const b1 = MatrixClock.receive(MatrixClock.zero(3), a1, b, a);
    const b2 = MatrixClock.tick(b1, b);
    const c1 = MatrixClock.receive(MatrixClock.zero(3), b2, c, b);
    expect(MatrixClock.knownToAll(b2, a)).toBe(0);
    // C saw A's event through B, and knows from B's row and the stamp that A and B have it too.
    expect(c1).toEqual([
      [1, 0, 0],
      [1, 2, 0],
      [1, 2, 1],
    ]);
    expect(MatrixClock.knownToAll(c1, a)).toBe(1);
    expect(MatrixClock.knownToAll(c1, b)).toBe(0);
  });
});

test("no function changes what it was given", () => {
  const own = MatrixClock.zero(2);
  own.forEach((row) => Object.freeze(row));
  Object.freeze(own);
  MatrixClock.receive(MatrixClock.tick(own, 0), own, 0, 1);
  expect(own).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
