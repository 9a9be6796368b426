import { randomInt } from "node:crypto";
import { escapeText, UsageError, type Plain } from "../../core/index.js";
import { connect, deadlineOf, ServiceError, type ServiceStream } from "../../host/index.js";
import { EXIT } from "../exit-status.js";
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
  const words = argumentsOf(service, given.method, given.words);
  const args: Plain = service.prepare?.(given.method, words, randomInt(2 ** 48 - 1)) ?? words;
  const problem = service.check(given.method, args);
  if (problem !== undefined) throw new UsageError(`${given.method}: ${problem}`);
  const patience = deadline === undefined ? undefined : deadlineOf(deadline);
  const transports = transportsFor(to, certificates);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using client = await connect(service, to, {
    transports,
    signal,
    ...(patience !== undefined && { patience }),
  });
  if (service.streams?.includes(given.method) === true) {
    const options = { signal, ...(deadline !== undefined && { deadline }) };
    const stream = client.stream(given.method, args, options);
    return await printStream(stream, { json: flags.json, signal, terminal });
  }
  const outcome = await client.call(given.method, args, {
    signal,
    ...(deadline !== undefined && { deadline }),
  });
  printOutcome(outcome, flags, terminal);
  return callStatus(outcome, signal);
}

/** Prints items as they arrive. */
async function printStream(
  stream: ServiceStream,
  { json, signal, terminal }: { json: boolean | undefined; signal: AbortSignal; terminal: Terminal },
): Promise<number> {
  try {
    for await (const items of stream.batches()) {
      const lines = items.map((item) =>
        json === true || typeof item !== "string" ? JSON.stringify(item) : escapeText(item),
      );
      terminal.print(lines.join("\n"));
      if (signal.aborted) return EXIT.interrupted;
    }
    return EXIT.pass;
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    if (!(error instanceof ServiceError)) throw error;
    terminal.complain(`lightcone: ${error.code}: ${escapeText(error.message)}`);
    return error.code === "failed" ? EXIT.unusableInput : EXIT.inconclusive;
  }
}
