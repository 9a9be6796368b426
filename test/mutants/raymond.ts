import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/raymond.ts";

/** Bugs of Raymond's algorithm; ids as in the protocol reference, §4.5. */
export const mutants: readonly Mutant[] = [
  {
    id: "RY-1",
    family: "raymond",
    file: FILE,
    find: "return ask(assign(state, ctx), ctx);",
    replace: "const next = assign(state, ctx);\n  return next === state ? ask(state, ctx) : next;",
    why: "The privilege goes on without a request for those who still wait here: they wait for ever.",
    scenario: "raymond/competition",
  },
  {
    id: "RY-2",
    family: "raymond",
    file: FILE,
    find: "return { ...state, queue, asked: false, holder: head };",
    replace: "return { ...state, queue, holder: head };",
    why: "It believes to have asked already, and never asks again.",
    scenario: "raymond/competition",
  },
  {
    id: "RY-3",
    family: "raymond",
    file: FILE,
    find: "return proceed({ ...state, queue: [...state.queue, from] }, ctx);",
    replace: "return proceed({ ...state, queue: [from, ...state.queue] }, ctx);",
    why: "Who asks last is served first: the others starve while it comes back.",
    scenario: "raymond/fairness",
  },
  {
    id: "RY-4",
    family: "raymond",
    file: FILE,
    find: "return { ...state, queue, asked: false, holder: head };",
    replace: "return { ...state, queue, asked: false };",
    why: "It passes the privilege on and believes to have it still.",
    scenario: "raymond/competition",
  },
];
