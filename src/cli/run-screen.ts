import { isAbsolute, relative } from "node:path";
import { formatDuration } from "../core/index.js";
import { describeFaults, parseFaults } from "../faults/index.js";
import { legend, textDiagram, wrapText } from "../diagram/index.js";
import type { Lab, Report } from "../labs/index.js";
import { commandLine } from "./command-line.js";
import { isLabFile } from "./load-lab.js";
import type { Trace } from "../trace/index.js";
import { diagramStyle } from "./diagram-style.js";
import { printReport } from "./report-screen.js";
import type { Terminal } from "./terminal.js";

/** What is about to run, before it does. */
export function printOpening(lab: Lab, header: Trace["header"], terminal: Terminal): void {
  const where =
    header.source === "simulation"
      ? "in the simulator"
      : `as operating-system processes over ${header.transport ?? "?"}`;
  terminal.print(
    `${terminal.style(lab.title, "strong")}: ${header.processes.join(", ")} ${where}, seed ${header.seed}.`,
  );
  for (const line of wrapText(lab.summary, terminal.columns - 2)) terminal.print(`  ${line}`);
  const faults = describeFaults(parseFaults(header.faults, header.processes));
  terminal.print(
    faults.length === 0
      ? `No faults: a perfect network. (This lab's own, which run has by itself: --faults '${lab.faults}')`
      : "What is to go wrong:",
  );
  for (const line of faults) terminal.print(`  ${line}`);
}

/** The whole story of one run: diagram, verdict, where the trace is, what to try next. */
export function printRun(
  lab: Lab,
  trace: Trace,
  report: Report,
  path: string,
  terminal: Terminal,
  options: { readonly ascii?: true; readonly out?: string },
): void {
  const highlight = report.violations.flatMap(({ evidence }) => evidence).slice(0, 12);
  const drawing = {
    columns: terminal.columns,
    narration: lab.narration,
    style: diagramStyle(terminal),
    highlight,
    ...(options.ascii && { ascii: true }),
  };
  terminal.print();
  terminal.print(textDiagram(trace, drawing));
  terminal.print();
  terminal.print(legend(trace, drawing));
  if (lab.chart !== undefined) {
    terminal.print();
    terminal.print(lab.chart(trace, { columns: terminal.columns, ...(options.ascii && { ascii: true }) }));
  }
  printReport(lab, trace, report, terminal);
  terminal.print();
  const span = trace.events.at(-1)?.at ?? 0;
  terminal.print(
    `${report.events} events, ${report.messages} messages, ${formatDuration(Math.round(span / 1_000) * 1_000)}; ${ENDINGS[report.stopped]}.`,
  );
  terminal.print(`Trace: ${shown(path)}`);
  printNext(lab, trace, report, options.out === undefined ? "" : shown(path), terminal);
}

/** `file` is empty when the trace is the last run, which needs no naming. */
function printNext(lab: Lab, trace: Trace, report: Report, file: string, terminal: Terminal): void {
  const { header } = trace;
  const event =
    report.violations[0]?.evidence[0] ??
    report.witnesses.find(({ shownBy }) => shownBy !== undefined)?.shownBy;
  const labFile = file !== "" && isLabFile(header.lab) ? ` --lab ${shown(header.lab)}` : "";
  const which = `${file === "" ? "" : ` ${file}`}${labFile}`;
  const said = {
    lab,
    reference: isLabFile(header.lab) ? shown(header.lab) : header.lab,
    processes: header.processes.length,
    options: header.options,
    faults: header.faults,
  };
  const other = header.source === "processes" ? "sim" : "run";
  const steps: (readonly [command: string, what: string])[] = [
    [`lightcone replay${which}`, "run these inputs again, step by step, and compare"],
    [
      commandLine(other, said, other === "sim" ? " --seeds 1000" : ""),
      other === "sim" ? "the same faults in a thousand simulated schedules" : "the same with real processes",
    ],
  ];
  if (event !== undefined) {
    steps.unshift([`lightcone show${which} --event ${event}`, "what led to this event, and what it led to"]);
  }
  terminal.print();
  terminal.print(terminal.style("Next", "strong"));
  for (const [command, what] of steps) {
    if (command.length <= 34) terminal.print(`  ${command.padEnd(34)} ${what}`);
    else terminal.print(`  ${command}\n${" ".repeat(37)}${what}`);
  }
}

const ENDINGS: Readonly<Record<Report["stopped"], string>> = {
  quiescent: "it ended when nothing was left to do",
  "time-limit": "the time limit ended it",
  "event-limit": "the limit on steps ended it",
  interrupted: "it was interrupted",
  lost: "it ended because a participant was lost",
  failed: "it broke down",
};

/** Relative to the working folder when it lies below it; a lab file in that folder keeps the `./` that makes it one. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  if (near.startsWith("..") || isAbsolute(near)) return path;
  return isLabFile(path) && !near.includes("/") ? `./${near}` : near;
}
