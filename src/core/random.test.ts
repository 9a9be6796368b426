import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashText, Random } from "./random.js";

const first = (random: Random, count = 4) => Array.from({ length: count }, () => random.uint32());

describe("the stream is part of the trace format: a change of these numbers breaks every stored seed", () => {
  test("of seeds", () => {
    expect([0, 1, 41, 2 ** 32, Number.MAX_SAFE_INTEGER].map((seed) => first(new Random(seed))))
      .toMatchInlineSnapshot(`
      [
        [
          1363572419,
          145230303,
          808754475,
          4216505632,
        ],
        [
          441792574,
          614447336,
          1644328534,
          3387734806,
        ],
        [
          537089569,
          1199697332,
          555504580,
          1110602962,
        ],
        [
          2012149540,
          1872316204,
          1707632675,
          1779833415,
        ],
        [
          1744020312,
          3062531838,
          170727212,
          2850818593,
        ],
      ]
    `);
  });

  test("of streams", () => {
    expect(first(Random.stream(41, "user:P1"))).toMatchInlineSnapshot(`
      [
        22605434,
        1427024009,
        3944426,
        2280917208,
      ]
    `);
    expect(["", "a", "foobar", "latency:P1>P2", "ü😀"].map(hashText)).toMatchInlineSnapshot(`
      [
        2166136261,
        3826002220,
        3214735720,
        1631607190,
        2737129718,
      ]
    `);
  });

  test("of each way to draw", () => {
    const random = new Random(7);
    const draws = [
      random.below(6),
      random.fraction(),
      random.chance(0.5),
      random.between(-3, 3),
      random.below(2 ** 32),
    ];
    expect(draws).toMatchInlineSnapshot(`
      [
        4,
        0.8340966722462326,
        true,
        3,
        3891143111,
      ]
    `);
  });
});

test("FNV-1a has the published values", () => {
  // http://www.isthe.com/chongo/tech/comp/fnv/: 32-bit test vectors.
  expect(hashText("")).toBe(0x811c9dc5);
  expect(hashText("a")).toBe(0xe40c292c);
  expect(hashText("foobar")).toBe(0xbf9cf968);
});

test("both halves of a seed count, and so does the key", () => {
  const starts = [
    ...[0, 1, 2 ** 32, 2 ** 32 + 1].map((seed) => new Random(seed)),
    new Random(0, 1),
    Random.stream(0, "a"),
    Random.stream(0, "b"),
  ].map((random) => first(random, 2).join());
  expect(new Set(starts).size).toBe(starts.length);
});

test("what one stream draws does not shift another", () => {
  const alone = first(Random.stream(5, "b"));
  const a = Random.stream(5, "a");
  const b = Random.stream(5, "b");
  const interleaved = alone.map(() => {
    a.uint32();
    return b.uint32();
  });
  expect(interleaved).toEqual(alone);
});

test("every way to draw takes one number, so a changed rate or range shifts nothing", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 1e6 }),
      (seed, p, n) => {
        for (const draw of [
          (random: Random) => random.chance(p),
          (random: Random) => random.below(n),
          (random: Random) => random.between(-n, n),
          (random: Random) => random.fraction(),
        ]) {
          const drawn = new Random(seed);
          draw(drawn);
          const skipped = new Random(seed);
          skipped.uint32();
          expect(drawn.uint32()).toBe(skipped.uint32());
        }
      },
    ),
  );
});

test("draws stay within their bounds, ends included", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: -1e6, max: 1e6 }), fc.nat(1e6), (seed, min, span) => {
      const random = new Random(seed);
      for (let i = 0; i < 20; i++) {
        const drawn = random.between(min, min + span);
        expect(Number.isInteger(drawn) && drawn >= min && drawn <= min + span).toBe(true);
        const below = random.below(span + 1);
        expect(Number.isInteger(below) && below >= 0 && below <= span).toBe(true);
        const fraction = random.fraction();
        expect(fraction >= 0 && fraction < 1).toBe(true);
      }
    }),
  );
  const random = new Random(3);
  const dice = new Set(Array.from({ length: 200 }, () => random.between(1, 6)));
  expect(dice).toEqual(new Set([1, 2, 3, 4, 5, 6]));
});

test("a chance of 0 never comes, and one of 1 always", () => {
  const random = new Random(9);
  for (let i = 0; i < 1000; i++) {
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  }
});

test("numbers are spread evenly: chi-square of 64 cells stays below its 0.1% point", () => {
  for (const random of [new Random(1), new Random(2 ** 40), Random.stream(1, "latency:P1>P2")]) {
    const cells = new Array<number>(64).fill(0);
    const draws = 64_000;
    for (let i = 0; i < draws; i++) {
      const cell = random.below(64);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = draws / 64;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 63 degrees of freedom.
    expect(chiSquare).toBeLessThan(103.4);
  }
});

test("the first numbers of neighbouring seeds are no neighbours", () => {
  const firsts = Array.from({ length: 4_000 }, (_, seed) => new Random(seed).fraction());
  const mean = firsts.reduce((sum, each) => sum + each, 0) / firsts.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
  const rising = firsts.filter((each, i) => i > 0 && each > (firsts[i - 1] ?? 0)).length;
  expect(Math.abs(rising / firsts.length - 0.5)).toBeLessThan(0.03);
});
