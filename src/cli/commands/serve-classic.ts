import { once } from "node:events";
import { callLine } from "../call-line.js";
import { EXIT } from "../exit-status.js";
import { findClassic, refuseFramedFlags } from "../classic.js";
import { Interruption } from "../interruption.js";
import type { ServeFlags } from "../program.js";
import { wholeNumber } from "../run-request.js";
import { serveLog } from "../serve-log.js";
import type { Terminal } from "../terminal.js";

/** Serves the published clients of a service, in their own format, until it is interrupted. */
export async function serveClassicCommand(
  name: string,
  flags: ServeFlags,
  terminal: Terminal,
): Promise<number> {
  const { listen, base64, seed } = flags;
  const format = findClassic(name);
  refuseFramedFlags(flags);
  using interruption = new Interruption();
  const log = serveLog(flags.log, terminal);
  await using server = await format.serve({
    at: listen,
    log,
    ...(base64 === true && { base64 }),
    ...(seed !== undefined && { seed: wholeNumber("--seed", seed) }),
  });
  log(`classic ${name} at ${server.address}`);
  terminal.print(`classic ${name} at ${server.address}, for programs of the format. Call it:`);
  const [words = ""] = format.calls[0] ?? [];
  const needed = { classic: true, ...(base64 === true && { base64 }) } as const;
  terminal.print(`  ${callLine(["call", name, ...words.split(" ")], server.address, needed)}`);
  if (!interruption.signal.aborted) await once(interruption.signal, "abort");
  await server.close();
  log(`ended; ${server.served} calls answered`);
  if (flags.log !== undefined) terminal.complain(`${server.served} calls answered`);
  return EXIT.pass;
}
