import { explained, messagesPerEntry, type MessageRange } from "../checkers/index.js";
import { processNames, type RunSettings } from "../core/index.js";
import { cyclicQuorums, maekawa, maekawaNarration, parseQuorums, type Quorums } from "../protocols/index.js";
import { mutexLab } from "./mutex-lab.js";

/** Mutual exclusion by asking a quorum. */
export const maekawaLab = mutexLab({
  id: "maekawa",
  title: "Mutual exclusion by asking a quorum",
  summary:
    "Every process asks a small set of others, about √n, and any two of these sets share a process that lets in one " +
    "at a time. Where two wait for each other, the later request gives way.",
  processes: { min: 2, usual: 7, max: 1_000 },
  protocol: (run) => maekawa(run.processes, quorumsOf(run)),
  links: "reliable, fifo",
  options: [
    {
      name: "quorums",
      summary: 'whom each process asks, as "P1 P2 | P2 P3 | P1 P3"',
      kind: "text",
      usual: "computed",
    },
  ],
  checkers: [messagesPerEntry("3(K-1)…7(K-1) (K: a quorum's size)", range)],
  witnesses: [
    explained("told-to-wait", "an arbiter told a process to wait", ["maekawa.fail", "maekawa.fail.head"]),
  ],
  guide: [
    {
      text: "Seven real processes, each of which asks three: the lines of the smallest projective plane but one.",
      command: "lightcone run maekawa -n 7",
    },
    {
      text: "Find an arbiter that asks for its grant back, and see what becomes of it.",
      command: "lightcone sim maekawa -n 7 --seed 1 --entries 1",
    },
    {
      text: "Two thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command: "lightcone sim maekawa -n 7 --seeds 2000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: maekawaNarration,
});

function quorumsOf({ processes, options }: Pick<RunSettings, "processes" | "options">): Quorums {
  const given = String(options["quorums"] ?? "computed");
  return given === "computed" ? cyclicQuorums(processes) : parseQuorums(given, processes);
}

function range(processes: number, options: RunSettings["options"]): MessageRange {
  const quorums = Object.entries(quorumsOf({ processes: processNames(processes), options }));
  const remote = quorums.map(([process, quorum]) => quorum.filter((name) => name !== process).length);
  return { min: 3 * Math.min(...remote), max: 7 * Math.max(...remote) };
}
