import type { Command, Option } from "commander";
import { UsageError } from "../core/index.js";
import { families, labs, type LabOption } from "../labs/index.js";
import { SHELLS } from "./completion-scripts.js";
import { EXIT } from "./exit-status.js";
import type { Terminal } from "./terminal.js";
import { TRANSPORT_NAMES } from "./transports.js";

/** What may stand next on a command line. */
export interface Candidates {
  readonly words: readonly Candidate[];
  /** The shell adds its own files, as only it knows how to quote them. */
  readonly files: boolean;
}

export interface Candidate {
  readonly word: string;
  /** A few words; shells that can show them do. */
  readonly about: string;
}

/** Stands in place of a candidate and asks the shell for files; no word of ours begins with a colon. */
export const FILES = ":files";

/** `lightcone complete -- WORDS…`: what the scripts of `lightcone completion` ask at each Tab; one candidate a line. */
export function completeCommand(program: Command, args: readonly string[], terminal: Terminal): number {
  const [dashes, ...words] = args;
  if (dashes !== "--") {
    throw new UsageError("lightcone complete takes -- and the words so far; shells call it, see completion");
  }
  const { words: found, files } = candidatesFor(program, words);
  for (const { word, about } of found) terminal.print(about === "" ? word : `${word}\t${about}`);
  if (files) terminal.print(FILES);
  return EXIT.pass;
}

/**
 * What may come at the last of `words`, which is empty when a new one begins. Loads nothing that the line names: a lab
 * file is a program, and a Tab must not run it.
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const line = withoutEquals(words);
  const current = line.at(-1) ?? "";
  const [name, ...before] = line.slice(0, -1);
  if (name === undefined) {
    const { options } = program;
    return matching(current, current.startsWith("-") ? flags(options, []) : commandNames(program));
  }
  const command = visibleCommands(program).find((one) => one.name() === name);
  if (command === undefined) return name === "help" ? matching(current, commandNames(program)) : NOTHING;
  const { positionals, open } = readWords(command, before);
  const options = optionsOf(command, positionals[0]);
  if (open !== undefined) return startingWith(current, valuesOf(open));
  const inline = /^(--[^=]+)=(.*)$/s.exec(current);
  if (inline !== null) {
    const [, flag = "", value = ""] = inline;
    const { words: values } = startingWith(value, valuesOf(flag));
    return { words: values.map((one) => ({ ...one, word: `${flag}=${one.word}` })), files: false };
  }
  if (current.startsWith("-")) return matching(current, flags(options, before));
  return startingWith(current, positionalsOf(command.name(), positionals.length, current));
}

const NOTHING: Candidates = { words: [], files: false };
const FILES_ONLY: Candidates = { words: [], files: true };

function startingWith(current: string, { words, files }: Candidates): Candidates {
  return { words: words.filter(({ word }) => word.startsWith(current)), files };
}

function matching(current: string, words: readonly Candidate[]): Candidates {
  return startingWith(current, { words, files: false });
}

/** Bash hands over `--transport=tcp` as three words; without the middle one it reads like the spelling with a space. */
function withoutEquals(words: readonly string[]): readonly string[] {
  return words.flatMap((word, place) => {
    if (word !== "=" || !(words[place - 1] ?? "").startsWith("--")) return [word];
    // At the end of the line it is the value that is still to come.
    return place === words.length - 1 ? [""] : [];
  });
}

function visibleCommands(program: Command): readonly Command[] {
  return program.createHelp().visibleCommands(program);
}

function commandNames(program: Command): readonly Candidate[] {
  return visibleCommands(program).map((one) => ({
    word: one.name(),
    about: one.description().split("\n")[0] ?? "",
  }));
}

/** What one flag of a command is, whether commander knows it or the lab brings it. */
interface Flag {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly about: string;
}

function optionsOf(command: Command, lab: string | undefined): readonly (Option | LabOption)[] {
  const takesLab = command.name() === "run" || command.name() === "sim";
  const own = takesLab ? (labs.find(({ id }) => id === lab)?.options ?? []) : [];
  return [...own, ...command.options];
}

function flagOf(option: Option | LabOption): Flag {
  if ("kind" in option) {
    return { names: [`--${option.name}`], takesValue: option.kind !== "flag", about: option.summary };
  }
  const names = [option.long, option.short].filter((one) => one !== undefined && one !== null);
  return { names, takesValue: option.required || option.optional, about: option.description };
}

function flags(options: readonly (Option | LabOption)[], before: readonly string[]): readonly Candidate[] {
  const given = new Set(before.map((word) => word.split("=", 1)[0]));
  const unused = options.map(flagOf).filter(({ names }) => !names.some((one) => given.has(one)));
  return [...unused, { names: ["--help"], about: "show help" }].flatMap(({ names, about }) =>
    names.filter((one) => one.startsWith("--")).map((word) => ({ word, about })),
  );
}

/** The words that are no options nor their values, and the option that the next word is the value of. */
function readWords(
  command: Command,
  before: readonly string[],
): { readonly positionals: readonly string[]; readonly open: string | undefined } {
  const positionals: string[] = [];
  let open: string | undefined;
  for (const word of before) {
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    if (!word.startsWith("-")) {
      positionals.push(word);
      continue;
    }
    const flag = optionsOf(command, positionals[0])
      .map(flagOf)
      .find(({ names }) => names.includes(word));
    if (flag?.takesValue === true) open = flag.names[0];
  }
  return { positionals, open };
}

/** Values of an option; most are for the user to invent. */
function valuesOf(flag: string): Candidates {
  switch (flag) {
    case "--transport":
      return { words: TRANSPORT_NAMES.map((word) => ({ word, about: "" })), files: false };
    case "--faults":
      return { words: [{ word: "none", about: "nothing goes wrong" }], files: true };
    case "--lab":
    case "--out":
    case "--out-processes":
    case "--svg":
    case "--log":
    case "--cert":
    case "--key":
    case "--ca":
      return FILES_ONLY;
    default:
      return NOTHING;
  }
}

function positionalsOf(command: string, place: number, current: string): Candidates {
  switch (command) {
    case "run":
    case "sim":
    case "labs":
      if (place > 0) return NOTHING;
      // Without a path begun, the labs alone are the better offer.
      if (/^[.~/]|\//.test(current)) return FILES_ONLY;
      return { words: labs.map(({ id, title }) => ({ word: id, about: title })), files: false };
    case "compare":
      if (place > 0) return NOTHING;
      return { words: families.map(({ id, title }) => ({ word: id, about: title })), files: false };
    case "check":
    case "show":
    case "replay":
    case "certificates":
      return FILES_ONLY;
    case "completion":
      return place > 0 ? NOTHING : { words: SHELLS.map((word) => ({ word, about: "" })), files: false };
    default:
      return NOTHING;
  }
}
