import { once } from "node:events";
import { createInterface } from "node:readline";
import { escapeText, parseDuration, UsageError } from "../../core/index.js";
import { connectChat, type ChatClient, type ChatEvent } from "../../host/index.js";
import { connectClassicChat } from "../../interop/index.js";
import { chatName } from "../../protocols/index.js";
import { CHAT_HELP, chatErrors, chatLine } from "../chat-commands.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import { LineEditor, readsTerminal } from "../line-editor.js";
import type { ChatFlags } from "../program.js";
import type { Terminal, Tone } from "../terminal.js";
import { transportsFor } from "../transports.js";

// Lines of a pipe that wait for their outcome at a time; fewer than the protocol allows.
const PENDING_MAX = 200;

/**
 * Talks in a room until the user leaves, or the end of the input. Exit status 2: a message was certainly not posted;
 * 3: whether one was is unknown.
 */
export async function chatCommand(flags: ChatFlags, terminal: Terminal): Promise<number> {
  for (const [what, given] of [
    ["name", flags.name],
    ["room's name", flags.room],
  ] as const) {
    const named = chatName(what, given);
    if (named.kind === "refused") throw new UsageError(named.reason);
  }
  if (flags.deadline !== undefined) parseDuration(flags.deadline);
  chatErrors(flags.error);
  using interruption = new Interruption();
  const talk = new Talk(flags, terminal);
  return talk.run(interruption);
}

class Talk {
  readonly #flags: ChatFlags;
  readonly #terminal: Terminal;
  readonly #end = new AbortController();
  /** What was said under each number, until its outcome. */
  readonly #said = new Map<number, string>();
  #editor: LineEditor | undefined;
  #status: number = EXIT.pass;
  #settled: () => void = () => {};

  constructor(flags: ChatFlags, terminal: Terminal) {
    this.#flags = flags;
    this.#terminal = terminal;
  }

