import { terminalText } from "./glyphs.js";
import type { Note } from "./step.js";
import type { Story, StoryRow } from "./story.js";

/** A story whose every text is safe to print: nothing that comes from the trace can move a cursor or hide. */
export function cleanStory(story: Story, ascii: boolean): Story {
  const clean = (text: string): string => terminalText(text, ascii);
  const cleanNote = ({ process, text }: Note): Note =>
    process === undefined ? { text: clean(text) } : { process: clean(process), text: clean(text) };
  const cleanRow = (row: StoryRow): StoryRow => {
    const changes = row.changes.map(({ process, phase }) => ({ process: clean(process), phase }));
    const event = row.event === undefined ? undefined : clean(row.event);
    const base = { changes, event, notes: row.notes.map(cleanNote) };
    switch (row.kind) {
      case "arrow":
        return {
          ...row,
          ...base,
          from: clean(row.from),
          label: clean(row.label),
          short: row.short === undefined ? undefined : clean(row.short),
          heads: row.heads.map(({ to, fate }) => ({ to: clean(to), fate })),
          mark: row.mark === undefined ? undefined : { ...row.mark, process: clean(row.mark.process) },
        };
      case "note":
        return { ...row, ...base, process: clean(row.process) };
      case "fault":
      case "fold":
      case "end":
        return { ...row, ...base, text: clean(row.text) };
    }
  };
  return {
    processes: story.processes.map(clean),
    rows: story.rows.map(cleanRow),
    hidden: clean(story.hidden),
  };
}
