import { Command, CommanderError, Option } from "commander";
import { escapeText, LightconeError, nearestName, UsageError } from "../core/index.js";
import type { CertificateFlags } from "./certificate-files.js";
import { withClassicHint } from "./classic-hint.js";
import { EXIT } from "./exit-status.js";
import { Terminal } from "./terminal.js";
import { version } from "./version.js";

/**
 * Runs one command line and gives its exit status. Commands are loaded when they are called, so that `--help` is quick.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = new Terminal(process.stdout, process.stderr);
  const outcome = { status: EXIT.pass as number };
  const program = build(terminal, outcome);
  try {
    if (argv[0] === "complete") {
      const { completeCommand } = await import("./completion.js");
      return completeCommand(program, argv.slice(1), terminal);
    }
    await program.parseAsync(argv, { from: "user" });
    return outcome.status;
  } catch (error) {
    const { status, message } = explain(error, program, argv);
    if (message === undefined) return status;
    terminal.complain(`lightcone: ${escapeText(message)}`);
    // Whoever reads the output as JSON gets an object in any case.
    if (wantsJson(argv)) terminal.print(JSON.stringify({ error: message, status }));
    return status;
  }
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes("--json");
}

interface Outcome {
  status: number;
}

function build(terminal: Terminal, outcome: Outcome): Command {
  const program = new Command("lightcone")
    .description(
      "Processes that talk: run them for real, break the network between them on purpose, see what happened\n" +
        "before what, and check that the protocol still holds.",
    )
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .exitOverride()
    .showSuggestionAfterError(false)
    .addHelpText(
      "after",
      `
First steps:
  $ lightcone labs                              what can be run
  $ lightcone run ricart-agrawala -n 4          four real processes, faults, a diagram, a verdict
  $ lightcone show                              the last run again; --event P2:8 for what led to an event

Exit status: 0 pass, 1 violation, 2 unusable input, 3 inconclusive, 4 could not run, 130 interrupted.`,
    );

  program
    .command("labs")
    .argument("[lab]", "a lab to read about")
    .description("list what can be run, or tell about one lab")
    .addOption(json())
    .action(async (lab: string | undefined, options: { json?: true }) => {
      const { labsCommand } = await import("./commands/labs.js");
      outcome.status = await labsCommand(lab, options, terminal);
    });

  certificateOptions(
    runOptions(
      program
        .command("run")
        .argument("<lab>", "a lab of `lightcone labs`, or your own file: ./my-lab.ts")
        .description("run a lab with real processes, break things, judge what happened"),
    ),
    "default: one for this run alone",
  )
    .addOption(
      new Option(
        "--transport <scheme>",
        "what the processes talk over: tcp, tls, uds, fifo, udp or ws",
      ).default("tcp"),
    )
    .action(
      async (
        _lab: string,
        options: RunFlags & CertificateFlags & { transport: string },
        command: Command,
      ) => {
        const { runCommand } = await import("./commands/run.js");
        outcome.status = await runCommand(command.args, options, terminal);
      },
    );

  runOptions(
    program
      .command("sim")
      .argument("<lab>", "a lab of `lightcone labs`, or your own file: ./my-lab.ts")
      .description("run a lab in the deterministic simulator, once or over many seeds"),
  )
    .option("--seeds <count>", "run so many seeds, from --seed up, and say which fail")
    .action(async (_lab: string, options: RunFlags & { seeds?: string }, command: Command) => {
      const { simCommand } = await import("./commands/sim.js");
      outcome.status = await simCommand(command.args, options, terminal);
    });

  program
    .command("compare")
    .argument("<family>", "what to compare: mutex or election")
    .description("run every algorithm of a family on the same work, and show what each costs")
    .option("-n, --processes <range>", "how many processes, such as 8 or 2..64", "2..64")
    .option("--entries <count>", "of mutex: how often each process enters; default 2")
    .option("--seed <number>", "decides when who wants what", "1")
    .option("--faults <text>", "try these faults instead of loss and crashes")
    .option("--ascii", "no characters beyond ASCII")
    .addOption(json())
    .action(async (family: string, options: CompareFlags) => {
      const { compareCommand } = await import("./commands/compare.js");
      outcome.status = await compareCommand(family, options, terminal);
    });

  program
    .command("check")
    .argument("[trace...]", "a trace, or the per-process files of one run; absent: the last run")
    .description("judge recorded traces by the checkers of their lab")
    .addOption(lab())
    .addOption(json())
    .action(async (files: string[], options: { json?: true; lab?: string }) => {
      const { checkCommand } = await import("./commands/check.js");
      outcome.status = await checkCommand(files, options, terminal);
    });

  program
    .command("show")
    .argument("[trace...]", "a trace, or the per-process files of one run; absent: the last run")
    .description("draw a trace; tell what led to an event")
    .option("--event <id>", "an event such as P2:8: its causal past and future")
    .option("--ids", "name the event of every row")
    .option("--from <time>", "only what happens from then on, such as 1.5s")
    .option("--to <time>", "only what happens until then, such as 2s")
    .option("--svg <file>", "write the diagram as SVG")
    .addOption(lab())
    .option("--rows <count>", "at most so many rows, from 8 up")
    .option("--ascii", "no characters beyond ASCII")
    .addOption(json())
    .action(async (files: string[], options: ShowFlags) => {
      const { showCommand } = await import("./commands/show.js");
      outcome.status = await showCommand(files, options, terminal);
    });

  program
    .command("replay")
    .argument("[trace...]", "a trace, or the per-process files of one run; absent: the last run")
    .description("run a trace again, step by step, and compare")
    .addOption(lab())
    .addOption(json())
    .action(async (files: string[], options: { json?: true; lab?: string }) => {
      const { replayCommand } = await import("./commands/replay.js");
      outcome.status = await replayCommand(files, options, terminal);
    });

  program
    .command("faults")
    .description("list the faults that --faults can name, each with an example")
    .addOption(json())
    .action(async (options: { json?: true }) => {
      const { faultsCommand } = await import("./commands/faults.js");
      outcome.status = faultsCommand(options, terminal);
    });

  certificateOptions(
    program
      .command("serve")
      .argument("<service>", "hello, calculator or chat; with --classic also random-numbers")
      .description("serve a service until Ctrl-C"),
  )
    .requiredOption("--listen <url>", "where, such as tcp://127.0.0.1:65432 or uds:///tmp/calc.sock")
    .option(
      "--data <path>",
      "keep effects and replies in this file, every call exactly once, through restarts too; a chat: its histories in this folder",
    )
    .option("--log <file>", "a line there for each connection, call and error; rotates at 1 MiB, five files")
    .option("--classic", "speak the format of the published programs, without frames")
    .option("--base64", "classic hello: texts in base64, an encoding that hides nothing")
    .option("--seed <number>", "classic random-numbers: decides every number")
    .option("--error <names>", "chat: simulate errors from the start: connection, send, reception")
    .option("--frames <url>", "classic chat: let members with frames into the same rooms, there")
    .action(async (service: string, options: ServeFlags) => {
      if (service === "chat") {
        if (!options.classic) noClassicFlags(options);
        const { serveChatCommand } = await import("./commands/serve-chat.js");
        outcome.status = await serveChatCommand(options, terminal);
        return;
      }
      if (options.classic) {
        const { serveClassicCommand } = await import("./commands/serve-classic.js");
        outcome.status = await serveClassicCommand(service, options, terminal);
        return;
      }
      noClassicFlags(options);
      const { serveCommand } = await import("./commands/serve.js");
      outcome.status = await serveCommand(service, options, terminal);
    });

  certificateOptions(
    program
      .command("call")
      .argument("<service>", "hello, calculator; with --classic also random-numbers")
      .argument("[method]", "what to call; absent: a prompt, one call for each line")
      .argument("[arguments...]", "its arguments, in order; after -- if one begins with a minus")
      .description("call a served service, once or line by line"),
  )
    .requiredOption("--to <url>", "where it is served")
    .option("--deadline <time>", "wait no longer; default 5s")
    .option("--classic", "speak the format of the published programs, without frames")
    .option("--base64", "classic hello: texts in base64, an encoding that hides nothing")
    .option("--verbose", "with --classic: each step on standard error")
    .addOption(json())
    .action(async (service: string, method: string | undefined, words: string[], options: CallFlags) => {
      if (!options.classic) noClassicFlags(options);
      try {
        if (method === undefined) {
          const { promptCommand } = await import("./commands/prompt.js");
          outcome.status = await promptCommand(service, options, terminal);
        } else if (options.classic) {
          const { callClassicCommand } = await import("./commands/call-classic.js");
          outcome.status = await callClassicCommand({ service, method, words }, options, terminal);
        } else {
          const { callCommand } = await import("./commands/call.js");
          outcome.status = await callCommand({ service, method, words }, options, terminal);
        }
      } catch (error) {
        throw options.classic ? error : withClassicHint(error, options.to);
      }
    });

  program
    .command("certificates")
    .argument("<folder>", "where to put cert.pem, key.pem and ca.pem")
    .description("make a development authority and a certificate for this machine, for --transport tls")
    .option("--host <name...>", "further names and addresses that it is for")
    .addOption(json())
    .action(async (folder: string, options: { host?: string[]; json?: true }) => {
      const { certificatesCommand } = await import("./commands/certificates.js");
      outcome.status = certificatesCommand(folder, options, terminal);
    });

  certificateOptions(
    program
      .command("process")
      .description("start one process of a group by hand: messages in causal order, with a page")
      .requiredOption("--id <number>", "its id, from 0")
      .requiredOption("--listen <url>", "where it listens, such as udp://127.0.0.1:5050")
      .option("--processes <count>", "how many processes the group has", "3")
      .option("--peer <id=url>", "where another listens; once for each of the others", gather, [])
      .option("--max-delay <time>", "a message leaves after a random delay of at most this", "10s")
      .option("--max-retries <count>", "attempts to reach a silent peer before that is reported", "100")
      .option(
        "--seed <number>",
        "decides the delays; the same for all, if their traces are to be merged",
        "0",
      )
      .option("--page <port>", "show its page at this port of 127.0.0.1; 0 for any")
      .option("--log <file>", "log there as well; full files become FILE.1 … FILE.4")
      .option("--out <file>", "write its trace there; `lightcone check` judges those of all together")
      .option("--classic", "speak the classic format, CONTENT:PID:IP:V0, V1, V2 in datagrams"),
  )
    .addHelpText(
      "after",
      `
A line that you type goes to all, "@2 text" to process 2 alone. For a group of three, in three terminals:
  $ lightcone process --id 0 --listen udp://127.0.0.1:5050 --peer 1=udp://127.0.0.1:5051 \\
      --peer 2=udp://127.0.0.1:5052 --page 5000
  and the same with --id 1 and --id 2.`,
    )
    .action(async (options: ProcessFlags) => {
      const { processCommand } = await import("./commands/process.js");
      outcome.status = await processCommand(options, terminal);
    });

  certificateOptions(
    program.command("chat").description("talk in a room of a served chat, or pipe lines into it"),
  )
    .requiredOption("--to <url>", "where it is served")
    .requiredOption("--name <name>", "what the others call you")
    .option("--room <name>", "which room", "lobby")
    .option("--error <names>", "simulate errors for yourself from the start: connection, send, reception")
    .option("--deadline <time>", "when you learn at the latest what became of a message; default 30s")
    .option("--classic", "speak the format of the published programs, without frames")
    .addOption(json())
    .action(async (options: ChatFlags) => {
      const { chatCommand } = await import("./commands/chat.js");
      outcome.status = await chatCommand(options, terminal);
    });

  program
    .command("side-by-side")
    .argument("[x]", "how many random numbers; default 5")
    .argument("[nmax]", "up to what; default 10")
    .description("draw random numbers over named pipes and over TCP, with the log lines of both ends")
    .option("--seed <number>", "decides every number")
    .addOption(json())
    .action(
      async (
        _x: string | undefined,
        _nmax: string | undefined,
        options: { seed?: string; json?: true },
        command: Command,
      ) => {
        const { sideBySideCommand } = await import("./commands/side-by-side.js");
        outcome.status = await sideBySideCommand(command.args, options, terminal);
      },
    );

  program
    .command("completion")
    .argument("<shell>", "bash, zsh or fish")
    .description("print a completion script: source <(lightcone completion bash)")
    .action(async (shell: string) => {
      const { completionScript } = await import("./completion-scripts.js");
      terminal.print(completionScript(shell));
    });

  for (const command of program.commands) {
    command.configureOutput({ writeErr: () => {}, outputError: () => {} }).exitOverride();
  }
  return program;
}

/** The flags that `run` and `sim` share, as commander gives them. */
export interface RunFlags {
  readonly processes?: string;
  readonly seed?: string;
  readonly faults?: string;
  readonly duration?: string;
  readonly out?: string;
  readonly outProcesses?: string;
  readonly json?: true;
  readonly ascii?: true;
}

