import type { Instant } from "../core/index.js";
import type { Trace } from "../trace/index.js";
import { textWidth, wrapText } from "./cells.js";
import { cleanStory } from "./clean-story.js";
import { ASCII, UNICODE, type Glyphs } from "./glyphs.js";
import type { Phase } from "./phases.js";
import type { Note } from "./step.js";
import type { FoldRow, NoteRow, Story, StoryOptions, StoryRow } from "./story.js";
import { storyOf } from "./story-teller.js";
import { ArrowDrawing } from "./text-arrow.js";
import { Line, plainStyle, type Style } from "./text-line.js";
import { layoutText, type TextLayout } from "./text-layout.js";
import { timeScale } from "./time-scale.js";

export interface TextOptions extends StoryOptions {
  /** Width to fill; default 80. Below 40 the diagram is drawn 40 wide. */
  readonly columns?: number;
  /** Only characters from space to `~`. */
  readonly ascii?: boolean;
  /** Names the event of every row after its time, for `coneText` to tell about. */
  readonly ids?: boolean;
  /** Adds colour: is given each stretch of text with what it is. The text is safe already. */
  readonly style?: Style;
}

/**
 * A trace as a space-time diagram for a terminal: one vertical lane per process, time running down, messages as
 * arrows, the reasons beside them. Lines are separated by newlines, without one at the end.
 *
 * A long trace is reduced to `rowsMax` rows at most; what is left out is counted. Text from the trace is escaped.
 */
export function textDiagram(trace: Trace, options: TextOptions = {}): string {
  const story = cleanStory(storyOf(trace, options), options.ascii ?? false);
  return new TextDiagram(story, options).draw().join("\n");
}

/**
 * The characters that a diagram of `story` is made of, labels and sentences apart, each with what it is: `mark ◆`.
 * For a legend: what stands on which lane is known only once it is drawn.
 */
export function signsDrawn(story: Story, options: TextOptions): ReadonlySet<string> {
  const signs = new Set<string>();
  const style: Style = (text, kind) => {
    if (kind === "lane" || kind === "mark") for (const sign of text) signs.add(`${kind} ${sign}`);
    return text;
  };
  new TextDiagram(cleanStory(story, options.ascii ?? false), { ...options, style }).draw();
  return signs;
}

/** Lanes named again below a diagram that is longer than a screen. */
const SCREEN_LINES = 32;

class TextDiagram {
  readonly #story: Story;
  readonly #layout: TextLayout;
  readonly #glyphs: Glyphs;
  readonly #style: Style;
  readonly #time: (at: Instant) => string;
  /** Of the times alone; names of events follow in the same column. */
  readonly #timesWidth: number;
  readonly #ids: boolean;
  readonly #phases: Phase[];
  readonly #lines: string[] = [];
  #shownTime = "";
  #shownAt: Instant = -Infinity;

