import { explained, messagesOfElections, type ElectionsHeld, type MessageRange } from "../checkers/index.js";
import { hirschbergSinclair, hirschbergSinclairNarration } from "../protocols/index.js";
import type { TraceHeader } from "../trace/index.js";
import { electionLab, idsOption, ringIds } from "./election-lab.js";

/** Election on a ring, in both directions. */
export const hirschbergSinclairLab = electionLab({
  id: "hirschberg-sinclair",
  title: "Election on a ring, both ways",
  summary:
    "An id goes one process far each way, then two, then four, as long as it meets none higher. Most ids are dropped " +
    "near their own process, so even the worst order costs in the order of n log n messages.",
  protocol: (run) => hirschbergSinclair(ringIds(run)),
  options: [idsOption],
  best: "the highest",
  throughCrashes: false,
  idsOf: ringIds,
  checkers: [messagesOfElections("at most 8n(1 + ⌈log₂ n⌉), and n to tell,", published)],
  witnesses: [explained("id-dropped", "an id met a higher one", ["hs.stop"])],
  guide: [
    {
      text: "Five real processes on a ring while the network misbehaves.",
      command: "lightcone run hirschberg-sinclair",
    },
    {
      text: "The order that is the worst for one direction is none for two.",
      command: "lightcone sim hirschberg-sinclair -n 5 --seed 1 --think 0ms --ids '5 4 3 2 1'",
    },
    {
      text: "Two thousand schedules, each with its own losses and delays: one leader in all of them.",
      command:
        "lightcone sim hirschberg-sinclair -n 5 --seeds 2000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: hirschbergSinclairNarration,
});

/** All at once: what the order of ids makes. Otherwise the published bound for each that takes part. */
function published(run: TraceHeader, { started, won }: ElectionsHeld): MessageRange {
  const n = run.processes.length;
  if (run.options["think"] !== 0 || run.options["elections"] !== 1) {
    return { min: 3 * n * won, max: (8 * n * (1 + Math.ceil(Math.log2(n))) + n) * started };
  }
  const ids = ringIds(run);
  const inOrder = run.processes.map((process) => ids[process] ?? 0);
  const exact = inOrder.reduce((sum, _, place) => sum + costOf(inOrder, place), n);
  return { min: exact, max: exact };
}

/** Messages that carry one id, phase by phase, out and back, until it is dropped or comes round. */
function costOf(ids: readonly number[], place: number): number {
  const n = ids.length;
  const own = ids[place] ?? 0;
  const others = [...ids.slice(place + 1), ...ids.slice(0, place)];
  const distance = (way: readonly number[]) => {
    const higher = way.findIndex((id) => id > own);
    return higher === -1 ? n : higher + 1;
  };
  const ways = [distance(others), distance(others.toReversed())];
  let messages = 0;
  for (let reach = 1; ; reach *= 2) {
    for (const way of ways) messages += reach < way ? 2 * reach : way;
    if (ways.some((way) => reach >= way)) return messages;
  }
}
