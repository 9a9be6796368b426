import { expect, test } from "vitest";
import { traceHash } from "../trace/index.js";
import { labs } from "./catalogue.js";
import { runOf, type LabRun } from "./lab-run.test-helper.js";

const STORM = "delay 5..50ms, loss 10%, duplicate 5%, reorder 20%, corrupt 1%";
const CRASH = `${STORM}, crash P2 at 20ms, restart P2 at 60ms, pause P1 at 10ms..30ms, clock P3 +250ms drift 80ppm`;

const hashOf = (lab: (typeof labs)[number], run: LabRun) => traceHash(runOf(lab, run).events);

test.each(labs)("$id: the same settings give the same trace, a hundred times", (lab) => {
  const run = { seed: 41, faults: CRASH };
  const hashes = new Set(Array.from({ length: 100 }, () => hashOf(lab, run)));
  expect(hashes.size).toBe(1);
});

test.each(labs)("$id: another seed, number of processes, option or fault plan gives another trace", (lab) => {
  const hashes = [
    ...[1, 2, 3, 2 ** 40, 2 ** 32 + 1].map((seed) => hashOf(lab, { seed, faults: STORM })),
    hashOf(lab, { seed: 1, faults: STORM, n: 4 }),
    hashOf(lab, { seed: 1, faults: STORM, options: { think: 60_000 } }),
    hashOf(lab, { seed: 1, faults: CRASH }),
    hashOf(lab, { seed: 1 }),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("a stored seed gives the same run in every version", () => {
  // A change here means that seeds, replays and links that people keep now show other runs: it needs a reason that is
  // worth that, and a line in the change log.
  const pinned = labs.flatMap((lab) =>
    [1, 2, 3].flatMap((seed) => [
      `${lab.id} ${seed}: ${hashOf(lab, { seed })}`,
      `${lab.id} ${seed}, storm: ${hashOf(lab, { seed, n: 4, faults: STORM })}`,
      `${lab.id} ${seed}, crash: ${hashOf(lab, { seed, faults: CRASH })}`,
    ]),
  );
  expect(pinned).toMatchInlineSnapshot(`
    [
      "ricart-agrawala 1: 9ff66952936eefe7",
      "ricart-agrawala 1, storm: 1a62eedfb28fe064",
      "ricart-agrawala 1, crash: 3caf3671d2f597fc",
      "ricart-agrawala 2: 020ef48d915f3875",
      "ricart-agrawala 2, storm: a2b6bff7a42d0c06",
      "ricart-agrawala 2, crash: fbf9258bb50a3130",
      "ricart-agrawala 3: 1fd6b582f283755a",
      "ricart-agrawala 3, storm: 61c09da398634b54",
      "ricart-agrawala 3, crash: a40d45332c99a6d7",
      "causal-broadcast 1: 817f1a59236396fc",
      "causal-broadcast 1, storm: 2d301e09ea67359e",
      "causal-broadcast 1, crash: 49c1497327644647",
      "causal-broadcast 2: 21af4b978a0cf221",
      "causal-broadcast 2, storm: 6e9e1ee68bf9b2e3",
      "causal-broadcast 2, crash: 252dd1d9b4c8d420",
      "causal-broadcast 3: e63742f2d495fe9d",
      "causal-broadcast 3, storm: 264e0e485e66e7e5",
      "causal-broadcast 3, crash: a77ebf47017936f7",
      "vector-clocks 1: d2779cc5a300a2ce",
      "vector-clocks 1, storm: d6751446e769b6a2",
      "vector-clocks 1, crash: 48027189620048d0",
      "vector-clocks 2: 02c25a8a1db9d088",
      "vector-clocks 2, storm: 7276b4fe139a675f",
      "vector-clocks 2, crash: 8f532644ddbc8b03",
      "vector-clocks 3: 1633443102235606",
      "vector-clocks 3, storm: 7d383c9c4ed6c523",
      "vector-clocks 3, crash: 5a49116f8e222fff",
      "hello 1: c83cb434bcddf32d",
      "hello 1, storm: 83bf5d347c0215ec",
      "hello 1, crash: 271b0004024994a1",
      "hello 2: 5ea2dcbba5475862",
      "hello 2, storm: abccdf905dd5df48",
      "hello 2, crash: 0050948f2b98381b",
      "hello 3: e349f63d919a24c7",
      "hello 3, storm: fcf851f74a87c5b6",
      "hello 3, crash: ecdbbe32dae408b2",
      "calculator 1: 960c6583cb4ed1a7",
      "calculator 1, storm: 14c5d4a1278bc6e4",
      "calculator 1, crash: 479fc02ad5fed523",
      "calculator 2: 1c05b64476c99874",
      "calculator 2, storm: f5ae38f1cd073191",
      "calculator 2, crash: 861109c6b854dd39",
      "calculator 3: 7933d9b35905b3cb",
      "calculator 3, storm: 3b63441d1c697147",
      "calculator 3, crash: adf3c991c5fbcba5",
      "random-numbers 1: 01d519bca886f054",
      "random-numbers 1, storm: f180c3870d17b8b2",
      "random-numbers 1, crash: e551ce6ce4f8d32c",
      "random-numbers 2: e7e40364d642c490",
      "random-numbers 2, storm: 3d857e72460b5514",
      "random-numbers 2, crash: 48e3f42208b1c77a",
      "random-numbers 3: 194dddaaa54c293a",
      "random-numbers 3, storm: 88077f5281a542d3",
      "random-numbers 3, crash: da94964ac9b86ae2",
      "chat 1: 80b2dc715d928d96",
      "chat 1, storm: 85a000854f5624e1",
      "chat 1, crash: d0a450f9626d5bf6",
      "chat 2: 2ce4626505316174",
      "chat 2, storm: 85a77ae44ee03632",
      "chat 2, crash: 131f2872e127f8d1",
      "chat 3: fa50aacbd4804a75",
      "chat 3, storm: c4b1c19ac05d6541",
      "chat 3, crash: 3920f8d449fb7b1a",
    ]
  `);
});
