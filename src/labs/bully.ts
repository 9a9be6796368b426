import { explained, messagesOfElections } from "../checkers/index.js";
import { bully, bullyNarration } from "../protocols/index.js";
import { electionLab, electionPatienceOption } from "./election-lab.js";

/** Election by whoever is higher. */
export const bullyLab = electionLab({
  id: "bully",
  title: "Election by whoever is higher",
  summary:
    "Who misses the leader asks everybody higher. Whoever answers takes over and does the same; who gets no answer " +
    "leads. The highest that is up wins, as long as silence means a crash.",
  protocol: (run) => bully({ patience: Number(run.options["patience"]) }),
  options: [electionPatienceOption],
  best: "the highest",
  throughCrashes: true,
  checkers: [
    messagesOfElections(
      "at most n(n-1) for each that takes part",
      ({ processes: { length: n } }, { started, won }) => ({
        min: (n - 1) * won,
        max: n * (n - 1) * started,
      }),
    ),
  ],
  idsOf: ({ processes }) => Object.fromEntries(processes.map((process, place) => [process, place])),
  witnesses: [explained("gave-way", "a process left it to a higher one", ["bully.give-way"])],
  guide: [
    {
      text: "Five real processes elect while the network misbehaves.",
      command: "lightcone run bully",
    },
    {
      text: "The highest is down: watch the others wait for its answer, and the next one take over.",
      command: "lightcone sim bully --seed 1 --patience 100ms --max-retries 3 --faults 'crash P5 at 0ms'",
    },
    {
      text: "The highest crashes, and takes over again when it comes back.",
      command: "lightcone sim bully --seed 1 --patience 100ms --faults 'crash P5 at 1ms, restart P5 at 2s'",
    },
  ],
  narration: bullyNarration,
});
