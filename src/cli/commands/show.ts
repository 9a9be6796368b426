import { writeFile } from "node:fs/promises";
import { parseEventId, UsageError } from "../../core/index.js";
import { coneText, legend, svgDiagram, textDiagram } from "../../diagram/index.js";
import { judge } from "../../labs/index.js";
import { CausalityIndex, idOf, type Trace, type TraceEvent } from "../../trace/index.js";
import { diagramStyle } from "../diagram-style.js";
import { EXIT } from "../exit-status.js";
import { openRun } from "../open-run.js";
import type { ShowFlags } from "../program.js";
import { wholeNumber } from "../run-request.js";
import type { Terminal } from "../terminal.js";
import { unwritable } from "../trace-files.js";

/** Draws a trace, or tells the light cone of one of its events. */
export async function showCommand(
  files: readonly string[],
  flags: ShowFlags,
  terminal: Terminal,
): Promise<number> {
  terminal.ascii = flags.ascii === true;
  const { trace, lab } = await openRun(files, flags.lab);
  const event = flags.event === undefined ? undefined : findEvent(trace, flags.event);
  const rowsMax = flags.rows === undefined ? undefined : Math.max(8, wholeNumber("--rows", flags.rows));
  const evidence = lab === undefined ? [] : judge(lab, trace).violations.flatMap(({ evidence: ids }) => ids);
  const highlight = event === undefined ? evidence.slice(0, 12) : [idOf(event)];
  const drawing = {
    columns: terminal.columns,
    narration: lab?.narration ?? {},
    style: diagramStyle(terminal),
    highlight,
    ...(rowsMax !== undefined && { rowsMax }),
    ...(flags.ascii && { ascii: true }),
  };
  if (flags.svg !== undefined) {
    const svg = svgDiagram(trace, {
      narration: lab?.narration ?? {},
      highlight,
      ...(event && { cone: idOf(event) }),
    });
    try {
      await writeFile(flags.svg, svg);
    } catch (error) {
      throw unwritable(flags.svg, error);
    }
    if (!flags.json) terminal.print(`Drawn to ${flags.svg}`);
    return EXIT.pass;
  }
  if (flags.json) {
    terminal.print(event === undefined ? JSON.stringify(trace) : JSON.stringify(coneJson(trace, event)));
    return EXIT.pass;
  }
  if (event !== undefined) {
    terminal.print(coneText(trace, idOf(event), drawing));
    return EXIT.pass;
  }
  terminal.print(textDiagram(trace, drawing));
  terminal.print();
  terminal.print(legend(trace, drawing));
  return EXIT.pass;
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
