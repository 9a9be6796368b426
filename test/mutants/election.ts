import type { Mutant } from "./mutant.js";

const BULLY = "src/protocols/election/bully.ts";
const RING = "src/protocols/election/chang-roberts.ts";

/** Bugs of the elections; ids as in the protocol reference, §5.1 and §5.2. */
export const mutants: readonly Mutant[] = [
  {
    id: "BU-1",
    family: "bully",
    file: BULLY,
    find: '          ctx.explain("bully.again", {});\n          return elect(state, patience, ctx);',
    replace: '          ctx.explain("bully.again", {});\n          return { ...state, status: "idle" };',
    why: "Whoever gave way and never hears of the outcome gives up: it has no leader.",
    scenario: "bully/crash",
  },
  {
    id: "BU-2",
    family: "bully",
    file: BULLY,
    find: "if (isHigher(ctx.self, from, ctx)) {",
    replace: "if (ctx.peers.length < 0) {",
    why: "A higher process accepts a lower one as its leader.",
    scenario: "bully/crash",
    equivalent: "whoever takes the lead tells only those that are lower, so nobody higher ever hears of it",
  },
  {
    id: "BU-3",
    family: "bully",
    file: BULLY,
    find: 'onRestart: (_saved, ctx) => elect({ status: "idle", leader: null }, patience, ctx),',
    replace: 'onRestart: () => ({ status: "idle", leader: null }),',
    why: "The highest comes back and says nothing: it has no leader, and the others a lower one.",
    scenario: "bully/return",
  },
  {
    id: "BU-4",
    family: "bully",
    file: BULLY,
    find: '  ctx.setTimer("patience", patience);\n  return { ...state, status: "asking" };',
    replace: '  ctx.setTimer("patience", patience / 1_000);\n  return { ...state, status: "asking" };',
    why: "It waits for less than an answer takes, and takes the lead from those that are higher and up.",
    scenario: "bully/timely",
  },
  {
    id: "RG-1",
    family: "chang-roberts",
    file: RING,
    find: "if (id(candidate) > id(ctx.self)) {",
    replace: "if (id(candidate) !== id(ctx.self)) {",
    why: "Lower ids are passed on too, come round, and win.",
    scenario: "chang-roberts/cost",
  },
  {
    id: "RG-2",
    family: "chang-roberts",
    file: RING,
    find: '  if (state.participant) {\n    ctx.explain("ring.discard", theirs);',
    replace: '  if (ctx.peers.length === 0) {\n    ctx.explain("ring.discard", theirs);',
    why: "A process that takes part already sends its id again for every lower one.",
    scenario: "chang-roberts/cost",
  },
  {
    id: "RG-3",
    family: "chang-roberts",
    file: RING,
    find: "  if (leader === ctx.self) {",
    replace: "  if (leader !== ctx.self && ctx.peers.length === 0) {",
    why: "The news goes round for ever.",
    scenario: "chang-roberts/cost",
  },
  {
    id: "RG-4",
    family: "chang-roberts",
    file: RING,
    find: 'if (timer === "skip") {',
    replace: 'if (timer === "skipped") {',
    why: "A dead successor is asked for ever, and nobody ever leads.",
    scenario: "chang-roberts/crash",
  },
];
