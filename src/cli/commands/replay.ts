import { UsageError } from "../../core/index.js";
import { parseFaults } from "../../faults/index.js";
import { judge, replay, runSettings, simulationOf, type Lab } from "../../labs/index.js";
import { simulate } from "../../sim/index.js";
import { traceHash, type Trace } from "../../trace/index.js";
import { EXIT, exitStatusOf } from "../exit-status.js";
import { openJudgedRun } from "../open-run.js";
import { verdictWord } from "../report-screen.js";
import type { Terminal } from "../terminal.js";

/**
 * Runs a trace again. Every process gets its recorded inputs and must do what it did; a simulated run is also made
 * anew from its seed and must give the same events. The status is that of the run's own verdict, or 1 when it differs.
 */
export async function replayCommand(
  files: readonly string[],
  options: { readonly json?: true; readonly lab?: string },
  terminal: Terminal,
): Promise<number> {
  const { trace, lab, paths } = await openJudgedRun(files, options.lab, terminal);
  const { steps, differences } = replay(lab, trace);
  const recorded = traceHash(trace.events);
  const remade =
    trace.header.source === "simulation" ? traceHash(simulateAgain(lab, trace).events) : undefined;
  const exact = differences.length === 0 && (remade === undefined || remade === recorded);
  const report = judge(lab, trace);
  if (options.json) {
    terminal.print(
      JSON.stringify({
        exact,
        steps,
        differences,
        hash: recorded,
        hashOfNewRun: remade ?? null,
        verdict: report.verdict,
        violations: report.violations,
        seed: trace.header.seed,
        trace: paths.length === 1 ? paths[0] : null,
      }),
    );
    return exact ? exitStatusOf(report.verdict) : EXIT.violation;
  }
  terminal.print(
    `${steps} steps of ${trace.header.processes.length} processes run again from their recorded inputs.`,
  );
  for (const { message } of differences) terminal.print(`  • ${message}`);
  if (remade !== undefined) {
    terminal.print(
      remade === recorded
        ? `Simulated again from seed ${trace.header.seed}: the same ${trace.events.length} events, hash ${recorded}.`
        : `Simulated again from seed ${trace.header.seed}: other events (hash ${remade}, recorded ${recorded}).`,
    );
  }
  if (!exact) {
    terminal.print(
      `${terminal.style("DIFFERENT", "bad")}  the protocol draws on something besides its inputs, or it, Lightcone (${trace.header.lightcone} then) or the trace has changed`,
    );
    return EXIT.violation;
  }
  terminal.print(`${terminal.style("EXACT", "good")}  every step did again what the trace says it did.`);
  terminal.print(`${verdictWord(report.verdict, terminal)}  as before: lightcone check tells why.`);
  return exitStatusOf(report.verdict);
}

function simulateAgain(lab: Lab, { header }: Trace): Trace {
  const settings = runSettings(lab, header);
  const faults = parseFaults(header.faults, header.processes);
  if (header.processes.length === 0) throw new UsageError("the trace names no processes");
  return simulate(simulationOf(lab, settings, { faults, duration: header.duration }), header);
}
