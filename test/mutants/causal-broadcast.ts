import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/broadcast/causal-broadcast.ts";

/** Bugs of causal broadcast; ids as in the protocol reference, §2.2. */
export const mutants: readonly Mutant[] = [
  {
    id: "CB-1",
    family: "causal-broadcast",
    file: FILE,
    find: ": count <= entry(delivered, k),",
    replace: ": count === entry(delivered, k),",
    why: "The classic error: a receiver that is ahead of the sender in somebody else's broadcasts waits for ever.",
    scenario: "causal-broadcast/message-board",
  },
  {
    id: "CB-2",
    family: "causal-broadcast",
    file: FILE,
    find: ": count <= entry(delivered, k),",
    replace: ": true,",
    why: "Only the sender's own entry is looked at: answers show before their questions.",
    scenario: "causal-broadcast/message-board",
  },
  {
    id: "CB-3",
    family: "causal-broadcast",
    file: FILE,
    find: "k === sender ? count === entry(delivered, k) + 1 :",
    replace: "k === sender ? true :",
    why: "The sender's entry is not looked at: its broadcasts are handed over out of order, and with gaps.",
    scenario: "causal-broadcast/message-board",
  },
  {
    id: "CB-4",
    family: "causal-broadcast",
    file: FILE,
    find: "delivered = delivered.map((count, k) => (k === sender ? sequence : count));",
    replace:
      "delivered = delivered.map((count, k) => (k === sender ? sequence : k === ctx.processes.indexOf(ctx.self) ? count + 1 : count));",
    why: "Deliveries tick the own entry, so the next broadcast skips a number that nobody will ever see.",
    scenario: "causal-broadcast/message-board",
  },
  {
    id: "CB-5",
    family: "causal-broadcast",
    file: FILE,
    find: "    buffer = buffer.filter((other) => other !== ready);",
    replace: "    return { delivered, buffer: buffer.filter((other) => other !== ready) };",
    why: "One delivery per arrival: what it released stays in the buffer, some of it for ever.",
    scenario: "causal-broadcast/message-board",
  },
  {
    id: "CB-6",
    family: "causal-broadcast",
    file: FILE,
    find: '      ctx.deliver("causal-broadcast", ctx.self, entry(stamp, self), payload);\n',
    replace: "",
    why: "The author never sees its own broadcast.",
    scenario: "causal-broadcast/message-board",
  },
];
