import type { Mutant } from "./mutant.js";

const FILE = "src/protocols/mutex/maekawa.ts";

/** Bugs of Maekawa's algorithm; ids as in the protocol reference, §4.6. */
export const mutants: readonly Mutant[] = [
  {
    id: "MK-1",
    family: "maekawa",
    file: FILE,
    find: "if (head !== undefined && !head.failed) {",
    replace: "if (head !== undefined && !head.failed && this.#quorum.length === 0) {",
    why: "Without Sanders's FAIL a process goes on hoping where it is no longer first: deadlock.",
    scenario: "maekawa/competition",
  },
  {
    id: "MK-2",
    family: "maekawa",
    file: FILE,
    find: 'if (this.#state.status !== "waiting" || message.of !== this.#state.timestamp) return;',
    replace:
      'if (this.#state.status === "inside" && message.kind === "inquire") return this.#relinquish(from);\n' +
      '        if (this.#state.status !== "waiting" || message.of !== this.#state.timestamp) return;',
    why: "A process inside gives way, and another is let in.",
    scenario: "maekawa/competition",
  },
  {
    id: "MK-3",
    family: "maekawa",
    file: "src/protocols/mutex/quorums.ts",
    find: "7: [0, 1, 3],",
    replace: "7: [0, 1, 2],",
    why: "P1's quorum and P4's have nobody in common; that is refused before anything runs.",
    scenario: "maekawa/competition",
  },
  {
    id: "MK-4",
    family: "maekawa",
    file: FILE,
    find: "    this.#enqueue({ stamp: theirs, failed: true });\n    this.#grantNext();",
    replace: "    this.#grantNext();",
    why: "Who gives way is forgotten, and waits for ever.",
    scenario: "maekawa/competition",
  },
  {
    id: "MK-5",
    family: "maekawa",
    file: FILE,
    find: "return holder !== null && holder[0] === timestamp && holder[1] === process;",
    replace: 'return holder !== null || timestamp === 0 || process === "";',
    why: "Whoever gives way or leaves frees the arbiter, though another holds it: two grants are out.",
    scenario: "maekawa/not-the-holder",
  },
];
