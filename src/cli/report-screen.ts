import { escapeText } from "../core/index.js";
import type { Lab, Report, VerdictKind } from "../labs/index.js";
import type { Trace } from "../trace/index.js";
import { wrapText } from "../diagram/index.js";
import type { Terminal, Tone } from "./terminal.js";

/** The verdict with everything that carries it: what the faults did, what was checked, what was seen. */
export function printReport(lab: Lab, trace: Trace, report: Report, terminal: Terminal): void {
  const { header } = trace;
  const how = header.source === "simulation" ? "simulated" : `real, over ${header.transport ?? "?"}`;
  terminal.print();
  terminal.print(
    `${verdictWord(report.verdict, terminal)}  ${lab.id}, ${header.processes.length} processes (${how}), seed ${header.seed}`,
  );
  for (const reason of report.reasons) bullet(terminal, escapeText(reason));
  printFaults(report.faults, terminal);
  terminal.print();
  terminal.print(terminal.style("Checked", "strong"));
  for (const { name, claim, outcome } of report.checks) {
    switch (outcome) {
      case "holds":
        row(terminal, terminal.style("✓", "good"), name, claim);
        break;
      case "violated": {
        row(terminal, terminal.style("✗", "bad"), name, claim);
        const first = report.violations.find(({ checker }) => checker === name);
        if (first === undefined || first.evidence.length === 0) break;
        terminal.print(`    evidence: ${first.evidence.map(escapeText).join(", ")}`);
        break;
      }
      case "idle":
        row(terminal, terminal.style("–", "doubtful"), name, `nothing to judge: ${claim}`);
        break;
      case "out-of-scope": {
        const scope = lab.checkers.find((checker) => checker.name === name)?.only;
        row(terminal, terminal.style("–", "faint"), name, `judges only ${scope?.runs ?? "other runs"}`);
      }
    }
  }
  if (report.witnesses.length === 0) return;
  terminal.print();
  terminal.print(terminal.style("Seen", "strong"));
  for (const { name, claim, shownBy, outOfScope } of report.witnesses) {
    if (shownBy === undefined && outOfScope === true) {
      const scope = lab.witnesses.find((witness) => witness.name === name)?.only;
      row(terminal, terminal.style("–", "faint"), name, `expected only of ${scope?.runs ?? "other runs"}`);
      continue;
    }
    const sign = shownBy === undefined ? terminal.style("–", "doubtful") : terminal.style("✓", "good");
    row(
      terminal,
      sign,
      name,
      shownBy === undefined ? `not once: ${claim}` : `${claim} (${escapeText(shownBy)})`,
    );
  }
}

export function printFaults(
  faults: readonly { readonly fault: string; readonly touched: number }[],
  terminal: Terminal,
): void {
  if (faults.length === 0) return;
  terminal.print();
  terminal.print(terminal.style("What the faults did", "strong"));
  for (const { fault, touched } of faults) {
    const sign = touched === 0 ? terminal.style("–", "doubtful") : " ";
    row(terminal, sign, fault, touchedText(fault, touched));
  }
}

function touchedText(fault: string, touched: number): string {
  if (touched === 0) return "touched nothing";
  const isMoment = /^(crash|restart|pause|clock|disk-full)\b/.test(fault);
  if (isMoment) return touched === 1 ? "happened" : `happened ${touched} times`;
  return touched === 1 ? "1 message" : `${touched} messages`;
}

export function verdictWord(verdict: VerdictKind, terminal: Terminal): string {
  const [word, tone] = VERDICTS[verdict];
  return terminal.style(terminal.style(word, tone), "strong");
}

const VERDICTS: Readonly<Record<VerdictKind, readonly [string, Tone]>> = {
  pass: ["PASS", "good"],
  fail: ["FAIL", "bad"],
  inconclusive: ["INCONCLUSIVE", "doubtful"],
};

/** A sign, a name, and a text that wraps under itself. */
function row(terminal: Terminal, sign: string, name: string, text: string): void {
  const column = 28;
  const lines = wrapText(text, Math.max(20, terminal.columns - column - 2));
  terminal.print(`${sign} ${name.padEnd(column - 1)} ${lines[0] ?? ""}`);
  for (const line of lines.slice(1)) terminal.print(`${" ".repeat(column + 2)}${line}`);
}

function bullet(terminal: Terminal, text: string): void {
  const [first = "", ...rest] = wrapText(text, Math.max(20, terminal.columns - 4));
  terminal.print(`  • ${first}`);
  for (const line of rest) terminal.print(`    ${line}`);
}
