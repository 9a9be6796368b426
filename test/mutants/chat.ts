import type { Mutant } from "./mutant.js";

const RULES = "src/protocols/services/chat-rules.ts";
const MEMBER = "src/protocols/services/chat-member.ts";
const PROTOCOL = "src/protocols/services/chat.ts";

/** Bugs of the chat. */
export const mutants: readonly Mutant[] = [
  {
    id: "CH-1",
    family: "chat",
    file: PROTOCOL,
    find: "this.#ctx.save(Object.fromEntries(this.#entries));",
    replace:
      "this.#ctx.save(Object.fromEntries([...this.#entries].map(([room, all]) => [room, all.slice(0, -1)])));",
    why: "A message is acknowledged and shown before it is durable: a crash takes back what everybody has seen.",
    scenario: "chat/server-crashes",
  },
  {
    id: "CH-2",
    family: "chat",
    file: PROTOCOL,
    find: "return { name, entries, last: lastOf(entries) };",
    replace: "return { name, entries, last: [] };",
    why: "A restarted server has forgotten whose numbers are taken: a post that comes again is taken twice.",
    scenario: "chat/server-crashes",
  },
  {
    id: "CH-3",
    family: "chat",
    file: MEMBER,
    find: "const fresh = entries.slice(state.next - from);",
    replace: "const fresh = entries.slice(Math.max(0, state.next - from - 1));",
    why: "A member that goes on where it had been is off by one, and sees the last message again as the next.",
    scenario: "chat/server-crashes",
  },
  {
    id: "CH-4",
    family: "chat",
    file: MEMBER,
    find: "if (from > state.next) return this.#missing(state, from, ctx);\n    const fresh = entries.slice(state.next - from);",
    replace: "const fresh = entries.slice(Math.max(0, state.next - from));",
    why: "Messages are shown as they arrive, so those that overtook others are seen before them.",
    scenario: "chat/reordering",
  },
  {
    id: "CH-5",
    family: "chat",
    file: RULES,
    find: 'if (seq !== Math.max(accepted + 1, floor)) return { kind: "early" };',
    replace: "",
    why: "A post that overtook an earlier one is taken first; the earlier one then passes for a copy and is lost.",
    scenario: "chat/reordering",
  },
  {
    id: "CH-6",
    family: "chat",
    file: RULES,
    find: 'if (seq <= accepted) return { kind: "repeat" };',
    replace: 'if (seq <= accepted) return { kind: "append" };',
    why: "A post that comes again is not known and is taken twice.",
    scenario: "chat/server-crashes",
  },
  {
    id: "CH-7",
    family: "chat",
    file: RULES,
    find: 'return seq === refused.seq ? { kind: "refuse", reason: refused.reason } : { kind: "early" };',
    replace:
      'if (seq === refused.seq) return { kind: "refuse", reason: refused.reason };\n    return { kind: "append" };',
    why: "A later post is taken before the author has learned that an earlier one was refused, which then counts as taken.",
    scenario: "chat/reordering",
  },
  {
    id: "CH-8",
    family: "chat",
    file: MEMBER,
    find: 'if (post.sent) ctx.output({ kind: "unknown"',
    replace: 'if (post.sent) ctx.output({ kind: "failed"',
    why: "An author whose time ran out is told that the message is not in the room, though only the answer is missing.",
    scenario: "chat/short-deadlines",
  },
  {
    id: "CH-9",
    family: "chat",
    file: PROTOCOL,
    find: "missed: ctx.peers,",
    replace: "missed: [],",
    why: "A restarted server waits for members that do not know it was gone; whoever only reads gets nothing more.",
    scenario: "chat/server-crashes",
  },
];
