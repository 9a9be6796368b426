import { judge } from "../../labs/index.js";
import { exitStatusOf } from "../exit-status.js";
import { loadLab } from "../load-lab.js";
import { reportJson } from "../report-json.js";
import { printReport } from "../report-screen.js";
import type { Terminal } from "../terminal.js";
import { openTrace } from "../trace-files.js";

/** Judges a recorded run by the lab its header names. */
export async function checkCommand(
  files: readonly string[],
  options: { readonly json?: true },
  terminal: Terminal,
): Promise<number> {
  const trace = await openTrace(files);
  const { lab } = await loadLab(trace.header.lab);
  const report = judge(lab, trace);
  if (options.json) terminal.print(reportJson(trace, report, files.length === 1 ? files[0] : undefined));
  else printReport(lab, trace, report, terminal);
  return exitStatusOf(report.verdict);
}
