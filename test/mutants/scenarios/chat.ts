import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

export const scenarios: readonly Scenario[] = [
  {
    name: "chat/server-crashes",
    claim:
      "while the server is killed three times, everybody sees one order, whole, and nothing acknowledged is lost",
    run: (root) =>
      allSeedsPass(root, {
        lab: "chat",
        processes: 4,
        seeds: 150,
        faults:
          "delay 1..20ms, loss 20%, duplicate 10%, crash P1 at 60ms, restart P1 at 90ms, crash P1 at 150ms, " +
          "restart P1 at 250ms, crash P1 at 400ms, restart P1 at 450ms",
      }),
  },
  {
    name: "chat/reordering",
    claim: "messages that overtake each other, or get lost, are seen in the one order, and all of them",
    run: (root) =>
      allSeedsPass(root, {
        lab: "chat",
        processes: 4,
        seeds: 150,
        faults: "delay 0..150ms, loss 15%, duplicate 20%, reorder 30%",
        options: { messages: 12 },
      }),
  },
  {
    name: "chat/short-deadlines",
    claim: "an author who gets no answer in time is told that nobody can know, and nothing else",
    run: (root) =>
      allSeedsPass(root, {
        lab: "chat",
        processes: 3,
        seeds: 100,
        faults: "loss 40%, delay 0..50ms",
        options: { deadline: 150_000, messages: 10 },
      }),
  },
];