export interface ServeFlags extends CertificateFlags {
  readonly listen: string;
  readonly data?: string;
  readonly log?: string;
  readonly classic?: true;
  readonly base64?: true;
  readonly seed?: string;
  /** As given: names with commas between. */
  readonly error?: string;
  readonly frames?: string;
}

export interface ChatFlags extends CertificateFlags {
  readonly to: string;
  readonly name: string;
  readonly room: string;
  /** As given: names with commas between. */
  readonly error?: string;
  readonly deadline?: string;
  readonly classic?: true;
  readonly json?: true;
}

export interface CompareFlags {
  readonly processes: string;
  readonly entries?: string;
  readonly seed: string;
  readonly faults?: string;
  readonly json?: true;
  readonly ascii?: true;
}

export interface CallFlags extends CertificateFlags {
  readonly to: string;
  readonly deadline?: string;
  readonly classic?: true;
  readonly base64?: true;
  readonly verbose?: true;
  readonly json?: true;
}

export interface ProcessFlags extends CertificateFlags {
  readonly id: string;
  readonly listen: string;
  readonly processes: string;
  readonly peer: readonly string[];
  readonly maxDelay: string;
  readonly maxRetries: string;
  readonly seed: string;
  readonly page?: string;
  readonly log?: string;
  readonly out?: string;
  readonly classic?: true;
}

