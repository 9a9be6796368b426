import { explained, messagesPerEntry } from "../checkers/index.js";
import { coordinator, coordinatorNarration } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by asking one. */
export const coordinatorLab = mutexLab({
  id: "coordinator",
  title: "Mutual exclusion by asking a coordinator",
  summary:
    "The first process lets the others in, one after the other, in the order in which it hears of them. It saves what " +
    "it grants before it says so, so that its crash stops everybody for a while and confuses nobody.",
  protocol: () => coordinator,
  links: "reliable",
  checkers: [messagesPerEntry("3 (none at the coordinator)", () => 3, { freeBy: "coordinator.enter.here" })],
  witnesses: [explained("queued", "a request had to wait in the coordinator's queue", ["coordinator.queue"])],
  guide: [
    {
      text: "Four real processes, one of which coordinates, while the network misbehaves.",
      command: "lightcone run coordinator -n 4",
    },
    {
      text: "Without faults an entry costs 3 messages, and the coordinator's own none.",
      command: "lightcone sim coordinator -n 3 --seed 1",
    },
    {
      text: "The coordinator crashes while somebody is inside, comes back, and goes on where it was.",
      command: "lightcone sim coordinator -n 3 --seeds 200 --faults 'crash P1 at 40ms, restart P1 at 90ms'",
    },
  ],
  narration: coordinatorNarration,
});
