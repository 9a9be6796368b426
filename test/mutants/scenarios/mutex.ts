import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

/** The algorithms that are tried in the same competition as Ricart–Agrawala. */
const ALGORITHMS = ["lamport"];

export const scenarios: readonly Scenario[] = ALGORITHMS.map((lab): Scenario => ({
  name: `${lab}/competition`,
  claim: "three processes that compete over a lossy network enter one at a time, and all of them",
  run: (root) =>
    allSeedsPass(root, {
      lab,
      processes: 3,
      seeds: 300,
      faults: "loss 10%, duplicate 10%, reorder 20%",
      options: { entries: 3 },
    }),
}));
