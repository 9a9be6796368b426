import { once } from "node:events";
import { escapeText, UsageError } from "../../core/index.js";
import { messageOf } from "../../host/index.js";
import { openClassic } from "../process/classic.js";
import { Console } from "../process/console.js";
import { openHosted } from "../process/hosted.js";
import { PageServer } from "../process/page-server.js";
import type { Participant } from "../process/participant.js";
import { hostOfPeer, recipientOf } from "../process/recipient.js";
import { RotatingLog } from "../process/rotating-log.js";
import { describeSettings, readSettings, type ProcessSettings } from "../process/settings.js";
import { Story } from "../process/story.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { ProcessFlags } from "../program.js";
import type { Terminal } from "../terminal.js";
import { transportsFor } from "../transports.js";

/** Runs one process of a group until Ctrl-C; gives status 4 when it could not go on. */
export async function processCommand(flags: ProcessFlags, terminal: Terminal): Promise<number> {
  const settings = readSettings(flags, transportsFor(flags.listen, flags));
  const described = describeSettings(settings);
  using interruption = new Interruption();
  const stop = new AbortController();
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    stop.abort();
  };

  const log = openLog(settings, terminal);
  const shown: { console?: Console; page?: PageServer } = {};
  const story: Story = new Story({
    pid: `${settings.id}`,
    self: settings.self,
    processes: settings.processes,
    transport: settings.transport.scheme,
    peers: settings.peers,
    settings: described,
    onLine(text, tone) {
      log?.write(`${new Date().toISOString()} ${settings.self} ${escapeText(text)}`);
      shown.console?.show(text, tone);
    },
    onChange: () => shown.page?.changed(),
  });

  const open = settings.classic ? openClassic : openHosted;
  await using participant = await open(settings, story, fail);
  story.address = participant.address;
  await using page =
    settings.page === undefined
      ? undefined
      : await PageServer.open(settings.page, actionsOf(settings, story, participant));
  if (page !== undefined) shown.page = page;
  print(settings, described, participant.address, page?.url, terminal, log);
  using console = new Console(
    terminal,
    `${settings.self}> `,
    (line) => typed(line, settings, story, participant),
    () => stop.abort(),
  );
  shown.console = console;
  const over = AbortSignal.any([interruption.signal, stop.signal]);
  if (!over.aborted) await once(over, "abort");
  story.line(
    failure === undefined ? "ends" : `cannot go on: ${failure.message}`,
    failure === undefined ? "plain" : "bad",
  );
  if (failure === undefined) return EXIT.pass;
  terminal.complain(`lightcone: ${escapeText(failure.message)}`);
  return EXIT.couldNotRun;
}

function openLog({ log }: ProcessSettings, terminal: Terminal): RotatingLog | undefined {
  if (log === undefined) return undefined;
  try {
    return new RotatingLog(log, (problem) => terminal.complain(`lightcone: ${escapeText(problem)}`));
  } catch (cause) {
    throw new UsageError(`--log: cannot write ${log}: ${messageOf(cause)}`, { log }, { cause });
  }
}

function actionsOf(settings: ProcessSettings, story: Story, participant: Participant) {
  return {
    pid: `${settings.id}`,
    view: () => story.view(),
    say: (text: string, address: string) => participant.say(text, recipientOf(address, settings)),
    fetch() {
      const next = story.fetch();
      return next && { message: next.text, sender_ip: hostOfPeer(next.from, settings.peers) };
    },
  };
}

/** A line is for all, `@2 text` for one. */
function typed(line: string, settings: ProcessSettings, story: Story, participant: Participant): void {
  const [, address = "", text = line] = /^@(\S+)\s+(.*)$/s.exec(line) ?? [];
  try {
    participant.say(text, recipientOf(address, settings));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    story.line(`not sent: ${error.message}`, "bad");
  }
}

function print(
  settings: ProcessSettings,
  described: ReturnType<typeof describeSettings>,
  address: string,
  page: string | undefined,
  terminal: Terminal,
  log: RotatingLog | undefined,
): void {
  const lines = [
    { name: "listens at", value: address },
    ...(page === undefined ? [] : [{ name: "page", value: page }]),
    ...described,
  ].map(({ name, value }) => `${name.padEnd(15)}${escapeText(value)}`);
  for (const line of lines) {
    terminal.print(line);
    log?.write(`${new Date().toISOString()} ${settings.self} ${line}`);
  }
  const last = settings.peers.at(-1)?.process ?? "";
  terminal.print(`Type a line for all, or "@${last.slice(1)} text" for ${last} alone. Ctrl-C ends.`);
}
