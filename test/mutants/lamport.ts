import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/lamport.ts";

/** Bugs of Lamport's mutual exclusion; ids as in the protocol reference, §4.1. */
export const mutants: readonly Mutant[] = [
  {
    id: "LM-1",
    family: "lamport",
    file: "src/labs/lamport.ts",
    find: 'links: "reliable, fifo"',
    replace: 'links: "reliable"',
    why: "An acknowledgement overtakes a request of the same sender: both enter.",
    scenario: "lamport/competition",
  },
  {
    id: "LM-2",
    family: "lamport",
    file: FILE,
    find: "  if (!ctx.peers.every(isLater)) return state;\n",
    replace: "  if (!ctx.peers.some(isLater)) return state;\n",
    why: "A process enters before it has heard from everybody: an earlier request is still on its way.",
    scenario: "lamport/competition",
  },
  {
    id: "LM-3",
    family: "lamport",
    file: FILE,
    find: "state.queue.filter((other) => precedes(other, own, ctx.processes))",
    replace: "state.queue.filter((other) => other[0] < own[0])",
    why: "Of two requests with the same timestamp neither is behind the other: both enter.",
    scenario: "lamport/competition",
  },
  {
    id: "LM-4",
    family: "lamport",
    file: FILE,
    find: "const clock = LamportClock.receive(state.clock, message.timestamp);",
    replace: "const clock = state.clock;",
    why: "Acknowledgements carry the clock from before the request: they do not count as later, and all wait for ever.",
    scenario: "lamport/competition",
  },
  {
    id: "LM-5",
    family: "lamport",
    file: FILE,
    find: 'ctx.broadcast({ kind: "release", timestamp });',
    replace:
      "const next = without(state, ctx.self).queue.toSorted((a, b) => (precedes(a, b, ctx.processes) ? -1 : 1))[0];\n" +
      '  if (next !== undefined) ctx.send(next[1], { kind: "release", timestamp });',
    why: "Only the next in the queue learns of the exit: the others keep a request that nobody will release.",
    scenario: "lamport/competition",
  },
];
