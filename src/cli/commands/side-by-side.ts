import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { escapeText, LightconeError, UsageError } from "../../core/index.js";
import type { ClassicServer } from "../../interop/index.js";
import { findClassic } from "../classic.js";
import { inColumns } from "../columns.js";
import { EXIT } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import { wholeNumber } from "../run-request.js";
import type { Terminal } from "../terminal.js";

/** More numbers than that are no picture any more. */
const SHOWN_MAX = 20;

/** What both ends of one method said, in order, each line with its time. */
interface Method {
  readonly title: string;
  readonly picture: readonly string[];
  readonly client: string[];
  readonly server: string[];
  /** The client's exit status. */
  status: number;
}

/**
 * The same draw over named pipes and over TCP, side by side, with the log lines of both ends.
 *
 * The servers are in this process and the clients are children with a deadline, so nothing outlives a crash.
 */
export async function sideBySideCommand(
  words: readonly string[],
  options: { readonly seed?: string; readonly json?: true },
  terminal: Terminal,
): Promise<number> {
  const [x = "5", nmax = "10"] = words;
  if (!/^\d+$/.test(x) || Number(x) < 1 || Number(x) > SHOWN_MAX || !/^[1-9]\d{0,8}$/.test(nmax)) {
    throw new UsageError(
      `side-by-side takes how many numbers, 1 to ${SHOWN_MAX}, and up to what, such as 5 10; ${escapeText(words.join(" "))} given`,
    );
  }
  using interruption = new Interruption();
  const folder = mkdtempSync(join(tmpdir(), "lightcone-pipes-"));
  try {
    const pipes: Method = { title: "Named pipes", picture: PIPES, client: [], server: [], status: 0 };
    const socket: Method = { title: "TCP", picture: TCP, client: [], server: [], status: 0 };
    const seed = options.seed === undefined ? {} : { seed: wholeNumber("--seed", options.seed) };
    const since = performance.now();
    const stamp = (line: string): string =>
      `${(performance.now() - since).toFixed(0).padStart(4)} ms  ${line}`;
    const { signal } = interruption;
    await Promise.all([
      run(pipes, `fifo://${folder}`, [x, nmax], seed, stamp, signal),
      run(socket, "tcp://127.0.0.1:0", [x, nmax], seed, stamp, signal),
    ]);
    if (options.json) terminal.print(JSON.stringify({ pipes: linesOf(pipes), tcp: linesOf(socket) }));
    else show(pipes, socket, terminal);
    if (signal.aborted) return EXIT.interrupted;
    return pipes.status === 0 && socket.status === 0 ? EXIT.pass : EXIT.couldNotRun;
  } finally {
    rmSync(folder, { recursive: true });
  }
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
  stamp: (line: string) => string,
  signal: AbortSignal,
): Promise<void> {
  const format = findClassic("random-numbers");
  const log = (line: string): void => void method.server.push(stamp(line));
  await using server: ClassicServer = await format.serve({ at, log, ...seed });
  log(`listening at ${server.address}`);
  method.status = await call(server.address, words, (line) => method.client.push(stamp(line)), signal);
  // The server says so once it has dealt with the client's signal.
  const until = performance.now() + SERVED_MS_MAX;
  while (method.status === 0 && server.served === 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const SERVED_MS_MAX = 3_000;

/** Runs `lightcone call … --verbose` as a process of its own; gives its exit status. */
function call(
  to: string,
  words: readonly string[],
  line: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const program = fileURLToPath(new URL("../main.js", import.meta.url));
  const args = [program, "call", "random-numbers", "draw", ...words, "--classic", "--verbose", "--to", to];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  createInterface({ input: child.stderr }).on("line", line);
  const stop = (): void => void child.kill();
  signal.addEventListener("abort", stop, { once: true });
  return new Promise((resolve, reject) => {
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
}

function linesOf({ client, server, status }: Method): object {
  return { client, server, status };
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
    ...rows("Client", ({ client }) => client),
    ...rows("Server", ({ server }) => server),
  ];
  terminal.print(text.join("\n").trimEnd());
}
