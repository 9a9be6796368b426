import { once } from "node:events";
import { createInterface } from "node:readline";
import { escapeText } from "../../core/index.js";
import { explainText } from "../../diagram/index.js";
import { serveChat, type ChatError, type ChatServer } from "../../host/index.js";
import { chatNarration } from "../../protocols/index.js";
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
export async function serveChatCommand(
  { listen, data, error, log: file, ...certificates }: ServeFlags,
  terminal: Terminal,
): Promise<number> {
  const errors = chatErrors(error);
  const transports = transportsFor(listen, certificates);
  using interruption = new Interruption();
  const end = new AbortController();
  const signal = AbortSignal.any([interruption.signal, end.signal]);
  const log = serveLog(file, terminal);
  await using server = await serveChat({
    at: listen,
    transports,
    log,
    explain: (rule, terms, remote) => log(logLine(rule, terms, remote)),
    ...(data !== undefined && { data }),
  });
  for (const name of errors) setError(server, name, true, log);
  const kept = data === undefined ? "history kept while it runs" : `history in ${escapeText(data)}`;
  terminal.print(`chat at ${server.address}, ${kept}. Join it:`);
  terminal.print(`  lightcone chat --to ${server.address} --name Ana`);
  // Its end is no wish to stop: a server in the background has none.
  if (!process.stdin.isTTY || readsTerminal()) {
    const lines = createInterface({ input: process.stdin });
    lines.on("line", (line) => take(line, server, terminal, log, end));
    signal.addEventListener("abort", () => lines.close(), { once: true });
  }
  if (!signal.aborted) await once(signal, "abort");
  await server.close();
  process.stdin.destroy();
  return EXIT.pass;
}

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
