import { randomInt } from "node:crypto";
import { UsageError, type Plain } from "../../core/index.js";
import { connect, deadlineOf } from "../../host/index.js";
import { streamPart, type CallOutcome } from "../../protocols/index.js";
import { callMsMax, findClassic, refuseFramedFlags } from "../classic.js";
import { Interruption } from "../interruption.js";
import type { CallFlags } from "../program.js";
import { promptForCalls } from "../prompt.js";
import { argumentsOf, findService } from "../services.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

/** `lightcone call SERVICE --to URL` without a method: one call for each line of standard input. */
export async function promptCommand(name: string, flags: CallFlags, terminal: Terminal): Promise<number> {
  if (flags.json) throw new UsageError("--json is for a single call; name a method, or leave it out");
  return flags.classic === true ? classicPrompt(name, flags, terminal) : framedPrompt(name, flags, terminal);
}

/** Over one connection, which comes back when it breaks. */
async function framedPrompt(
  name: string,
  { to, deadline, ...certificates }: CallFlags,
  terminal: Terminal,
): Promise<number> {
  const service = findService(name);
  const patience = deadline === undefined ? undefined : deadlineOf(deadline);
  const transports = transportsFor(to, certificates);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using client = await connect(service, to, {
    transports,
    signal,
    ...(patience !== undefined && { patience }),
  });
  const ask = async (method: string, words: readonly string[]): Promise<CallOutcome> => {
    const given = argumentsOf(service, method, words);
    const args: Plain = service.prepare?.(method, given, randomInt(2 ** 48 - 1)) ?? given;
    const problem = service.check(method, args);
    if (problem !== undefined) throw new UsageError(`${method}: ${problem}`);
    const outcome = await client.call(method, args, { signal, ...(deadline !== undefined && { deadline }) });
    return service.streams?.includes(method) === true ? wholeStream(name, outcome) : outcome;
  };
  const { methods } = service;
  return await promptForCalls(
    { service: name, methods, examples: EXAMPLES[name] ?? methods, ask, signal },
    terminal,
  );
}

/** Of a stream that fits into one part, the items; a longer one is no answer for a prompt. */
function wholeStream(name: string, outcome: CallOutcome): CallOutcome {
  const part = outcome.kind === "ok" ? streamPart(outcome.value) : undefined;
  if (part === undefined) return outcome;
  if (part.items.length === part.count) return { kind: "ok", value: part.items };
  throw new UsageError(
    `${part.count} items are more than a prompt shows; give lightcone call ${name} the whole line`,
  );
}

/** A connection for each call, as the formats are; acknowledgements are shown before results. */
async function classicPrompt(name: string, flags: CallFlags, terminal: Terminal): Promise<number> {
  refuseFramedFlags(flags);
  const format = findClassic(name);
  using interruption = new Interruption();
  const { signal } = interruption;
  const { to, deadline, base64 } = flags;
  const msMax = callMsMax(deadline);
  const ask = (method: string, words: readonly string[]): Promise<CallOutcome> =>
    format.call(method, words, {
      to,
      signal,
      msMax,
      step: (line) => {
        if (flags.verbose === true || line.startsWith("acknowledged")) terminal.complain(line);
      },
      ...(base64 === true && { base64 }),
    });
  const { methods } = format;
  return await promptForCalls(
    { service: name, methods, examples: EXAMPLES[name] ?? methods, ask, signal },
    terminal,
  );
}

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  calculator: ["5 * 10", "add 5 10", "root 9 2"],
  hello: ["hello Ana"],
  "random-numbers": ["draw 5 10", "draw"],
};
