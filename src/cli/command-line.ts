import type { Lab } from "../labs/index.js";

/** What a command line of `run` or `sim` says. */
export interface Said {
  readonly lab: Lab;
  readonly reference: string;
  readonly processes: number;
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** In the fault language; empty: none. */
  readonly faults: string;
}

/** The command line that says the same again: `lightcone sim ricart-agrawala -n 4 --seed 41 --faults '…'`. */
export function commandLine(verb: "run" | "sim", said: Said, more = ""): string {
  const options = said.lab.options
    .filter(({ name, usual }) => said.options[name] !== usual)
    .map(({ name, kind }) => {
      if (kind === "flag") return ` --${name}`;
      return ` --${name} ${String(said.options[name])}${kind === "duration" ? "us" : ""}`;
    })
    .join("");
  // `run` has the lab's own faults where none are given, `sim` has none.
  const unsaid = verb === "run" ? said.lab.faults : "";
  const faults = said.faults === unsaid ? "" : ` --faults '${said.faults === "" ? "none" : said.faults}'`;
  return `lightcone ${verb} ${said.reference} -n ${said.processes}${more}${options}${faults}`;
}
