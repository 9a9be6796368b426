import { explained, messagesPerEntry } from "../checkers/index.js";
import { suzukiKasami, suzukiKasamiNarration } from "../protocols/index.js";
import { CENSUS_KINDS, mutexLab, patienceOption } from "./mutex-lab.js";

/** Mutual exclusion by a token that is asked of everybody. */
export const suzukiKasamiLab = mutexLab({
  id: "suzuki-kasami",
  title: "Mutual exclusion by a token asked of everybody",
  summary:
    "Whoever has the token may enter. Who lacks it asks everybody; the token itself carries the queue of those who " +
    "wait. Should a crash take the token along, those who wait make sure that it is lost, and make a new one.",
  protocol: (run) => suzukiKasami({ patience: Number(run.options["patience"]) }),
  links: "reliable",
  options: [patienceOption],
  checkers: [
    messagesPerEntry("n (none where the token is)", (processes) => processes, {
      freeBy: "sk.enter.kept",
      unless: CENSUS_KINDS,
    }),
  ],
  witnesses: [
    explained("token-passed", "the token went to a process that waited", ["sk.pass", "sk.pass.idle"]),
  ],
  guide: [
    {
      text: "Four real processes pass one token around while the network misbehaves.",
      command: "lightcone run suzuki-kasami -n 4",
    },
    {
      text: "An entry costs n messages, or none where the token already is.",
      command: "lightcone sim suzuki-kasami -n 3 --seed 1 --entries 3",
    },
    {
      text:
        "The first holder crashes with the token and comes back without it. The others wait out their patience, ask " +
        "everybody, and make a new token in a new epoch.",
      command:
        "lightcone sim suzuki-kasami -n 3 --seed 1 --patience 500ms --faults 'crash P1 at 15ms, restart P1 at 300ms'",
    },
  ],
  narration: suzukiKasamiNarration,
});
