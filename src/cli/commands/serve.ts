import { once } from "node:events";
import { serve, ServiceLog } from "../../host/index.js";
import { callLine } from "../call-line.js";
import { CallLog } from "../call-log.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { ServeFlags } from "../program.js";
import { serveLog } from "../serve-log.js";
import { findService } from "../services.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

/** Serves until it is interrupted. */
export async function serveCommand(
  name: string,
  { listen, data, log: file, ...certificates }: ServeFlags,
  terminal: Terminal,
): Promise<number> {
  const service = findService(name);
  const transports = transportsFor(listen, certificates);
  using interruption = new Interruption();
  const log = serveLog(file, terminal);
  const store = data === undefined ? {} : { store: new ServiceLog(data, log) };
  const calls = new CallLog(log);
  // Without a file, only what goes wrong: a line for each call would be most of the work.
  const [served, watched] =
    file === undefined ? [service, transports] : [calls.service(service), calls.transports(transports)];
  await using server = await serve(served, { at: listen, transports: watched, log, ...store });
  if (file !== undefined) log(`${service.name} at ${server.address}, ${server.mode}`);
  terminal.print(`${service.name} at ${server.address}, ${server.mode}. Call it:`);
  const needed = service.parameters.filter(({ optional }) => optional !== true);
  const words = needed.map(({ kind }) => (kind === "text" ? "Ana" : "5"));
  const call = ["call", service.name, service.methods[0] ?? "", ...words];
  terminal.print(`  ${callLine(call, server.address, certificates)}`);
  if (!interruption.signal.aborted) await once(interruption.signal, "abort");
  await server.close();
  if (file !== undefined) log(`ended; ${server.executed} calls run`);
  terminal.complain(`${server.executed} calls run`);
  return EXIT.pass;
}
