import { escapeText, type Plain } from "../core/index.js";
import type { CallOutcome } from "../protocols/index.js";
import { EXIT } from "./exit-status.js";
import type { Terminal } from "./terminal.js";

/** A value on standard output, one line for each of several; anything else on standard error. */
export function printOutcome(
  outcome: CallOutcome,
  { json }: { readonly json?: true },
  terminal: Terminal,
): void {
  if (json) terminal.print(JSON.stringify(outcome));
  else if (outcome.kind === "ok") {
    const { value } = outcome;
    terminal.print(Array.isArray(value) ? value.map(shown).join("\n") : shown(value));
  } else {
    terminal.complain(`lightcone: ${outcome.kind}: ${escapeText(outcome.reason)}`);
  }
}

/** 2: it certainly did not run; 3: it may have. */
export function callStatus(outcome: CallOutcome, { aborted }: AbortSignal): number {
  if (aborted) return EXIT.interrupted;
  return { ok: EXIT.pass, failed: EXIT.unusableInput, unknown: EXIT.inconclusive }[outcome.kind];
}

function shown(value: Plain): string {
  return escapeText(typeof value === "string" ? value : JSON.stringify(value));
}
