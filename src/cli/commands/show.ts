import { writeFile } from "node:fs/promises";
import { formatDuration, LightconeError, parseDuration, parseEventId, UsageError } from "../../core/index.js";
import {
  coneText,
  legend,
  ROWS_MIN,
  svgDiagram,
  textDiagram,
  type SvgOptions,
  type TimeRange,
} from "../../diagram/index.js";
import { judge } from "../../labs/index.js";
import { CausalityIndex, idOf, type Trace, type TraceEvent } from "../../trace/index.js";
import { diagramStyle } from "../diagram-style.js";
import { EXIT } from "../exit-status.js";
import { openRun } from "../open-run.js";
import type { ShowFlags } from "../program.js";
import { wholeNumber } from "../run-request.js";
import { checkNoTrace } from "../trace-files.js";
import type { Terminal } from "../terminal.js";

/** Draws a trace, or tells the light cone of one of its events. */
export async function showCommand(
  files: readonly string[],
  flags: ShowFlags,
  terminal: Terminal,
): Promise<number> {
  checkFlags(flags);
  const { trace, lab } = await openRun(files, flags.lab, terminal);
  const event = flags.event === undefined ? undefined : findEvent(trace, flags.event);
  const range = rangeOf(trace, flags);
  const evidence = lab === undefined ? [] : judge(lab, trace).violations.flatMap(({ evidence: ids }) => ids);
  const drawing = {
    columns: terminal.columns,
    narration: lab?.narration ?? {},
    style: diagramStyle(terminal),
    highlight: event === undefined ? evidence.slice(0, EVIDENCE_MAX) : [idOf(event)],
    ...(range && { range }),
    ...(flags.rows !== undefined && { rowsMax: wholeNumber("--rows", flags.rows) }),
    ...(flags.ids && { ids: true }),
    ...(flags.ascii && { ascii: true }),
  };
  if (flags.svg !== undefined) {
    await checkNoTrace(flags.svg);
    await draw(flags.svg, picture(trace, { ...drawing, ...(event && { cone: idOf(event) }) }));
    terminal.print(flags.json ? JSON.stringify({ svg: flags.svg }) : `Drawn to ${flags.svg}`);
  } else if (flags.json) {
    terminal.print(event === undefined ? JSON.stringify(trace) : JSON.stringify(coneJson(trace, event)));
  } else if (event !== undefined) {
    terminal.print(coneText(trace, idOf(event), drawing));
  } else {
    terminal.print(textDiagram(trace, drawing));
    terminal.print();
    terminal.print(legend(trace, drawing));
    if (!flags.ids) terminal.print(terminal.style(IDS_HINT, "faint"));
  }
  return EXIT.pass;
}

/** Stars beyond so many mark nothing any more. */
const EVIDENCE_MAX = 12;

const IDS_HINT = "--ids names the event of every row; --event P2:8 tells what led to one.";

/** Refuses what would be ignored. */
function checkFlags(flags: ShowFlags): void {
  const { svg, json, event, rows } = flags;
  const given = (...names: readonly (keyof ShowFlags)[]): string[] =>
    names.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  const refuse = (what: readonly string[], why: string): void => {
    if (what.length > 0) throw new UsageError(`${what.join(" and ")}: ${why}`);
  };
  if (rows !== undefined && wholeNumber("--rows", rows) < ROWS_MIN) {
    throw new UsageError(`--rows takes ${ROWS_MIN} or more; ${rows} given`);
  }
  if (svg !== undefined) {
    refuse(
      given("rows", "ids", "ascii"),
      "of the text diagram alone; --from and --to choose a part for --svg",
    );
  } else if (json) {
    refuse(
      given("rows", "ids", "ascii", "from", "to"),
      "of the diagram alone; --json gives the trace as it is",
    );
  } else if (event !== undefined) {
    refuse(given("rows", "ids", "from", "to"), "of the diagram alone; --event looks at the whole run");
  }
}

/** `--from 1s --to 2s` as a part of the run, which must hold something. */
function rangeOf(trace: Trace, { from, to }: ShowFlags): TimeRange | undefined {
  if (from === undefined && to === undefined) return undefined;
  const range = {
    from: from === undefined ? 0 : timeOf("--from", from),
    to: to === undefined ? Number.MAX_SAFE_INTEGER : timeOf("--to", to),
  };
  if (range.from > range.to)
    throw new UsageError(`--from ${from} comes after --to ${to}; give the earlier one first`);
  if (trace.events.some(({ at }) => at >= range.from && at <= range.to)) return range;
  const last = trace.events.at(-1)?.at ?? 0;
  throw new UsageError(
    `nothing happens in that part of the run; its last event is at ${formatDuration(Math.round(last / 100) * 100)}`,
  );
}

function timeOf(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(`${flag}: ${cause.message}`, cause.facts, { cause });
  }
}

/** The way out of a picture with too much in it is an option here. */
function picture(trace: Trace, options: SvgOptions): string {
  try {
    return svgDiagram(trace, options);
  } catch (cause) {
    if (!(cause instanceof UsageError) || cause.facts["eventsMax"] === undefined) throw cause;
    const last = trace.events.at(-1)?.at ?? 0;
    throw new UsageError(
      `${cause.message}, such as --from 0ms --to ${formatDuration(Math.ceil(last / 10_000) * 1_000)}`,
      cause.facts,
      { cause },
    );
  }
}

async function draw(path: string, svg: string): Promise<void> {
  try {
    await writeFile(path, svg);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LightconeError(
      "picture-not-written",
      `cannot write the picture to ${path}: ${why}`,
      { path },
      { cause },
    );
  }
}

function findEvent(trace: Trace, id: string): TraceEvent {
  const { process, number } = parseEventId(id);
  const lane = trace.events.filter((event) => event.process === process);
  const event = lane.find((candidate) => candidate.number === number);
  if (event !== undefined) return event;
  const known = trace.header.processes;
  throw new UsageError(
    lane.length === 0 && !known.includes(process)
      ? `${id}: the trace has no process ${process}; it has ${known.join(", ")}`
      : `${id}: ${process} has ${lane.length} events, numbered from 1`,
  );
}

function coneJson(trace: Trace, event: TraceEvent): unknown {
  const index = CausalityIndex.of(trace);
  return { event, past: index.past(idOf(event)), future: index.future(idOf(event)) };
}
