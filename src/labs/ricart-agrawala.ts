import { entryOrder, explained, messagesPerEntry } from "../checkers/index.js";
import { ricartAgrawala, ricartAgrawalaNarration } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by asking everybody: the laboratory's ninth experiment, with faults. */
export const ricartAgrawalaLab = mutexLab({
  id: "ricart-agrawala",
  title: "Mutual exclusion by asking everybody",
  summary:
    "Processes that share nothing agree who may enter the critical section: whoever wants to enter asks all others, " +
    "and a process that wants it too keeps those waiting whose request is later than its own.",
  protocol: () => ricartAgrawala,
  links: "reliable",
  checkers: [entryOrder, messagesPerEntry("2(n-1)", (processes) => 2 * (processes - 1))],
  witnesses: [
    explained("reply-deferred", "a process kept another waiting for its reply", [
      "ra.defer.inside",
      "ra.defer.earlier",
    ]),
  ],
  guide: [
    {
      text: "Four real processes compete while the network misbehaves; follow one request from asking to entering.",
      command: "lightcone run ricart-agrawala -n 4",
    },
    {
      text: "Without faults an entry costs exactly 2(n-1) messages. Count them.",
      command: "lightcone sim ricart-agrawala -n 3 --seed 1",
    },
    {
      text: "Ten thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command:
        "lightcone sim ricart-agrawala -n 3 --seeds 10000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
    {
      text:
        "One crash, and everybody waits for a reply that never comes, until the links give up: the algorithm has n " +
        "points of failure, and the verdict says so.",
      command: "lightcone sim ricart-agrawala -n 3 --max-retries 5 --faults 'crash P2 at 30ms'",
    },
  ],
  narration: ricartAgrawalaNarration,
});
