import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { escapeText, LightconeError, UsageError } from "../../core/index.js";
import { RunFolder } from "../../host/index.js";
import type { ClassicServer } from "../../interop/index.js";
import type { CallOutcome } from "../../protocols/index.js";
import { findClassic } from "../classic.js";
import { inColumns } from "../columns.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import { wholeNumber } from "../run-request.js";
import type { Terminal } from "../terminal.js";

/** More numbers than that are no picture any more. */
const SHOWN_MAX = 20;

/** As the client takes it. */
const NMAX_MAX = 2 ** 31 - 1;

/** What one end said, and when: since the beginning, in milliseconds. */
interface Line {
  readonly ms: number;
  readonly text: string;
}

/** One method, and what both its ends said, in order. */
interface Method {
  readonly title: string;
  readonly picture: readonly string[];
  readonly client: Line[];
  readonly server: Line[];
  address: string;
  clientPid: number;
  /** The client's exit status. */
  status: number;
  /** What the client got; empty when it did not get all. */
  numbers: readonly number[];
}

/**
 * The same draw over named pipes and over TCP, side by side, with the log lines of both ends.
 *
 * The servers are in this process and the clients are children with a deadline, so nothing outlives a crash; the folder
 * of the pipes is a run's, which a later one clears away.
 */
export async function sideBySideCommand(
  words: readonly string[],
  options: { readonly seed?: string; readonly json?: true },
  terminal: Terminal,
): Promise<number> {
  const [x = "5", nmax = "10"] = words;
  if (!isWhole(x, SHOWN_MAX) || !isWhole(nmax, NMAX_MAX)) {
    throw new UsageError(
      `side-by-side takes how many numbers, 1 to ${SHOWN_MAX}, and the greatest of them, 1 to ${NMAX_MAX}, ` +
        `such as 5 10; ${escapeText(words.join(" "))} given`,
    );
  }
  using interruption = new Interruption();
  using folder = RunFolder.create(undefined, (line) => terminal.complain(line));
  const pipes = method("Named pipes", PIPES);
  const socket = method("TCP", TCP);
  const seed = options.seed === undefined ? {} : { seed: wholeNumber("--seed", options.seed) };
  const since = performance.now();
  const stamp = (text: string): Line => ({ ms: Math.round(performance.now() - since), text });
  const { signal } = interruption;
  await Promise.all([
    run(pipes, `fifo://${folder.path}`, [x, nmax], seed, stamp, signal, (pid) => folder.noteChild(0, pid)),
    run(socket, "tcp://127.0.0.1:0", [x, nmax], seed, stamp, signal, (pid) => folder.noteChild(1, pid)),
  ]);
  if (options.json) terminal.print(JSON.stringify({ pipes: factsOf(pipes), tcp: factsOf(socket) }));
  else show(pipes, socket, terminal);
  if (signal.aborted) return EXIT.interrupted;
  return pipes.status === 0 && socket.status === 0 ? EXIT.pass : EXIT.couldNotRun;
}

function isWhole(word: string, max: number): boolean {
  return /^[1-9]\d{0,9}$/.test(word) && Number(word) <= max;
}

function method(title: string, picture: readonly string[]): Method {
  return { title, picture, client: [], server: [], address: "", clientPid: 0, status: 0, numbers: [] };
}

const PIPES = [
  "client --x, nmax--> Fifo1 --> server",
  "client <-- Fifo2 <--numbers-- server",
  "client <------SIGUSR1-------> server",
];
const TCP = ["client --x, nmax--> socket --> server", "client <-- socket <--numbers-- server", ""];

async function run(
  method: Method,
  at: string,
  words: readonly string[],
  seed: { readonly seed?: number },
  stamp: (line: string) => Line,
  signal: AbortSignal,
  started: (pid: number) => void,
): Promise<void> {
  const format = findClassic("random-numbers");
  const log = (line: string): void => void method.server.push(stamp(line));
  await using server: ClassicServer = await format.serve({ at, log, ...seed });
  log(`listening at ${server.address}`);
  method.address = server.address;
  await call(method, words, (line) => void method.client.push(stamp(line)), signal, started);
  // The server says so once it has dealt with the client's signal.
  const until = performance.now() + SERVED_MS_MAX;
  while (method.status === 0 && server.served === 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const SERVED_MS_MAX = 3_000;

/** Runs `lightcone call … --verbose` as a process of its own, and notes what became of it. */
async function call(
  method: Method,
  words: readonly string[],
  line: (line: string) => void,
  signal: AbortSignal,
  started: (pid: number) => void,
): Promise<void> {
  const program = fileURLToPath(new URL("../main.js", import.meta.url));
  const flags = ["--classic", "--verbose", "--json", "--to", method.address];
  const args = [program, "call", "random-numbers", "draw", ...words, ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  if (child.pid !== undefined) {
    method.clientPid = child.pid;
    started(child.pid);
  }
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  createInterface({ input: child.stderr }).on("line", line);
  const stop = (): void => void child.kill();
  signal.addEventListener("abort", stop, { once: true });
  method.status = await new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(
        new LightconeError("no-child", `the client could not be started: ${cause.message}`, {}, { cause }),
      );
    });
    child.once("close", (status) => {
      signal.removeEventListener("abort", stop);
      resolve(status ?? EXIT.couldNotRun);
    });
  });
  // It could not call at all, and has said why; or it was stopped.
  if (printed === "" || signal.aborted) return;
  const outcome = JSON.parse(printed) as CallOutcome;
  if (outcome.kind !== "ok") line(`${outcome.kind}: ${outcome.reason}`);
  else if (Array.isArray(outcome.value)) method.numbers = outcome.value.map(Number);
}

function factsOf({ address, status, numbers, client, clientPid, server }: Method): object {
  return {
    address,
    status,
    numbers,
    client: { pid: clientPid, lines: client },
    server: { pid: process.pid, lines: server },
  };
}

function screenLine({ ms, text }: Line): string {
  return `${ms.toFixed(0).padStart(4)} ms  ${text}`;
}

function show(left: Method, right: Method, terminal: Terminal): void {
  const rows = (name: string, of: (method: Method) => readonly string[]): string[] => {
    const columns = inColumns(of(left).map(escapeText), of(right).map(escapeText), terminal.columns);
    return name === "" ? columns : [terminal.style(name, "accent"), ...columns, ""];
  };
  const text = [
    ...rows("", ({ title }) => [title]).map((line) => terminal.style(line, "strong")),
    ...rows("", ({ picture }) => picture),
    "",
    ...rows("Client", ({ client }) => client.map(screenLine)),
    ...rows("Server", ({ server }) => server.map(screenLine)),
  ];
  terminal.print(text.join("\n").trimEnd());
}
