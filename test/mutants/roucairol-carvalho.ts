import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/roucairol-carvalho.ts";

/** Bugs of Roucairol and Carvalho's algorithm; ids as in the protocol reference, §4.3. */
export const mutants: readonly Mutant[] = [
  {
    id: "RC-1",
    family: "roucairol-carvalho",
    file: FILE,
    find: "return { ...withoutPermission(state, [peer]), highest };",
    replace: "return { ...state, highest };",
    why: "A permission given is kept as well: both have the other's.",
    scenario: "roucairol-carvalho/competition",
  },
  {
    id: "RC-2",
    family: "roucairol-carvalho",
    file: FILE,
    find: '    ctx.send(peer, { kind: "request", timestamp: state.timestamp });\n',
    replace: "",
    why: "Who yields its permission while it waits never asks for the other's: it waits for ever.",
    scenario: "roucairol-carvalho/competition",
  },
  {
    id: "RC-3",
    family: "roucairol-carvalho",
    file: FILE,
    find: 'ctx.send(peer, { kind: "request", timestamp: state.timestamp });\n  }\n  return { ...withoutPermission(state, [peer]), highest };',
    replace:
      'ctx.send(peer, { kind: "request", timestamp: highest + 1 });\n' +
      "    return { ...withoutPermission(state, [peer]), highest: highest + 1, timestamp: highest + 1 };\n" +
      "  }\n  return { ...withoutPermission(state, [peer]), highest };",
    why: "Who yields loses its place in the order: replies to the old request count for nothing, and it waits for ever.",
    scenario: "roucairol-carvalho/competition",
  },
  {
    id: "RC-4",
    family: "roucairol-carvalho",
    file: FILE,
    find: "initial(ctx.processes.slice(ctx.processes.indexOf(ctx.self) + 1), 0)",
    replace: "initial(ctx.peers, 0)",
    why: "Both sides begin with the other's permission: nobody asks, and all enter.",
    scenario: "roucairol-carvalho/competition",
  },
];
