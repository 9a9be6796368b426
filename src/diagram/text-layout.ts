import type { ProcessId } from "../core/index.js";
import type { Story, StoryRow } from "./story.js";
import { fitText, textWidth } from "./cells.js";

/** Where everything stands in a text diagram, in columns. */
export interface TextLayout {
  readonly columns: number;
  /** Width of the time column, without what separates it. */
  readonly timeWidth: number;
  readonly lanes: readonly TextLane[];
  /** The lane a process is drawn on; several may share the last one. */
  laneOf(process: ProcessId): number | undefined;
  /** One past the last column that lanes and arrows use. */
  readonly lanesEnd: number;
  /** Beside the lanes when there is room, otherwise on lines of their own below each row. */
  readonly notes: { readonly beside: boolean; readonly from: number; readonly width: number };
}

export interface TextLane {
  readonly column: number;
  readonly name: string;
  /** How many processes share it. */
  readonly processes: number;
}

/** A diagram narrower than this would be unreadable, so it is not made narrower. */
export const COLUMNS_MIN = 40;
/** A line of prose longer than this is hard to follow. */
const NOTES_MAX = 72;
const NOTES_MIN = 28;
/** Where labels do not fit between two lanes anyway, the notes get the room. */
const GAP_TIGHT = 8;
const GAP_MIN = 6;
const GAP_MAX = 20;
const NAME_MAX = 12;

/** Divides `columns` among time, lanes and notes. */
export function layoutText(story: Story, columnsAsked: number, timeWidth: number): TextLayout {
  const columns = Math.max(COLUMNS_MIN, Math.floor(Number.isFinite(columnsAsked) ? columnsAsked : 80));
  const names = new Map(story.processes.map((process) => [process, fitText(process, NAME_MAX)]));
  const widest = [...names.values(), `+${names.size}`].reduce(
    (most, name) => Math.max(most, textWidth(name)),
    0,
  );
  // Time, a star, then half of the first name hangs over to the left of its lane.
  const first = timeWidth + 3 + Math.floor((Math.min(widest, NAME_MAX) - 1) / 2);
  const gapMin = Math.max(GAP_MIN, widest + 2);
  const gapWanted = Math.min(GAP_MAX, Math.max(gapMin, usualLabelWidth(story) + 4));
  const edge = Math.ceil(widest / 2);

  const lanesMax = Math.max(2, Math.floor((columns - 1 - first - edge) / gapMin) + 1);
  const shown = lanesShown(story, lanesMax);
  const others = story.processes.length - shown.length;
  const laneNames = shown.map((process) => names.get(process) ?? process);
  if (others > 0) laneNames.push(`+${others}`);
  const gaps = Math.max(1, laneNames.length - 1);

  const gapLeavingNotes = Math.floor((columns - first - edge - 2 - NOTES_MIN) / gaps);
  // One column less than wanted still holds most labels, only without a dash before the arrowhead.
  const gapBeside =
    gapLeavingNotes >= gapWanted - 1
      ? Math.min(gapWanted, gapLeavingNotes)
      : Math.min(gapLeavingNotes, Math.max(gapMin, GAP_TIGHT));
  const beside = gapBeside >= gapMin || laneNames.length === 1;
  const gapRoom = beside ? gapBeside : Math.floor((columns - 1 - first - edge) / gaps);
  const gap = Math.max(2, Math.min(gapWanted, gapRoom));
  const lanes = laneNames.map((name, place) => ({
    column: first + place * gap,
    name,
    processes: others > 0 && place === shown.length ? others : 1,
  }));
  const lanesEnd = first + (laneNames.length - 1) * gap + edge + 1;
  const from = beside ? lanesEnd + 1 : Math.min(timeWidth + 3, 4);
  const width = Math.max(1, Math.min(beside ? NOTES_MAX : columns, columns - from));
  const places = new Map(shown.map((process, place) => [process, place]));
  return {
    columns,
    timeWidth,
    lanes,
    laneOf: (process) => places.get(process) ?? (others > 0 && names.has(process) ? shown.length : undefined),
    lanesEnd,
    notes: { beside, from, width },
  };
}

/** Most labels fit into it; a few long ones shall not push all lanes apart. */
function usualLabelWidth(story: Story): number {
  const widths = story.rows.flatMap((row) =>
    row.kind === "arrow" ? [textWidth(row.short ?? row.label)] : [],
  );
  return widths.sort((a, b) => a - b)[Math.floor(widths.length * 0.6)] ?? 0;
}

/** The processes that get a lane of their own: all, or those that most of the story is about, in their usual order. */
function lanesShown(story: Story, lanesMax: number): readonly ProcessId[] {
  if (story.processes.length <= lanesMax) return story.processes;
  const scores = new Map<ProcessId, number>();
  for (const row of story.rows) {
    for (const process of aboutWhom(row)) {
      scores.set(process, (scores.get(process) ?? 0) + (row.highlighted ? 1000 : 1));
    }
  }
  const ranked = story.processes
    .map((process, place) => ({ process, place, score: scores.get(process) ?? 0 }))
    .sort((a, b) => b.score - a.score || a.place - b.place);
  const kept = new Set(ranked.slice(0, lanesMax - 1).map(({ process }) => process));
  return story.processes.filter((process) => kept.has(process));
}

function aboutWhom(row: StoryRow): readonly ProcessId[] {
  const changed = row.changes.map(({ process }) => process);
  if (row.kind === "arrow") return [...changed, row.from, ...row.heads.map(({ to }) => to)];
  return row.kind === "note" ? [...changed, row.process] : changed;
}