  async run(interruption: Interruption): Promise<number> {
    const { to, name, room, error, deadline } = this.#flags;
    const signal = AbortSignal.any([interruption.signal, this.#end.signal]);
    const { stdin, stdout } = process;
    const interactive = stdin.isTTY && stdout.isTTY && this.#flags.json === undefined && readsTerminal();
    const member = {
      name,
      signal,
      errors: chatErrors(error),
      onEvent: (event: ChatEvent) => this.#show(event),
      ...(deadline !== undefined && { deadline }),
    };
    await using client = this.#flags.classic
      ? await connectClassicChat(to, member)
      : await connectChat(to, { ...member, room, transports: transportsFor(to, this.#flags) });
    if (interactive) {
      using editor = new LineEditor(stdin, stdout, "> ");
      this.#editor = editor;
      editor.listen(
        (line) => this.#take(line, client),
        () => this.#end.abort(),
      );
      if (!signal.aborted) await once(signal, "abort");
      this.#editor = undefined;
      return this.#status === EXIT.couldNotRun ? this.#status : EXIT.pass;
    }
    await this.#pipe(client, signal);
    return interruption.signal.aborted ? EXIT.interrupted : this.#status;
  }

  /** Every line of standard input is a message, or a command; ends when all have had their outcome. */
  async #pipe(client: ChatClient, signal: AbortSignal): Promise<void> {
    const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
    signal.addEventListener("abort", () => lines.close(), { once: true });
    for await (const line of lines) {
      if (signal.aborted) break;
      this.#take(line, client);
      await this.#until(() => client.pending < PENDING_MAX, signal);
    }
    await this.#until(() => client.pending === 0 && this.#upToDate, signal);
    lines.close();
    process.stdin.destroy();
  }

  /** Whether everything that was there at the beginning has been shown, and everything of its own. */
  get #upToDate(): boolean {
    return this.#joined && this.#shown >= this.#head && this.#ownShown >= this.#posted;
  }

  #joined = false;
  #head = 0;
  #shown = 0;
  #posted = 0;
  #ownShown = 0;

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #take(typed: string, client: ChatClient): void {
    const line = chatLine(typed);
    switch (line.kind) {
      case "say":
        return client.post(line.text);
      case "error":
        client.setError(line.error, line.on);
        return this.#note(`${line.error} error ${line.on ? "on" : "off"}`, "doubtful");
      case "who":
        return client.who();
      case "help":
        return this.#note(CHAT_HELP, "faint");
      case "quit":
        return this.#end.abort();
      case "unclear":
        return this.#note(escapeText(line.reason), "bad");
      case "nothing":
        return;
    }
  }

  #show(event: ChatEvent): void {
    this.#follow(event);
    if (this.#flags.json === true) this.#terminal.print(JSON.stringify(event));
    else this.#tell(event);
    if (event.kind === "turned-away" && !event.again) {
      this.#status = EXIT.couldNotRun;
      this.#end.abort();
    }
    this.#settled();
  }

  #follow(event: ChatEvent): void {
    if (event.kind === "joined") {
      this.#joined = true;
      this.#head = event.head;
    } else if (event.kind === "message") {
      this.#shown = event.index;
      if (event.own) this.#ownShown++;
    } else if (event.kind === "posted") this.#posted++;
    else if (event.kind === "failed") this.#status = EXIT.unusableInput;
    else if (event.kind === "unknown" && this.#status === EXIT.pass) this.#status = EXIT.inconclusive;
  }

  #tell(event: ChatEvent): void {
    switch (event.kind) {
      case "message": {
        const { name, text } = event.entry;
        const who = this.#terminal.style(escapeText(name), event.own ? "strong" : "accent");
        return this.#print(`${who}: ${escapeText(text)}`);
      }
      case "joined": {
        const { next, head } = event;
        const room = escapeText(this.#flags.room);
        return this.#note(
          next === 0
            ? `in room ${room}; ${head} messages so far`
            : `back in room ${room}; ${head - next} messages missed`,
          "faint",
        );
      }
      case "turned-away": {
        const reason = escapeText(event.reason);
        return this.#note(
          event.again ? `turned away: ${reason}; trying again` : `lightcone: turned away: ${reason}`,
          "bad",
        );
      }
      case "posting":
        this.#said.set(event.seq, event.text);
        return;
      case "posted":
        this.#said.delete(event.seq);
        return;
      case "failed":
        return this.#note(`✗ not sent: ${this.#quote(event.seq)} (${escapeText(event.reason)})`, "bad");
      case "unknown":
        return this.#note(
          `? unknown whether sent: ${this.#quote(event.seq)} (${escapeText(event.reason)})`,
          "doubtful",
        );
      case "missing": {
        const { from, to } = event;
        const messages = to === from + 1 ? `message ${to} has` : `messages ${from + 1} to ${to} have`;
        return this.#note(`${messages} not come: lost on the way; asked for again`, "doubtful");
      }
      case "people":
        return this.#note(`here: ${event.names.map(escapeText).join(", ")}`, "faint");
      case "disconnected":
        return this.#note(`not connected: ${escapeText(event.reason)}`, "doubtful");
      case "connected":
        return this.#note("connected again", "faint");
    }
  }

  #quote(seq: number): string {
    const text = this.#said.get(seq) ?? "";
    this.#said.delete(seq);
    return `"${escapeText(text.length > 60 ? `${text.slice(0, 60)}…` : text)}"`;
  }

  /** What somebody said. */
  #print(text: string): void {
    if (this.#editor === undefined) this.#terminal.print(text);
    else this.#editor.print(text);
  }

  /** What is to be said about it: not part of the conversation, so not of standard output in a pipe. */
  #note(text: string, tone: Tone): void {
    if (this.#editor === undefined) this.#terminal.complain(text);
    else this.#editor.print(this.#terminal.style(text, tone));
  }
}
