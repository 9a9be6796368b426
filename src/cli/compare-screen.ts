import { formatDuration } from "../core/index.js";
import { wrapText } from "../diagram/index.js";
import { MESSAGE_DELAY, type Family, type Measured, type Tried } from "../labs/index.js";
import type { Terminal } from "./terminal.js";

interface Comparison {
  readonly family: Family;
  readonly sizes: readonly number[];
  readonly times: number;
  readonly seed: number;
  readonly measured: readonly Measured[];
  readonly tried: readonly Tried[];
}

/** Tables of what was measured, a chart of how it grows, and what faults did. */
export function printComparison(comparison: Comparison, terminal: Terminal): void {
  const { family, times, seed } = comparison;
  const many = times === 1 ? "once" : `${times} times`;
  text(
    `${family.title}: every process does it ${many}, every message takes T = ${formatDuration(MESSAGE_DELAY)}, ` +
      `nothing goes wrong. Simulated, seed ${seed}.`,
    terminal,
  );
  printGrowth(comparison, terminal);
  printLargest(comparison, terminal);
  printTrials(comparison, terminal);
}

function printGrowth({ family, sizes, measured }: Comparison, terminal: Terminal): void {
  for (const { name, when } of family.loads) {
    heading(`Messages per ${family.operation} when ${when}`, terminal);
    const rows = family.members.map(({ lab, formula }) => [
      lab.id,
      formula,
      ...sizes.map((size) => {
        const one = measured.find(
          ({ algorithm, processes, load }) => algorithm === lab.id && processes === size && load === name,
        );
        return one === undefined
          ? ""
          : `${figure(one.messagesPerOperation)}${one.violations.length > 0 ? "!" : ""}`;
      }),
    ]);
    table(["", "published", ...sizes.map((size) => `n=${size}`)], rows, 2, terminal);
  }
  const wrong = measured.filter(({ violations }) => violations.length > 0);
  for (const { algorithm, processes, violations } of wrong) {
    text(`! ${algorithm}, ${processes} processes: ${violations[0] ?? ""}`, terminal);
  }
  if (wrong.length === 0)
    text("Each is within what is published, and every run passed its lab's checkers.", terminal);
}

/** The largest size in full: a bar for the messages, and every other figure. */
function printLargest({ family, sizes, measured }: Comparison, terminal: Terminal): void {
  const size = sizes.at(-1) ?? 0;
  for (const { name, when } of family.loads) {
    heading(`${size} processes, when ${when}`, terminal);
    const rows = measured.filter(({ processes, load }) => processes === size && load === name);
    const most = Math.max(...rows.map(({ messagesPerOperation }) => messagesPerOperation), 1);
    table(
      ["", ...family.columns.map(({ title }) => title), `messages per ${family.operation}`],
      rows.map((row) => [
        row.algorithm,
        ...family.columns.map(({ key, unit }) => {
          const value = row.values[key];
          if (value === undefined) return "-";
          return unit === "delays" ? `${figure(value)} T` : String(value);
        }),
        `${bar(row.messagesPerOperation / most, terminal)} ${figure(row.messagesPerOperation)}`,
      ]),
      1,
      terminal,
      "left",
    );
  }
  for (const { title, meaning } of family.columns) text(`${title}: ${meaning}`, terminal);
}

function printTrials({ family, tried }: Comparison, terminal: Terminal): void {
  for (const trial of new Set(tried.map((one) => one.trial))) {
    const rows = tried.filter((one) => one.trial === trial);
    const [first] = rows;
    if (first === undefined) continue;
    heading(`${first.processes} processes under ${trial}: ${first.faults}`, terminal);
    table(
      ["", "safe", "all done", `messages per ${family.operation}`],
      rows.map(({ algorithm, runs, safe, finished, messagesPerOperation }) => [
        algorithm,
        share(safe, runs),
        share(finished, runs),
        figure(messagesPerOperation),
      ]),
      1,
      terminal,
    );
  }
  text(
    "safe: nothing that its lab claims was violated. all done: nobody that is up waited in the end.",
    terminal,
  );
}

function share(count: number, of: number): string {
  return count === of ? "always" : count === 0 ? "never" : `${count} of ${of}`;
}

const BAR_WIDTH = 24;

function bar(share: number, terminal: Terminal): string {
  return (terminal.ascii ? "#" : "█").repeat(Math.max(share > 0 ? 1 : 0, Math.round(share * BAR_WIDTH)));
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 1 : 0);
}

function heading(title: string, terminal: Terminal): void {
  terminal.print();
  terminal.print(terminal.style(title, "strong"));
}

function text(sentence: string, terminal: Terminal): void {
  for (const line of wrapText(sentence, Math.max(20, terminal.columns))) terminal.print(line);
}

/** Columns as wide as they need; from the `numbers`th on to the right, but for a last one that is told otherwise. */
function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: number,
  terminal: Terminal,
  last: "left" | "right" = "right",
): void {
  const width = (column: number) => Math.max(...[headings, ...rows].map((row) => (row[column] ?? "").length));
  for (const row of [headings, ...rows]) {
    const cells = row.map((cell, column) =>
      column < numbers || (last === "left" && column === row.length - 1)
        ? cell.padEnd(width(column))
        : cell.padStart(width(column)),
    );
    terminal.print(`  ${cells.join("  ")}`.trimEnd());
  }
}
