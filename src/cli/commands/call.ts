import { escapeText, UsageError } from "../../core/index.js";
import { connect } from "../../host/index.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { CallFlags } from "../program.js";
import { argumentsOf, findService } from "../services.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

/** Calls once and prints the value. Exit status 2: it certainly did not run; 3: it may have. */
export async function callCommand(
  given: { readonly service: string; readonly method: string; readonly words: readonly string[] },
  { to, deadline, json, ...certificates }: CallFlags,
  terminal: Terminal,
): Promise<number> {
  const service = findService(given.service);
  const args = argumentsOf(service, given.words);
  const problem = service.check(given.method, args);
  if (problem !== undefined) throw new UsageError(`${given.method}: ${problem}`);
  const transports = transportsFor(to, certificates);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using client = await connect(service, to, { transports, signal });
  const outcome = await client.call(given.method, args, {
    signal,
    ...(deadline !== undefined && { deadline }),
  });
  if (json) terminal.print(JSON.stringify(outcome));
  else if (outcome.kind === "ok") {
    const { value } = outcome;
    terminal.print(escapeText(typeof value === "string" ? value : JSON.stringify(value)));
  } else {
    terminal.complain(`lightcone: ${outcome.kind}: ${escapeText(outcome.reason)}`);
  }
  if (signal.aborted) return EXIT.interrupted;
  return { ok: EXIT.pass, failed: EXIT.unusableInput, unknown: EXIT.inconclusive }[outcome.kind];
}
