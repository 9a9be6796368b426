import { entryOrder, explained, messagesPerEntry } from "../checkers/index.js";
import { lamport, lamportNarration } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by one queue that everybody keeps. */
export const lamportLab = mutexLab({
  id: "lamport",
  title: "Mutual exclusion by a queue that everybody keeps",
  summary:
    "Every request goes into the queue of every process, in the order of logical timestamps. A process enters when " +
    "its request is first and everybody has sent something later, so that nothing earlier can still be on its way.",
  protocol: () => lamport,
  links: "reliable, fifo",
  checkers: [entryOrder, messagesPerEntry("3(n-1)", (processes) => 3 * (processes - 1))],
  witnesses: [
    explained("queued-behind", "a process had heard from everybody and was not first", ["lamport.wait"]),
  ],
  guide: [
    {
      text: "Four real processes, each with its own copy of the queue, while the network misbehaves.",
      command: "lightcone run lamport -n 4",
    },
    {
      text: "Without faults an entry costs exactly 3(n-1) messages: requests, acknowledgements, releases.",
      command: "lightcone sim lamport -n 3 --seed 1",
    },
    {
      text: "Two thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command: "lightcone sim lamport -n 3 --seeds 2000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: lamportNarration,
});
