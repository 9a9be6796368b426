import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/suzuki-kasami.ts";

/** Bugs of Suzuki and Kasami's algorithm and of its regeneration; ids as in the protocol reference, §4.4. */
export const mutants: readonly Mutant[] = [
  {
    id: "TK-1",
    family: "suzuki-kasami",
    file: FILE,
    find: "[from]: Math.max(numberOf(state, from), number) };\n  const next",
    replace: "[from]: number };\n  const next",
    why: "An old request that comes late hides a newer one: its sender starves.",
    scenario: "suzuki-kasami/competition",
  },
  {
    id: "TK-2",
    family: "suzuki-kasami",
    file: FILE,
    find: "else if (!isOutstanding(next, state.token, from)) ",
    replace: "else if (ctx.peers.length === 0) ",
    why: "A request that was served already moves the token, which nobody there wants.",
    scenario: "suzuki-kasami/straight-to-who-waits",
  },
  {
    id: "TK-3",
    family: "suzuki-kasami",
    file: FILE,
    find: "const served = { ...state.token.served, [ctx.self]: number };",
    replace: "const served = state.token.served;",
    why: "Served requests are not crossed off, so the token goes where nobody wants it.",
    scenario: "suzuki-kasami/cost",
  },
  {
    id: "TK-4",
    family: "suzuki-kasami",
    file: "src/protocols/mutex/token-census.ts",
    find: "if (token.epoch < state.epoch) {",
    replace: "if (token.epoch < 0) {",
    why: "A token that was thought lost is accepted beside the new one: two are inside.",
    scenario: "suzuki-kasami/impatience",
  },
  {
    id: "TK-5",
    family: "suzuki-kasami",
    file: FILE,
    find: "const [head, ...queue] = [...token.queue, ...behind];",
    replace: "const [head, ...queue] = [...behind, ...token.queue].toReversed();",
    why: "Who has waited longest is served last, and starves while others come back.",
    scenario: "suzuki-kasami/fairness",
  },
  {
    id: "TK-6",
    family: "suzuki-kasami",
    file: "src/protocols/mutex/token-census.ts",
    find: "if (token.epoch === state.epoch && token.passes <= state.passes) {",
    replace: "if (token.epoch === state.epoch && token.passes < 0) {",
    why: "A token that the network doubles, or that a link hands to a new incarnation once more, is two tokens.",
    scenario: "suzuki-kasami/duplicating-network",
  },
];
