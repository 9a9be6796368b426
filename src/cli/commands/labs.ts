import { formatDuration } from "../../core/index.js";
import { labs, type Lab, type LabOption } from "../../labs/index.js";
import { EXIT } from "../exit-status.js";
import { loadLab } from "../load-lab.js";
import { wrapText } from "../../diagram/index.js";
import type { Terminal } from "../terminal.js";

export async function labsCommand(
  reference: string | undefined,
  options: { readonly json?: true },
  terminal: Terminal,
): Promise<number> {
  if (options.json) {
    const told = reference === undefined ? labs : [(await loadLab(reference)).lab];
    terminal.print(JSON.stringify(told.map(asJson), null, 2));
    return EXIT.pass;
  }
  if (reference === undefined) list(terminal);
  else tell((await loadLab(reference)).lab, terminal);
  return EXIT.pass;
}

function list(terminal: Terminal): void {
  const width = Math.max(...labs.map((lab) => lab.id.length));
  for (const lab of labs) terminal.print(`${terminal.style(lab.id.padEnd(width), "strong")}  ${lab.title}`);
  terminal.print();
  terminal.print(`Run one:      lightcone run ${labs[0]?.id ?? ""} -n 4`);
  terminal.print(`Read about it: lightcone labs ${labs[0]?.id ?? ""}`);
  terminal.print("Run your own: lightcone run ./my-lab.ts");
}

function tell(lab: Lab, terminal: Terminal): void {
  terminal.print(`${terminal.style(lab.id, "strong")}: ${lab.title}`);
  terminal.print();
  for (const line of wrapText(lab.summary, terminal.columns)) terminal.print(line);
  terminal.print();
  terminal.print(
    `Processes: ${lab.processes.usual} unless -n says otherwise, ${lab.processes.min} to ${lab.processes.max}.`,
  );
  terminal.print(`Faults of \`run\` unless --faults says otherwise: ${lab.faults || "none"}`);
  terminal.print();
  terminal.print(terminal.style("Options", "strong"));
  for (const option of lab.options) {
    terminal.print(`  --${option.name.padEnd(12)} ${option.summary} (${usual(option)})`);
  }
  terminal.print();
  terminal.print(terminal.style("What is checked", "strong"));
  for (const checker of lab.checkers) terminal.print(`  ${checker.name}: ${checker.claim}`);
  terminal.print();
  terminal.print(terminal.style("What must have happened for a verdict", "strong"));
  for (const witness of lab.witnesses) terminal.print(`  ${witness.name}: ${witness.claim}`);
  terminal.print();
  terminal.print(terminal.style("Try", "strong"));
  for (const { text, command } of lab.guide) {
    for (const line of wrapText(text, terminal.columns - 2)) terminal.print(`  ${line}`);
    if (command !== undefined) terminal.print(`    $ ${command}`);
  }
}

function usual(option: LabOption): string {
  return option.kind === "duration" ? formatDuration(Number(option.usual)) : String(option.usual);
}

function asJson(lab: Lab): unknown {
  const { id, title, summary, processes, options, faults, guide } = lab;
  return {
    id,
    title,
    summary,
    processes,
    options,
    faults,
    checkers: lab.checkers.map(({ name, claim }) => ({ name, claim })),
    witnesses: lab.witnesses.map(({ name, claim }) => ({ name, claim })),
    guide,
  };
}
