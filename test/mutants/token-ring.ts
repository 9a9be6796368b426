import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/token-ring.ts";

/** Bugs of the token ring; ids as in the protocol reference, §4.7. */
export const mutants: readonly Mutant[] = [
  {
    id: "TR-1",
    family: "token-ring",
    file: FILE,
    find: "      const next = saved(beginCensus(state, null, ctx), ctx);\n",
    replace:
      "      const next = saved(beginCensus(state, null, ctx), ctx);\n" +
      "      return enter(next, { ...NEW_TOKEN, epoch: next.epoch }, ctx);\n",
    why: "Whoever has waited long makes a new token without asking: two tokens.",
    scenario: "token-ring/impatience",
  },
  {
    id: "TR-2",
    family: "token-ring",
    file: FILE,
    find: 'if (patience > 0) ctx.setTimer("patience", patience);',
    replace: "",
    why: "A token that went down with its holder is never replaced.",
    scenario: "token-ring/impatience",
  },
];
