import type { Trace } from "../trace/index.js";
import { textWidth } from "./cells.js";
import { ASCII, UNICODE, type Glyphs } from "./glyphs.js";
import type { Mark } from "./step.js";
import type { Story } from "./story.js";
import { storyOf } from "./story-teller.js";
import { plainStyle } from "./text-line.js";
import { COLUMNS_MIN } from "./text-layout.js";
import type { TextOptions } from "./text.js";

/** A line or two that explain the signs in `textDiagram(trace, options)`, and only those. */
export function legend(trace: Trace, options: TextOptions = {}): string {
  const glyphs = options.ascii === true ? ASCII : UNICODE;
  const style = options.style ?? plainStyle;
  return packed(signsIn(storyOf(trace, options), glyphs), Math.max(COLUMNS_MIN, options.columns ?? 80))
    .map((line) => style(line, "legend"))
    .join("\n");
}

function signsIn(story: Story, glyphs: Glyphs): readonly string[] {
  const { rows } = story;
  const arrows = rows.filter((row) => row.kind === "arrow");
  const heads = arrows.flatMap((row) => row.heads);
  const marks = new Set<Mark>(
    rows.flatMap((row) =>
      row.kind === "note" ? [row.mark] : row.kind === "arrow" && row.mark ? [row.mark.mark] : [],
    ),
  );
  const phases = new Set(rows.flatMap((row) => row.changes.map(({ phase }) => phase)));
  const { line, lane, mark } = glyphs;
  const arrow = (body: string): string => `${body}${body}${glyphs.right}`;
  const signs: readonly (readonly [used: boolean, sign: string, meaning: string])[] = [
    [marks.has("command"), mark.command, "told to act"],
    [heads.some(({ fate }) => fate === "arrives"), glyphs.send + arrow(line.now), "message"],
    [arrows.some(({ sent }) => sent === "earlier"), arrow(line.earlier), "message sent earlier"],
    [heads.some(({ fate }) => fate === "later"), glyphs.rightLater, "still on its way"],
    [arrows.some(({ sent }) => sent === "copy"), arrow(line.copy), "second copy"],
    [heads.some(({ fate }) => fate === "lost"), `${line.now}${line.now}${glyphs.lost}`, "lost"],
    [marks.has("defer"), mark.defer, "makes somebody wait"],
    [phases.has("waiting"), lane.waiting, "waiting"],
    [phases.has("inside"), lane.inside, "in the critical section"],
    [phases.has("paused"), lane.paused, "paused"],
    [marks.has("crash"), mark.crash, "crashed, gone until it restarts"],
    [marks.has("restart"), mark.restart, "restart"],
    [rows.some(({ kind }) => kind === "fold"), glyphs.fold, "left out"],
    [rows.some(({ highlighted }) => highlighted), glyphs.star, "evidence"],
  ];
  return signs.filter(([used]) => used).map(([, sign, meaning]) => `${sign} ${meaning}`);
}

/** Items side by side, as many to a line as fit. */
function packed(items: readonly string[], columns: number): readonly string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last) + 3 + textWidth(item) <= columns)
      lines[lines.length - 1] = `${last}   ${item}`;
    else lines.push(item);
  }
  return lines;
}
