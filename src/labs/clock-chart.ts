import { type Duration, type Instant, type ProcessId } from "../core/index.js";
import {
  clockBound,
  clockOutput,
  ClockTracks,
  errorMax,
  masterOutput,
  roundOutput,
  type ClockBound,
  type RoundOutputRead,
} from "../checkers/index.js";
import { secondsText } from "../protocols/index.js";
import type { Trace } from "../trace/index.js";
import type { ChartPaper } from "./lab.js";

/** Wider makes a run no clearer. */
const CELLS_MAX = 60;

const BARS = { unicode: "▁▂▃▄▅▆▇█", ascii: "12345678" };

/**
 * The clocks of a run over time: what each shows at first and in the end, and in between how far it is from their median,
 * against the bound that they must keep.
 *
 * Readings are less the time since the run began, so a right clock stands still.
 */
export function clockChart(trace: Trace, bound: ClockBound, { columns, ascii = false }: ChartPaper): string {
  const { processes } = trace.header;
  const span = trace.events.at(-1)?.at ?? 0;
  const history = historyOf(trace, bound, span);
  const texts = history.rows.map(({ first, last }) => [readingText(first), readingText(last)] as const);
  const name = Math.max(6, ...processes.map((process) => process.length));
  const left = Math.max(8, ...texts.map(([first]) => first.length));
  const right = Math.max(8, ...texts.map(([, last]) => last.length));
  const width = Math.max(10, Math.min(CELLS_MAX, columns - name - left - right - 6));
  const lines = [...firstRound(history)];
  lines.push("Clocks, less the time since the run began; between, how far each is from their median:");
  lines.push(`${" ".repeat(name)}  ${"at first".padStart(left)}  ${axis(span, width)}  in the end`);
  for (const [i, row] of history.rows.entries()) {
    const cells = row.cells(width).map((cell) => glyph(cell, ascii));
    const [first, last] = texts[i] ?? ["", ""];
    lines.push(`${row.process.padEnd(name)}  ${first.padStart(left)}  ${cells.join("")}  ${last}`);
  }
  if (history.masters.length > 0) {
    lines.push(`${"master".padEnd(name)}  ${" ".repeat(left)}  ${masters(history, width)}`);
  }
  const most =
    history.bound === undefined
      ? ""
      : `, ${secondsText(history.bound)} in the last round, ${secondsText(clockBound(bound, errorMax(bound)))} promised beforehand`;
  const formula = ascii ? "2E + 2 rho (tau + W)" : "2E + 2ρ(τ+W)";
  lines.push(`${ascii ? "." : "·"} within the bound ${formula}${most};`);
  lines.push(`${ascii ? "1 to 8" : "▁ to █"} above it, half a power of ten each; blank: down.`);
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** What one cell of a row tells: nothing, within the bound, or how many half powers of ten above it, 1 to 8. */
type Cell = "down" | "within" | number;

/** Points of time, evenly over the run, at which the clocks are compared; every width of chart divides it well enough. */
const POINTS = 240;

interface History {
  readonly rounds: readonly {
    readonly output: RoundOutputRead;
    readonly master: ProcessId;
    readonly time: Instant;
  }[];
  readonly masters: readonly { readonly at: Instant; readonly process: ProcessId }[];
  readonly rows: readonly Row[];
  readonly bound: Duration | undefined;
  readonly span: Duration;
}

class Row {
  readonly process: ProcessId;
  first: Instant | undefined;
  last: Instant | undefined;
  /** Distance to the median in units of the bound at each point; `undefined` while down. */
  readonly far: (number | undefined)[] = [];

  constructor(process: ProcessId) {
    this.process = process;
  }

  /** The worst of the points that a cell covers. */
  cells(width: number): Cell[] {
    return Array.from({ length: width }, (_, c) => {
      const points = this.far.slice(Math.floor((c * POINTS) / width), Math.floor(((c + 1) * POINTS) / width));
      const known = points.filter((far) => far !== undefined);
      if (known.length === 0) return "down";
      const worst = Math.max(...known);
      return worst <= 1 ? "within" : Math.min(8, Math.max(1, Math.ceil(2 * Math.log10(worst))));
    });
  }
}

function historyOf(trace: Trace, bound: ClockBound, span: Duration): History {
  const tracks = new ClockTracks();
  const rows = trace.header.processes.map((process) => new Row(process));
  const masters: { at: Instant; process: ProcessId }[] = [];
  const rounds: { output: RoundOutputRead; master: ProcessId; time: Instant }[] = [];
  // Before the first round there is no bound yet: then that of the first.
  const first = trace.events.map(roundOutput).find((round) => round !== undefined);
  let latest = { error: errorOf(first), began: 0 };
  let point = 0;
  const drawUntil = (at: Instant): void => {
    for (; point < POINTS && (point * span) / (POINTS - 1) < at; point++) {
      const now = Math.floor((point * span) / (POINTS - 1));
      drawPoint(rows, tracks, now, clockBound(bound, latest.error, now - latest.began));
    }
  };
  for (const event of trace.events) {
    drawUntil(event.at);
    const round = roundOutput(event);
    const track = tracks.get(event.process);
    if (round !== undefined && track !== undefined) {
      latest = { error: errorOf(round), began: event.at - round.took };
      rounds.push({
        output: round,
        master: event.process,
        time: track.aim(event.at) + round.average - event.at,
      });
    }
    if (masterOutput(event) !== undefined) masters.push({ at: event.at, process: event.process });
    tracks.observe(event);
    const output = clockOutput(event);
    const row = rows.find(({ process }) => process === event.process);
    if (row !== undefined && output !== undefined) row.first ??= output.reading - event.at;
  }
  drawUntil(Infinity);
  for (const row of rows) {
    const track = tracks.get(row.process);
    if (track?.up === true) row.last = track.reading(span) - span;
  }
  return { rounds, masters, rows, bound: first && clockBound(bound, latest.error), span };
}

function errorOf(round: RoundOutputRead | undefined): Duration {
  return Math.max(0, ...(round?.clocks ?? []).map(({ error }) => error));
}

function drawPoint(rows: readonly Row[], tracks: ClockTracks, at: Instant, bound: Duration): void {
  const shown = rows.map(({ process }) => {
    const track = tracks.get(process);
    return track?.up === true ? track.reading(at) : undefined;
  });
  const known = shown.filter((reading) => reading !== undefined).sort((a, b) => a - b);
  const middle = known.length / 2;
  const median = ((known[Math.ceil(middle) - 1] ?? 0) + (known[Math.floor(middle)] ?? 0)) / 2;
  for (const [i, row] of rows.entries()) {
    const reading = shown[i];
    row.far.push(reading === undefined ? undefined : Math.abs(reading - median) / Math.max(1, bound));
  }
}

function firstRound({ rounds, rows, masters: all }: History): string[] {
  const [round] = rounds;
  // Where everybody corrects itself there is no one who decides for all.
  if (round === undefined || all.length === 0) return [];
  const { clocks, average } = round.output;
  const adjustments = rows.flatMap(({ process }) => {
    const clock = clocks.find((candidate) => candidate.process === process);
    return clock === undefined ? [] : [`${process} ${secondsText(average - clock.offset, "+")}`];
  });
  return [
    `First round, master ${round.master}: average ${secondsText(round.time)}; adjustments ${adjustments.join(", ")}.`,
    "",
  ];
}

function readingText(reading: Instant | undefined): string {
  return reading === undefined ? "down" : secondsText(reading);
}

function glyph(cell: Cell, ascii: boolean): string {
  if (cell === "down") return " ";
  if (cell === "within") return ascii ? "." : "·";
  return BARS[ascii ? "ascii" : "unicode"][cell - 1] ?? "?";
}

function axis(span: Duration, width: number): string {
  const end = `${Math.round(span / 100_000) / 10}s`;
  return `0s${end.padStart(Math.max(end.length, width - 2))}`;
}

/** The names of the masters where they begin, as far as there is room. */
function masters({ masters: all, span }: History, width: number): string {
  let line = "";
  for (const { at, process } of all) {
    const column = span === 0 ? 0 : Math.min(width - 1, Math.floor((at * width) / span));
    if (column < line.length) continue;
    line = `${line.padEnd(column)}${process} `;
  }
  return line;
}
