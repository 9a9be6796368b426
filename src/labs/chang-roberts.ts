import { explained, messagesOfElections, type ElectionsHeld, type MessageRange } from "../checkers/index.js";
import type { TraceHeader } from "../trace/index.js";
import { changRoberts, changRobertsNarration } from "../protocols/index.js";
import { electionLab, electionPatienceOption, idsOption, ringIds } from "./election-lab.js";

/** Election on a ring, in one direction. */
export const changRobertsLab = electionLab({
  id: "chang-roberts",
  title: "Election on a ring",
  summary:
    "Every process knows its successor alone. An id goes round until it meets a higher one; the one that comes back " +
    "to its own process has met none, so that process leads and tells the others.",
  protocol: (run) => changRoberts(ringIds(run), { patience: Number(run.options["patience"]) }),
  options: [idsOption, electionPatienceOption],
  best: "the highest",
  throughCrashes: false,
  checkers: [messagesOfElections("2n-1 to n(n+1)/2, and n to tell,", published)],
  idsOf: ringIds,
  witnesses: [explained("id-dropped", "an id met a higher one", ["ring.discard", "ring.replace"])],
  guide: [
    {
      text: "Five real processes on a ring while the network misbehaves.",
      command: "lightcone run chang-roberts",
    },
    {
      text: "All start at once with ids that fall along the ring: the worst case, n(n+1)/2 messages and n more to tell.",
      command: "lightcone sim chang-roberts -n 5 --seed 1 --think 0ms --ids '5 4 3 2 1'",
    },
    {
      text: "And with ids that rise: the best, 2n-1.",
      command: "lightcone sim chang-roberts -n 5 --seed 1 --think 0ms --ids '1 2 3 4 5'",
    },
    {
      text: "One of them is down: its predecessor leaves it out.",
      command:
        "lightcone sim chang-roberts --seed 1 --patience 100ms --max-retries 3 --faults 'crash P2 at 0ms'",
    },
  ],
  narration: changRobertsNarration,
});

/** All at once: how far each id goes until it meets a higher one. Otherwise an id goes round once at most. */
function published(run: TraceHeader, { started, won }: ElectionsHeld): MessageRange {
  const n = run.processes.length;
  const allAtOnce = run.options["think"] === 0 && run.options["elections"] === 1;
  if (!allAtOnce) return { min: 2 * n * won, max: n * (won + started) };
  const ids = ringIds(run);
  const inOrder = run.processes.map((process) => ids[process] ?? 0);
  const ways = inOrder.map((id, place) => {
    const others = [...inOrder.slice(place + 1), ...inOrder.slice(0, place)];
    const higher = others.findIndex((other) => other > id);
    return higher === -1 ? n : higher + 1;
  });
  const exact = ways.reduce((sum, way) => sum + way, n);
  return { min: exact, max: exact };
}