  constructor(story: Story, options: TextOptions) {
    this.#story = story;
    this.#glyphs = options.ascii === true ? ASCII : UNICODE;
    this.#style = options.style ?? plainStyle;
    const scale = timeScale(story.rows.map((row) => row.at));
    this.#time = scale.format;
    this.#timesWidth = scale.width;
    this.#ids = options.ids ?? false;
    const ids = story.rows.map(({ event }) => (this.#ids && event !== undefined ? textWidth(event) + 1 : 0));
    this.#layout = layoutText(story, options.columns ?? 80, scale.width + Math.max(0, ...ids));
    this.#phases = this.#layout.lanes.map(() => "idle");
  }

  draw(): readonly string[] {
    this.#names();
    for (const row of this.#story.rows) this.#row(row);
    if (this.#lines.length > SCREEN_LINES) this.#names();
    if (this.#story.hidden !== "") {
      for (const line of wrapText(`Not drawn: ${this.#story.hidden}.`, this.#layout.columns)) {
        this.#lines.push(this.#style(line, "fold"));
      }
    }
    return this.#lines;
  }

  #names(): void {
    const line = new Line();
    this.#layout.lanes.forEach(({ column, name }, lane) => {
      line.put(column - Math.floor((textWidth(name) - 1) / 2), name, "name", lane);
    });
    this.#lines.push(line.render(this.#style));
  }

  #row(row: StoryRow): void {
    const line = new Line();
    this.#lanes(line);
    let notes = row.notes;
    switch (row.kind) {
      case "arrow":
        this.#phase(row);
        this.#lanes(line);
        if (!new ArrowDrawing(line, row, this.#layout, this.#glyphs, this.#phases).draw())
          notes = withLabel(row.short ?? row.label, notes);
        break;
      case "note":
        this.#note(line, row);
        break;
      case "fault":
        notes = [{ text: `${row.text} ${row.phase === "begin" ? "begins" : "ends"}` }];
        this.#fault(line);
        break;
      case "fold":
        notes = [{ text: row.text }];
        this.#fold(line, row);
        break;
      case "end":
        notes = [{ text: `The run ends: ${row.text}.` }];
    }
    this.#stamp(line, row);
    this.#finish(line, row, notes);
  }

  /**
   * Time, shown when it moves on, and the star of a row that was asked for. A row may stand below one that is a
   * little later, so that arrows can be level; it goes without a time, for a reader would stumble over it.
   */
  #stamp(line: Line, row: StoryRow): void {
    const time = this.#time(row.at);
    if (row.at > this.#shownAt && time !== this.#shownTime) {
      line.put(this.#timesWidth - textWidth(time), time, "time");
      this.#shownTime = time;
      this.#shownAt = row.at;
    }
    if (this.#ids && row.event !== undefined) line.put(this.#timesWidth + 1, row.event, "time");
    if (row.highlighted) line.put(this.#layout.timeWidth + 1, this.#glyphs.star, "star");
  }

  #phase(row: StoryRow): void {
    for (const { process, phase } of row.changes) {
      const lane = this.#layout.laneOf(process);
      if (lane !== undefined && this.#layout.lanes[lane]?.processes === 1) this.#phases[lane] = phase;
    }
  }

  #lanes(line: Line): void {
    this.#layout.lanes.forEach(({ column }, lane) => {
      const phase = this.#phases[lane] ?? "idle";
      line.put(column, this.#glyphs.lane[phase], phase === "idle" ? "lane" : phase, lane);
    });
  }

  #note(line: Line, row: NoteRow): void {
    this.#phase(row);
    this.#lanes(line);
    const lane = this.#layout.laneOf(row.process);
    const column = lane === undefined ? undefined : this.#layout.lanes[lane]?.column;
    if (column === undefined) return;
    const sign = row.mark === "note" ? this.#glyphs.local : this.#glyphs.mark[row.mark];
    line.put(column, sign, row.mark === "crash" ? "lost" : "mark", lane);
  }

  #fold(line: Line, row: FoldRow): void {
    this.#layout.lanes.forEach(({ column }, lane) => {
      if (this.#phases[lane] !== "crashed") line.put(column, this.#glyphs.fold, "fold", lane);
    });
    this.#phase(row);
  }

  #fault(line: Line): void {
    const { lanes, lanesEnd, timeWidth } = this.#layout;
    for (let column = timeWidth + 3; column < lanesEnd; column++)
      line.put(column, this.#glyphs.fault, "fault");
    for (const { column } of lanes) line.put(column, this.#glyphs.faultCrossing, "fault");
  }

  /** Adds the notes, beside the row or below it. */
  #finish(line: Line, row: StoryRow, notes: readonly Note[]): void {
    const { notes: room } = this.#layout;
    const kind = row.kind === "fold" || row.kind === "fault" || row.kind === "end" ? row.kind : "note";
    const wrapped = notes.flatMap((note) => this.#wrapped(note, room.width));
    if (!room.beside) {
      this.#lines.push(line.render(this.#style));
      for (const { text } of wrapped)
        this.#lines.push(new Line().put(room.from, text, kind).render(this.#style));
      return;
    }
    wrapped.forEach(({ text }, place) => {
      const target = place === 0 ? line : this.#continuation();
      target.put(room.from, text, kind);
      this.#lines.push(target.render(this.#style));
    });
    if (wrapped.length === 0) this.#lines.push(line.render(this.#style));
  }

  #wrapped({ process, text }: Note, width: number): { readonly text: string }[] {
    const sentence = process === undefined ? text : `${process} ${text}`;
    return wrapText(sentence, width - 2).map((part, place) => ({ text: place === 0 ? part : `  ${part}` }));
  }

  #continuation(): Line {
    const line = new Line();
    this.#lanes(line);
    return line;
  }
}

/** An arrow without room for its label says it beside itself, unless a sentence there does. */
function withLabel(label: string, notes: readonly Note[]): readonly Note[] {
  const kind = label.split(" ", 1)[0] ?? label;
  if (notes.some(({ text }) => text.includes(label) || text.split(" ").includes(kind))) return notes;
  const [first, ...others] = notes;
  if (first === undefined) return [{ text: label }];
  const sentence = first.process === undefined ? first.text : `${first.process} ${first.text}`;
  return [{ text: `${label}: ${sentence}` }, ...others];
}
