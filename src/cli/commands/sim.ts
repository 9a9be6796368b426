import { performance } from "node:perf_hooks";
import { formatFaults } from "../../faults/index.js";
import { judge, simulationOf, sweep, type SweepReport } from "../../labs/index.js";
import { headerOf, simulate } from "../../sim/index.js";
import { commandLine } from "../command-line.js";
import { EXIT, exitStatusOf } from "../exit-status.js";
import { Interruption } from "../interruption.js";
import type { RunFlags } from "../program.js";
import { printFaults, verdictWord } from "../report-screen.js";
import { reportJson } from "../report-json.js";
import { readRequest, wholeNumber, type Request } from "../run-request.js";
import { printOpening, printRun } from "../run-screen.js";
import { escapeText, UsageError } from "../../core/index.js";
import { placeInUserFile } from "../../host/index.js";
import { checkOut, newTracePath, pruneTraces, saveLanes, saveTrace } from "../trace-files.js";
import type { Terminal } from "../terminal.js";
import { version } from "../version.js";

const FLAGS = [
  "--processes",
  "--seed",
  "--seeds",
  "--faults",
  "--duration",
  "--out",
  "--out-processes",
  "--ascii",
  "--json",
];

/** One seed with its whole story, or many with a count. */
export async function simCommand(
  args: readonly string[],
  flags: RunFlags & { readonly seeds?: string },
  terminal: Terminal,
): Promise<number> {
  terminal.ascii = flags.ascii === true;
  const seeds = flags.seeds === undefined ? undefined : wholeNumber("--seeds", flags.seeds);
  if (seeds === 0) throw new UsageError("--seeds takes a whole number from 1 up; 0 given");
  // A sweep begins at seed 0 unless told, so that the same words always mean the same runs.
  const seed = flags.seed ?? (seeds === undefined ? undefined : "0");
  const request = await readRequest(
    args,
    { ...flags, ...(seed !== undefined && { seed }) },
    { usualFaults: false, known: FLAGS },
  );
  return seeds === undefined ? once(request, flags, terminal) : many(request, seeds, flags, terminal);
}

async function once(request: Request, flags: RunFlags, terminal: Terminal): Promise<number> {
  const { lab, reference, settings, faults, duration } = request;
  const simulation = simulationOf(lab, settings, { faults, duration });
  const provenance = { lab: reference, lightcone: version() };
  if (!flags.json) printOpening(lab, headerOf(simulation, provenance), terminal);
  if (flags.out !== undefined) await checkOut(flags.out);
  const trace = simulate({ ...simulation, strict: true }, provenance, (error) => {
    const place = placeInUserFile(error);
    if (place !== undefined) terminal.complain(`lightcone: thrown at ${escapeText(place)}`);
  });
  const report = judge(lab, trace);
  const path = flags.out ?? (await newTracePath(lab.id, settings.seed));
  await saveTrace(trace, path);
  await pruneTraces();
  if (flags.outProcesses !== undefined) await saveLanes(trace, flags.outProcesses);
  if (flags.json) terminal.print(reportJson(trace, report, path));
  else printRun(lab, trace, report, path, terminal, flags);
  return exitStatusOf(report.verdict);
}

async function many(request: Request, seeds: number, flags: RunFlags, terminal: Terminal): Promise<number> {
  if (flags.out !== undefined || flags.outProcesses !== undefined) {
    throw new UsageError(
      "--out writes one trace and --seeds makes many; run the seed you want with --seed and --out",
    );
  }
  const { lab, reference, settings, faults, duration } = request;
  const started = performance.now();
  let shownAt = started;
  let last: SweepReport | undefined;
  using interruption = new Interruption();
  for (const report of sweep({ lab, reference, lightcone: version(), settings, faults, duration, seeds })) {
    last = report;
    const now = performance.now();
    if (now - shownAt < 200) continue;
    shownAt = now;
    terminal.progress(`${report.seeds} of ${seeds} seeds, ${report.failed} failed`);
    // The sweep is one long computation: signals and the terminal get their turn here.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (interruption.signal.aborted) break;
  }
  if (last === undefined) return EXIT.interrupted;
  const seedsPerSecond = Math.round((last.seeds / (performance.now() - started)) * 1000);
  if (flags.json) terminal.print(sweepJson(request, last, seedsPerSecond));
  else printSweep(request, last, seedsPerSecond, terminal);
  return interruption.signal.aborted ? EXIT.interrupted : exitStatusOf(last.verdict);
}

function printSweep(request: Request, report: SweepReport, seedsPerSecond: number, terminal: Terminal): void {
  const { lab, settings } = request;
  terminal.print(
    `${verdictWord(report.verdict, terminal)}  ${lab.id}, ${settings.processes.length} processes, ` +
      `${report.seeds} seeds from ${settings.seed}: ${report.failed} failed (${seedsPerSecond} seeds/s, ${report.events} events)`,
  );
  for (const reason of report.reasons) terminal.print(`  • ${reason}`);
  printFaults(report.faults, terminal);
  terminal.print();
  terminal.print(terminal.style("Seen", "strong"));
  for (const { name, claim, seeds } of report.witnesses) {
    terminal.print(`  ${name}: in ${seeds} of ${report.seeds} seeds ${claim}`);
  }
  if (report.failures.length === 0) return;
  terminal.print();
  terminal.print(terminal.style("Failures, and how to see each again", "strong"));
  for (const failure of report.failures) {
    terminal.print(
      `  seed ${failure.seed}: ${failure.report.violations[0]?.message ?? failure.report.reasons[0] ?? ""}`,
    );
    terminal.print(`    ${replayLine(request, failure.seed)}`);
  }
  const more = report.failed - report.failures.length;
  if (more > 0) terminal.print(`  … and ${more} more`);
}

/** The command that runs one seed of the sweep again. */
function replayLine({ lab, reference, settings, faults }: Request, seed: number): string {
  const { processes, options } = settings;
  const said = { lab, reference, processes: processes.length, options, faults: formatFaults(faults) };
  return commandLine("sim", said, ` --seed ${seed}`);
}

function sweepJson(request: Request, report: SweepReport, seedsPerSecond: number): string {
  return JSON.stringify({
    verdict: report.verdict,
    reasons: report.reasons,
    violations: report.failures.flatMap(({ report: { violations } }) => violations),
    witnesses: report.witnesses.map(({ name, seeds }) => ({ name, seeds })),
    faults: report.faults,
    processes: request.settings.processes,
    events: report.events,
    messages: report.messages,
    seed: request.settings.seed,
    lab: request.reference,
    options: request.settings.options,
    trace: null,
    seeds: report.seeds,
    failed: report.failed,
    failures: report.failures.map(({ seed, report: { violations } }) => ({
      seed,
      message: violations[0]?.message ?? null,
      replay: replayLine(request, seed),
    })),
    seedsPerSecond,
  });
}
