import { explained, messagesPerEntry } from "../checkers/index.js";
import { tokenRing, tokenRingNarration } from "../protocols/index.js";
import { CENSUS_KINDS, mutexLab, patienceOption } from "./mutex-lab.js";

/** Mutual exclusion by a token that goes round. */
export const tokenRingLab = mutexLab({
  id: "token-ring",
  title: "Mutual exclusion by a token that goes round",
  summary:
    "The processes form a ring, and one token goes round. Whoever has it may enter, and passes it on after use. When " +
    "nobody needed it for a whole round it rests until somebody asks.",
  protocol: (run) => tokenRing({ patience: Number(run.options["patience"]) }),
  links: "reliable",
  options: [patienceOption],
  checkers: [
    messagesPerEntry("0…4n", (processes) => ({ min: 0, max: 4 * processes }), { unless: CENSUS_KINDS }),
  ],
  witnesses: [
    explained("token-came-round", "the token came to a process that waited for it", ["ring.enter"]),
  ],
  guide: [
    {
      text: "Five real processes on a ring while the network misbehaves.",
      command: "lightcone run token-ring -n 5",
    },
    {
      text: "When all want in at once the token serves them in one round: hardly more than a message each.",
      command: "lightcone sim token-ring -n 5 --seed 1 --think 0ms",
    },
    {
      text:
        "The first holder crashes with the token and comes back without it. The others wait out their patience, ask " +
        "everybody, and make a new token in a new epoch.",
      command:
        "lightcone sim token-ring -n 3 --seed 1 --patience 500ms --faults 'crash P1 at 15ms, restart P1 at 300ms'",
    },
  ],
  narration: tokenRingNarration,
});