export interface ShowFlags {
  readonly lab?: string;
  readonly event?: string;
  readonly svg?: string;
  readonly ids?: true;
  readonly from?: string;
  readonly to?: string;
  readonly rows?: string;
  readonly json?: true;
  readonly ascii?: true;
}

function certificateOptions(command: Command, otherwise = "with --key and --ca"): Command {
  return command
    .option("--cert <file>", `for tls: a certificate for this machine; ${otherwise}`)
    .option("--key <file>", "for tls: its private key")
    .option("--ca <file>", "for tls: the authority that signs every other's certificate");
}

function runOptions(command: Command): Command {
  return command
    .option("-n, --processes <count>", "how many processes, called P1 … Pn")
    .option(
      "--seed <number>",
      "decides every random choice of faults, users and protocol; a simulation it decides wholly",
    )
    .option(
      "--faults <text|file>",
      'what goes wrong, e.g. "delay 5..50ms, loss 10%, crash P2 at 3s"; none: no faults; `lightcone faults` lists them',
    )
    .option("--duration <time>", "stop after this long; default 60s")
    .option(
      "--out <file>",
      "where the trace goes; default: your state folder, see the last line of the output",
    )
    .option("--out-processes <folder>", "also write what each process recorded to a file of its own")
    .option("--ascii", "no characters beyond ASCII")
    .addOption(json())
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      "after",
      "\nA lab has options of its own, such as --entries 3; `lightcone labs LAB` lists them.",
    );
}

