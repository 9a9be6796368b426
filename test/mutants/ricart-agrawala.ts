import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/ricart-agrawala.ts";

/** Bugs of Ricart–Agrawala; ids as in the protocol reference, §4.2. */
export const mutants: readonly Mutant[] = [
  {
    id: "RA-1",
    family: "ricart-agrawala",
    file: FILE,
    find: "precedes(own, theirs, ctx.processes)",
    replace: "own[0] < theirs[0]",
    why: "Equal timestamps precede neither way: both reply, and both enter.",
    scenario: "ricart-agrawala/competition",
  },
  {
    id: "RA-2",
    family: "ricart-agrawala",
    file: FILE,
    find: "precedes(own, theirs, ctx.processes)",
    replace: "own[0] <= theirs[0]",
    why: "Equal timestamps precede both ways: both defer, and both wait for ever.",
    scenario: "ricart-agrawala/competition",
  },
  {
    id: "RA-3",
    family: "ricart-agrawala",
    file: FILE,
    find: "const highest = Math.max(state.highest, theirs[0]);",
    replace: "const highest = state.highest;",
    why: "A latecomer takes a timestamp below that of a request it has already answered.",
    scenario: "ricart-agrawala/competition",
  },
  {
    id: "RA-4",
    family: "ricart-agrawala",
    file: FILE,
    find: 'if (state.status === "inside") {',
    replace: 'if (state.status === "nowhere") {',
    why: "A process inside lets others in.",
    scenario: "ricart-agrawala/competition",
  },
  {
    id: "RA-5",
    family: "ricart-agrawala",
    file: FILE,
    find: "pending: state.pending.filter((peer) => peer !== from)",
    replace: "pending: state.pending.slice(1)",
    why: "Replies are counted, so one that the network doubled stands for another that never came.",
    scenario: "ricart-agrawala/duplicating-network",
  },
  {
    id: "RA-6",
    family: "ricart-agrawala",
    file: FILE,
    find: "onCommand(state, command, ctx) {\n      switch (command.kind) {",
    replace:
      "onTimer: (state, _timer, ctx) =>\n" +
      '        state.status === "waiting" ? enterWhenAllReplied({ ...state, pending: [] }, ctx) : state,\n' +
      "    onCommand(state, command, ctx) {\n" +
      '      if (command.kind === "acquire") ctx.setTimer("patience", 15_000);\n' +
      "      switch (command.kind) {",
    why: "After 15 ms without a reply it takes silence for consent.",
    scenario: "ricart-agrawala/competition",
  },
];
