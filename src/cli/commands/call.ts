import { UsageError } from "../../core/index.js";
import { connect } from "../../host/index.js";
import { Interruption } from "../interruption.js";
import { callStatus, printOutcome } from "../outcome.js";
import type { CallFlags } from "../program.js";
import { argumentsOf, findService } from "../services.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

/** Calls once and prints the value. Exit status 2: it certainly did not run; 3: it may have. */
export async function callCommand(
  given: { readonly service: string; readonly method: string; readonly words: readonly string[] },
  flags: CallFlags,
  terminal: Terminal,
): Promise<number> {
  const { to, deadline, ...certificates } = flags;
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
  printOutcome(outcome, flags, terminal);
  return callStatus(outcome, signal);
}
