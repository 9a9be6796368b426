import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

export const scenarios: readonly Scenario[] = [
  {
    name: "bully/crash",
    claim: "when the highest two crash while all elect, those that are left find the highest of them",
    run: (root) =>
      allSeedsPass(root, {
        lab: "bully",
        processes: 5,
        seeds: 200,
        faults: "crash P5 at 2ms, crash P4 at 30ms",
        options: { patience: 100_000, "max-retries": 5 },
      }),
  },
  {
    name: "bully/return",
    claim: "the highest takes over when it comes back",
    run: (root) =>
      allSeedsPass(root, {
        lab: "bully",
        processes: 4,
        seeds: 100,
        faults: "crash P4 at 900ms, restart P4 at 1s",
        options: { patience: 100_000 },
      }),
  },
  {
    name: "bully/timely",
    claim: "nobody takes the lead while a higher one is up and answers in time",
    run: (root) =>
      allSeedsPass(root, {
        lab: "bully",
        processes: 4,
        seeds: 50,
        faults: "",
        options: { patience: 100_000 },
      }),
  },
  {
    name: "chang-roberts/cost",
    claim:
      "when all start at once every id goes as far as the next higher one, the highest round, and the news round",
    run: (root) =>
      allSeedsPass(root, {
        lab: "chang-roberts",
        processes: 6,
        seeds: 100,
        faults: "",
        options: { think: 0 },
        ends: true,
      }),
  },
  {
    name: "chang-roberts/crash",
    claim: "a dead process is left out of the ring, and the others find a leader",
    run: (root) =>
      allSeedsPass(root, {
        lab: "chang-roberts",
        processes: 5,
        seeds: 100,
        faults: "crash P2 at 0ms",
        options: { patience: 100_000, "max-retries": 5 },
        ends: true,
      }),
  },
  {
    name: "hirschberg-sinclair/cost",
    claim: "when all start at once every id goes exactly as far as the order of ids lets it",
    run: (root) =>
      allSeedsPass(root, {
        lab: "hirschberg-sinclair",
        processes: 7,
        seeds: 100,
        faults: "",
        options: { think: 0 },
        ends: true,
      }),
  },
];
