import { explained, messagesPerEntry } from "../checkers/index.js";
import { roucairolCarvalho, roucairolCarvalhoNarration } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by permissions that stay until they are asked for. */
export const roucairolCarvalhoLab = mutexLab({
  id: "roucairol-carvalho",
  title: "Mutual exclusion by permissions that stay",
  summary:
    "As in Ricart and Agrawala's algorithm everybody must permit an entry, but a permission stays valid until its " +
    "giver asks for the section itself. Who enters again and again without competitors asks nobody.",
  protocol: () => roucairolCarvalho,
  links: "reliable",
  checkers: [messagesPerEntry("0…2(n-1)", (processes) => ({ min: 0, max: 2 * (processes - 1) }))],
  witnesses: [
    explained("permission-deferred", "a process kept another waiting for its permission", [
      "rc.defer.inside",
      "rc.defer.earlier",
    ]),
  ],
  guide: [
    {
      text: "Four real processes compete while the network misbehaves.",
      command: "lightcone run roucairol-carvalho -n 4",
    },
    {
      text: "P1 begins with everybody's permission. Count the messages of each entry: some are free.",
      command: "lightcone sim roucairol-carvalho -n 3 --seed 1 --entries 3",
    },
    {
      text: "Two thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command:
        "lightcone sim roucairol-carvalho -n 3 --seeds 2000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: roucairolCarvalhoNarration,
});
