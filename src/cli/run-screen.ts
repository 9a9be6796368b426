import { relative } from "node:path";
import { formatDuration } from "../core/index.js";
import { describeFaults, parseFaults } from "../faults/index.js";
import { legend, textDiagram, wrapText } from "../diagram/index.js";
import type { Lab, Report } from "../labs/index.js";
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
  terminal.print(faults.length === 0 ? "No faults: a perfect network." : "What is to go wrong:");
  for (const line of faults) terminal.print(`  ${line}`);
}

/** The whole story of one run: diagram, verdict, where the trace is, what to try next. */
export function printRun(
  lab: Lab,
  trace: Trace,
  report: Report,
  path: string | undefined,
  terminal: Terminal,
  options: { readonly ascii?: true } = {},
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
  printReport(lab, trace, report, terminal);
  terminal.print();
  const span = trace.events.at(-1)?.at ?? 0;
  terminal.print(
    `${report.events} events, ${report.messages} messages, ${formatDuration(Math.round(span / 1_000) * 1_000)}; ${ENDINGS[report.stopped]}.`,
  );
  if (path === undefined) return;
  terminal.print(`Trace: ${shown(path)}`);
  printNext(trace, report, terminal);
}

function printNext(trace: Trace, report: Report, terminal: Terminal): void {
  const { header } = trace;
  const event =
    report.violations[0]?.evidence[0] ??
    report.witnesses.find(({ shownBy }) => shownBy !== undefined)?.shownBy;
  const faults = header.faults === "" ? "" : ` --faults '${header.faults}'`;
  terminal.print();
  terminal.print(terminal.style("Next", "strong"));
  if (event !== undefined)
    terminal.print(`  lightcone show --event ${event}    what led to this event, and what it led to`);
  terminal.print("  lightcone replay                run these inputs again, step by step, and compare");
  if (header.source === "processes") {
    terminal.print(`  lightcone sim ${header.lab} -n ${header.processes.length} --seeds 1000${faults}`);
    terminal.print("                                  the same faults in a thousand simulated schedules");
  } else {
    terminal.print(`  lightcone run ${header.lab} -n ${header.processes.length}${faults}`);
    terminal.print("                                  the same with real processes");
  }
}

const ENDINGS: Readonly<Record<Report["stopped"], string>> = {
  quiescent: "it ended when nothing was left to do",
  "time-limit": "the time limit ended it",
  "event-limit": "the limit on steps ended it",
  interrupted: "it was interrupted",
  failed: "it broke down",
};

/** Relative when that is shorter and stays below the working folder. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") || near.length > path.length ? path : near;
}
