import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/clock-sync/cristian.ts";
const CLOCK = "src/protocols/clock-sync/corrected-clock.ts";

/** Bugs of Cristian's algorithm; ids as in the protocol reference, §3.2. */
export const mutants: readonly Mutant[] = [
  {
    id: "CR-1",
    family: "cristian",
    file: FILE,
    find: "answered + Math.round(roundTrip / 2) - now",
    replace: "answered + roundTrip - now",
    why: "The whole round trip is added, as if the reply had been under way so long.",
    scenario: "cristian/slow-network",
  },
  {
    id: "CR-2",
    family: "cristian",
    file: CLOCK,
    find: "if (Math.abs(missing) <= stepBeyond)",
    replace: "if (missing >= 0 && missing <= stepBeyond)",
    why: "A clock that is ahead is set back, so time runs backward.",
    scenario: "cristian/slow-network",
  },
  {
    id: "CR-3",
    family: "cristian",
    file: FILE,
    find: "if (seq !== outstanding.seq) {",
    replace: "if (seq > outstanding.seq) {",
    why: "A late reply is taken for that to the newest request, so it seems to have been fast.",
    scenario: "cristian/slow-network",
  },
];
