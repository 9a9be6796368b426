import { once } from "node:events";
import { createInterface } from "node:readline";
import { escapeText } from "../../core/index.js";
import { explainText } from "../../diagram/index.js";
import { serveChat, type ChatError, type ChatServer } from "../../host/index.js";
import { serveClassicChat } from "../../interop/index.js";
import { chatNarration } from "../../protocols/index.js";
import { createMemoryTransport } from "../../transports/index.js";
import { callLine } from "../call-line.js";
import { chatErrors, chatLine } from "../chat-commands.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import { readsTerminal } from "../line-editor.js";
import type { ServeFlags } from "../program.js";
import { serveLog } from "../serve-log.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

const HELP =
  "/who  rooms and people      /quit  stop\n/error connection|send|reception on|off   simulate an error, for everybody";

/** Serves a chat until it is interrupted; takes commands from standard input. */
export async function serveChatCommand(flags: ServeFlags, terminal: Terminal): Promise<number> {
  const { listen, data, error, log: file, classic, frames, ...certificates } = flags;
  const errors = chatErrors(error);
  // Clients of the classic format are members like others, by way of this very process.
  const at = classic ? (frames ?? IN_HERE) : listen;
  const transports = { ...transportsFor(at, certificates), memory: createMemoryTransport() };
  using interruption = new Interruption();
  const end = new AbortController();
  const signal = AbortSignal.any([interruption.signal, end.signal]);
  const log = serveLog(file, terminal);
  await using server = await serveChat({
    at,
    transports,
    log,
    explain: (rule, terms, remote) => log(logLine(rule, terms, remote)),
    ...(data !== undefined && { data }),
  });
  for (const name of errors) setError(server, name, true, log);
  await using guests = classic
    ? await serveClassicChat({ at: listen, to: server.address, transports, log })
    : undefined;
  const kept = data === undefined ? "history kept while it runs" : `history in ${escapeText(data)}`;
  if (guests !== undefined) {
    terminal.print(`classic chat at ${guests.address}, ${kept}, for programs of the format. Join it:`);
    terminal.print(`  lightcone chat --classic --to ${guests.address} --name Ana`);
  }
  if (at !== IN_HERE) {
    terminal.print(`chat at ${server.address}, ${kept}. Join it:`);
    terminal.print(`  ${callLine(["chat", "--name", "Ana"], server.address, certificates)}`);
  }
  // Its end is no wish to stop: a server in the background has none.
  if (!process.stdin.isTTY || readsTerminal()) {
    const lines = createInterface({ input: process.stdin });
    lines.on("line", (line) => take(line, server, terminal, log, end));
    signal.addEventListener("abort", () => lines.close(), { once: true });
  }
  if (!signal.aborted) await once(signal, "abort");
  await guests?.close();
  await server.close();
  process.stdin.destroy();
  return EXIT.pass;
}

const IN_HERE = "memory://chat";

function take(
  typed: string,
  server: ChatServer,
  terminal: Terminal,
  log: (line: string) => void,
  end: AbortController,
): void {
  const line = chatLine(typed);
  switch (line.kind) {
    case "error":
      return setError(server, line.error, line.on, log);
    case "who":
      for (const { room, messages, people } of server.rooms()) {
        terminal.print(`${escapeText(room)}, ${messages} messages: ${people.map(escapeText).join(", ")}`);
      }
      return;
    case "quit":
      return end.abort();
    case "unclear":
      return terminal.complain(escapeText(line.reason));
    case "say":
    case "help":
      return terminal.print(HELP);
    case "nothing":
      return;
  }
}

function setError(server: ChatServer, error: ChatError, on: boolean, log: (line: string) => void): void {
  server.setError(error, on);
  log(`${error} error ${on ? "on" : "off"}, for everybody`);
}

// As a log would say it.
const NARRATION = {
  ...chatNarration,
  "chat.has": "delivered {messages} to {name}",
  "chat.append": "{name}, message {seq}: {text}",
  "chat.join": "{name} joins room {room}, from message {next} on; there are {head}",
  "chat.leave": "{name} leaves, {reason}",
};

/** The rule as a sentence, and whom it is about. */
function logLine(rule: string, terms: Readonly<Record<string, unknown>>, remote: string | undefined): string {
  const sentence = escapeText(explainText(NARRATION, rule, terms));
  return remote === undefined ? sentence : `${sentence} [${escapeText(remote)}]`;
}
