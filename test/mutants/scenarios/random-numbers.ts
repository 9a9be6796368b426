import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

export const scenarios: readonly Scenario[] = [
  {
    name: "random-numbers/streams",
    claim: "streams arrive whole and in order, while parts are lost and both ends are killed",
    run: (root) =>
      allSeedsPass(root, {
        lab: "random-numbers",
        processes: 3,
        seeds: 100,
        faults:
          "loss 30%, duplicate 20%, reorder 20%, crash P2 at 50ms, restart P2 at 90ms, crash P1 at 150ms, restart P1 at 300ms",
        // A last part of one item, and a time so short that some parts stay unknown.
        options: { count: 21, deadline: 200_000 },
      }),
  },
];
