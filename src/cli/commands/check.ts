import { judge } from "../../labs/index.js";
import { exitStatusOf } from "../exit-status.js";
import { openJudgedRun } from "../open-run.js";
import { reportJson } from "../report-json.js";
import { printReport } from "../report-screen.js";
import type { Terminal } from "../terminal.js";

/** Judges a recorded run by the lab its header names. */
export async function checkCommand(
  files: readonly string[],
  options: { readonly json?: true; readonly lab?: string },
  terminal: Terminal,
): Promise<number> {
  const { trace, lab, paths } = await openJudgedRun(files, options.lab, terminal);
  const report = judge(lab, trace);
  if (options.json) terminal.print(reportJson(trace, report, paths.length === 1 ? paths[0] : undefined));
  else printReport(lab, trace, report, terminal);
  return exitStatusOf(report.verdict);
}
