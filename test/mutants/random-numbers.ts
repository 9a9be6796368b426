import type { Mutant } from "./mutant.js";

const SERVICE = "src/protocols/services/random-numbers.ts";
const LAB = "src/labs/random-numbers.ts";

/** Bugs of streams, by the example of the random numbers. */
export const mutants: readonly Mutant[] = [
  {
    id: "RN-1",
    family: "random-numbers",
    file: SERVICE,
    find: "items: numbersOf(draw, part.from, part.from + part.most),",
    replace: "items: numbersOf(draw, part.from, part.from + part.most + 1),",
    why: "A part holds one item more than was asked for, which the next part brings again.",
    scenario: "random-numbers/streams",
  },
  {
    id: "RN-2",
    family: "random-numbers",
    file: SERVICE,
    find: "random.between(1, max)",
    replace: "random.between(0, max)",
    why: "Numbers from 0 on are drawn, though the caller was promised numbers from 1 on.",
    scenario: "random-numbers/streams",
  },
  {
    id: "RN-3",
    family: "random-numbers",
    file: LAB,
    find: "return { ...stream, tries, over: outcome.kind",
    replace: "return { ...stream, tries, delivered: stream.delivered + 4, over: outcome.kind",
    why: "A part whose outcome is unknown is skipped instead of fetched again.",
    scenario: "random-numbers/streams",
  },
  {
    id: "RN-4",
    family: "random-numbers",
    file: LAB,
    find: "over: part === undefined || delivered >= part.count };",
    replace: "over: part === undefined || delivered + 1 >= part.count };",
    why: "The last item of a stream never comes, if it stands alone in its part.",
    scenario: "random-numbers/streams",
  },
];
