import { createInterface } from "node:readline";
import { escapeText, LightconeError, nearestName } from "../core/index.js";
import type { CallOutcome } from "../protocols/index.js";
import { EXIT } from "./exit-status.js";
import { printOutcome } from "./outcome.js";
import type { Terminal } from "./terminal.js";

/** Longer lines are not looked at. */
const LINE_LENGTH_MAX = 1_000;

export interface PromptOptions {
  readonly service: string;
  readonly methods: readonly string[];
  /** An example of each thing to type. */
  readonly examples: readonly string[];
  /** Throws a `LightconeError` for words that are no call. */
  readonly ask: (method: string, words: readonly string[]) => Promise<CallOutcome>;
  readonly signal: AbortSignal;
}

/**
 * Calls a service line by line, until `quit` or the end of the input.
 *
 * On a terminal with a prompt and a history; in a pipe each line that is not empty gives at least one line back, errors
 * included, and the exit status is the worst of all calls.
 */
export async function promptForCalls(options: PromptOptions, terminal: Terminal): Promise<number> {
  const { service, methods, signal } = options;
  const { stdin, stdout } = process;
  const onTerminal = stdin.isTTY && stdout.isTTY;
  if (onTerminal) terminal.print(`${options.examples.join(", ")}; help, quit`);
  const lines = createInterface({
    input: stdin,
    ...(onTerminal && { output: stdout, prompt: `${service}> ` }),
    terminal: onTerminal,
  });
  const close = (): void => lines.close();
  lines.on("SIGINT", close);
  signal.addEventListener("abort", close, { once: true });
  let worst: number = EXIT.pass;
  let quit = false;
  if (onTerminal) lines.prompt();
  for await (const line of lines) {
    const words = readLine(line, methods);
    quit = words[0] === "quit" || words[0] === "exit";
    if (quit) break;
    if (words[0] === "help") terminal.print(help(options));
    else if (words.length > 0) worst = Math.max(worst, await answer(line, words, options, terminal));
    if (signal.aborted) break;
    if (onTerminal) lines.prompt();
  }
  lines.close();
  // Ctrl-D and Ctrl-C leave the cursor behind the prompt.
  if (onTerminal && !quit) terminal.print();
  signal.removeEventListener("abort", close);
  if (signal.aborted) return EXIT.interrupted;
  return onTerminal ? EXIT.pass : worst;
}

/** `5 * 10` as `multiply 5 10`, where there is such a method; other lines as their words. */
export function readLine(line: string, methods: readonly string[]): readonly string[] {
  const words = line.split(/\s+/).filter((word) => word !== "");
  const [a = "", operator = "", b = ""] =
    words.length === 3 ? words : (TOGETHER.exec(line.slice(0, LINE_LENGTH_MAX))?.slice(1) ?? []);
  const method = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  return method !== undefined && methods.includes(method) ? [method, a, b] : words;
}

const NUMBER = String.raw`[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const TOGETHER = new RegExp(String.raw`^\s*(${NUMBER})\s*(\*\*|[-+*/^x×÷])\s*(${NUMBER})\s*$`);
const OPERATORS: Readonly<Record<string, string>> = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  x: "multiply",
  "×": "multiply",
  "/": "divide",
  "÷": "divide",
  "^": "power",
  "**": "power",
};

async function answer(
  line: string,
  [method = "", ...words]: readonly string[],
  { methods, examples, ask, signal }: PromptOptions,
  terminal: Terminal,
): Promise<number> {
  const tell = (problem: string): void => terminal.print(escapeText(problem));
  if (line.length > LINE_LENGTH_MAX) {
    tell(`the line has more than ${LINE_LENGTH_MAX} characters`);
    return EXIT.unusableInput;
  }
  if (!methods.includes(method)) {
    const nearest = nearestName(method, [...methods, "help", "quit"]);
    const hint =
      nearest === undefined
        ? `type such as ${examples.join(", ")}, help or quit`
        : `did you mean ${nearest}?`;
    tell(`"${method.slice(0, 60)}" is nothing to call; ${hint}`);
    return EXIT.unusableInput;
  }
  try {
    const outcome = await ask(method, words);
    if (outcome.kind === "ok") printOutcome(outcome, {}, terminal);
    else tell(`${outcome.kind}: ${outcome.reason}`);
    return { ok: EXIT.pass, failed: EXIT.unusableInput, unknown: EXIT.inconclusive }[outcome.kind];
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    if (!(error instanceof LightconeError)) throw error;
    tell(error.message);
    return EXIT.unusableInput;
  }
}

function help({ service, methods, examples }: PromptOptions): string {
  return [`${service}: ${methods.join(", ")}`, `such as ${examples.join(", ")}`, "quit ends"].join("\n");
}
