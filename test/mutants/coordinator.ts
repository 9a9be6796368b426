import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/coordinator.ts";

/** Bugs of the coordinator; ids as in the protocol reference, §4.7. */
export const mutants: readonly Mutant[] = [
  {
    id: "CO-1",
    family: "coordinator",
    file: FILE,
    find: "const back = { ...state, desk: desk ?? NEW_DESK };",
    replace: "const back = { ...state, desk: NEW_DESK };",
    why: "The coordinator comes back without knowing who is inside, and lets another in.",
    scenario: "coordinator/coordinator-crash",
  },
  {
    id: "CO-2",
    family: "coordinator",
    file: FILE,
    find: "const isOver = (stamp: Stamp) => stamp[1] === peer && stamp[0] <= number;",
    replace: "const isOver = (_: Stamp) => true;",
    why: "A release that comes late, or again, frees whoever is inside by then.",
    scenario: "coordinator/duplicating-network",
  },
];