function noClassicFlags(options: {
  readonly base64?: true;
  readonly seed?: string;
  readonly verbose?: true;
  readonly frames?: string;
}): void {
  for (const flag of ["base64", "seed", "verbose", "frames"] as const) {
    if (options[flag] !== undefined)
      throw new UsageError(`--${flag} is for --classic; leave it out, or add --classic`);
  }
}

function gather(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function lab(): Option {
  return new Option(
    "--lab <file>",
    "the lab file that the trace is of; without it, only the catalogue's labs are loaded",
  );
}

function json(): Option {
  return new Option("--json", "print one JSON object instead");
}

/** The exit status for what a command threw, and a line for the user; throws on what nobody foresaw. */
function explain(
  error: unknown,
  program: Command,
  argv: readonly string[],
): { readonly status: number; readonly message?: string } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { status: EXIT.pass };
    return { status: EXIT.unusableInput, message: commanderMessage(error, program, argv) };
  }
  if (error instanceof UsageError) return { status: EXIT.unusableInput, message: error.message };
  // By name, because importing the class would slow down every --help; so below.
  if (error instanceof Error && error.name === "InterruptedError") return { status: EXIT.interrupted };
  if (error instanceof LightconeError) {
    const { name, message } = error;
    // A trace that cannot be read is input.
    return { status: name === "TraceError" ? EXIT.unusableInput : EXIT.couldNotRun, message };
  }
  throw error;
}

function commanderMessage(error: CommanderError, program: Command, [first]: readonly string[]): string {
  const called = program.commands.find((command) => command.name() === first);
  const help = called === undefined ? "lightcone --help" : `lightcone ${called.name()} --help`;
  const text = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  const named = /^unknown (command|option) '([^']*)'/.exec(text);
  if (named === null) {
    return error.code === "commander.help" ? `name a command; see ${help}` : `${text}; see ${help}`;
  }
  const [, what = "", given = ""] = named;
  const known =
    what === "command"
      ? program.commands.map((command) => command.name())
      : program.commands.flatMap((command) => command.options.map((option) => option.long ?? ""));
  const nearest = nearestName(given, [...new Set(known)]);
  return `unknown ${what} "${given}"${nearest === undefined ? "" : `; did you mean "${nearest}"?`} See ${help}`;
}
