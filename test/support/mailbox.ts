import type { ProcessId, Protocol } from "../../src/core/index.js";

/** A letter on its way out, or in. */
export type MailboxCommand = { readonly to: ProcessId; readonly text: string };

export interface MailboxOutput {
  readonly from: ProcessId;
  readonly text: string;
}

/** How many letters came in. */
export interface MailboxState {
  readonly received: number;
  /** What was last saved before the crash, if there was one. */
  readonly saved?: unknown;
}

/**
 * The least protocol that shows what its links do: sends what it is told to, puts out what it gets, and answers a
 * letter that begins with "?".
 */
export const mailbox: Protocol<MailboxState, string, MailboxCommand, MailboxOutput> = {
  name: "mailbox",
  start: () => ({ received: 0 }),
  onMessage(state, from, text, ctx) {
    ctx.output({ from, text });
    if (text.startsWith("?")) ctx.send(from, `!${text.slice(1)}`);
    return { ...state, received: state.received + 1 };
  },
  onTimer(state, timer, ctx) {
    ctx.output({ from: ctx.self, text: timer });
    return state;
  },
  onCommand(state, { to, text }, ctx) {
    if (text.startsWith("save ")) ctx.save(text.slice("save ".length));
    else if (text.startsWith("timer ")) ctx.setTimer(text.slice("timer ".length), 1_000);
    else ctx.send(to, text);
    return state;
  },
  onRestart: (saved) => ({ received: 0, saved }),
};
