import { escapeText } from "../../core/index.js";
import { callMsMax, findClassic, refuseFramedFlags } from "../classic.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import { callStatus, printOutcome } from "../outcome.js";
import type { CallFlags } from "../program.js";
import type { Terminal } from "../terminal.js";

/** Calls a server of a published program once, in its own format. */
export async function callClassicCommand(
  given: { readonly service: string; readonly method: string; readonly words: readonly string[] },
  flags: CallFlags,
  terminal: Terminal,
): Promise<number> {
  const { to, deadline, base64, verbose } = flags;
  refuseFramedFlags(flags);
  const format = findClassic(given.service);
  using interruption = new Interruption();
  const { signal } = interruption;
  const step = (line: string): void => terminal.complain(escapeText(line));
  const options = {
    to,
    signal,
    msMax: callMsMax(deadline),
    ...(base64 === true && { base64 }),
    ...(verbose === true && { step }),
  };
  const outcome = await format.call(given.method, given.words, options).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (outcome === undefined) return EXIT.interrupted;
  printOutcome(outcome, flags, terminal);
  return callStatus(outcome, signal);
}
