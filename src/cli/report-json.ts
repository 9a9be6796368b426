import type { Report } from "../labs/index.js";
import type { Trace } from "../trace/index.js";

/** One object with stable keys, for programs. `trace` is the path of the trace, where one was written. */
export function reportJson(trace: Trace, report: Report, path: string | undefined): string {
  const { header } = trace;
  return JSON.stringify({
    verdict: report.verdict,
    reasons: report.reasons,
    violations: report.violations,
    checks: report.checks.map(({ name, outcome }) => ({ name, outcome })),
    witnesses: report.witnesses.map(({ name, shownBy }) => ({ name, shownBy: shownBy ?? null })),
    faults: report.faults,
    processes: header.processes,
    events: report.events,
    messages: report.messages,
    seed: header.seed,
    stopped: report.stopped,
    lab: header.lab,
    options: header.options,
    trace: path ?? null,
  });
}
