import { UsageError } from "../core/index.js";
import type { Lab } from "../labs/index.js";
import type { Trace } from "../trace/index.js";
import { isLabFile, loadLab } from "./load-lab.js";
import type { Terminal } from "./terminal.js";
import { latestTrace, openTrace } from "./trace-files.js";

export interface OpenedRun {
  readonly trace: Trace;
  /** Absent when the trace names a lab file that nobody vouched for. */
  readonly lab: Lab | undefined;
  readonly paths: readonly string[];
}

/**
 * The trace of these files, or the last run's, and its lab.
 *
 * A lab file is a program, and a trace may come from anywhere: the file that a trace names is loaded only when the
 * trace is the last run's, which this command wrote itself. Otherwise the user names it, by `--lab`.
 */
export async function openRun(
  files: readonly string[],
  labFile: string | undefined,
  terminal: Terminal,
): Promise<OpenedRun> {
  const own = files.length === 0;
  const paths = own ? [await latestTrace()] : files;
  // Runs with --out are not among them, so "the last" may surprise.
  if (own) terminal.complain(`the last run (those with --out do not count): ${paths.join()}`);
  const trace = await openTrace(paths);
  const named = trace.header.lab;
  if (labFile !== undefined) return { trace, lab: (await loadLab(labFile)).lab, paths };
  if (isLabFile(named) && !own) return { trace, lab: undefined, paths };
  return { trace, lab: (await loadLab(named)).lab, paths };
}

/** {@link openRun} for those who cannot do without the lab. */
export async function openJudgedRun(
  files: readonly string[],
  labFile: string | undefined,
  terminal: Terminal,
): Promise<OpenedRun & { readonly lab: Lab }> {
  const { trace, lab, paths } = await openRun(files, labFile, terminal);
  if (lab === undefined) {
    throw new UsageError(
      `this run is of the lab file ${trace.header.lab}; a lab file is a program, so say yourself that it may run: --lab FILE`,
    );
  }
  return { trace, lab, paths };
}
