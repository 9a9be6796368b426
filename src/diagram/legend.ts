import type { Trace } from "../trace/index.js";
import { textWidth, wrapText } from "./cells.js";
import { ASCII, UNICODE, type Glyphs } from "./glyphs.js";
import type { Mark } from "./step.js";
import type { Story } from "./story.js";
import { storyOf } from "./story-teller.js";
import { plainStyle } from "./text-line.js";
import { COLUMNS_MIN } from "./text-layout.js";
import { signsDrawn, type TextOptions } from "./text.js";
import { timeScale } from "./time-scale.js";

/** A few lines that explain the signs in `textDiagram(trace, options)`, and only those. */
export function legend(trace: Trace, options: TextOptions = {}): string {
  const glyphs = options.ascii === true ? ASCII : UNICODE;
  const style = options.style ?? plainStyle;
  const columns = Math.max(COLUMNS_MIN, options.columns ?? 80);
  const story = storyOf(trace, options);
  const lines = packed(signsIn(story, glyphs, signsDrawn(story, options)), columns);
  if (goesBack(story)) lines.push(...wrapText(GOES_BACK, columns));
  return lines.map((line) => style(line, "legend")).join("\n");
}

const GOES_BACK =
  "Causes stand above effects; a row without a time may be a little earlier than the one above it.";

type Sign = readonly [used: boolean, sign: string, meaning: string];

function signsIn(story: Story, glyphs: Glyphs, drawn: ReadonlySet<string>): readonly string[] {
  const { rows } = story;
  const arrows = rows.filter((row) => row.kind === "arrow");
  const heads = arrows.flatMap((row) => row.heads);
  const marks = new Set<Mark>(
    rows.flatMap((row) =>
      row.kind === "note" ? [row.mark] : row.kind === "arrow" && row.mark ? [row.mark.mark] : [],
    ),
  );
  const phases = new Set(rows.flatMap((row) => row.changes.map(({ phase }) => phase)));
  const { line, lane, mark, crossing } = glyphs;
  const arrow = (body: string): string => `${body}${body}${glyphs.right}`;
  const signs: readonly Sign[] = [
    [marks.has("command"), mark.command, "told to act"],
    [rows.some((row) => row.kind === "note" && row.mark === "note"), glyphs.local, "a step, told beside it"],
    [heads.some(({ fate }) => fate === "arrives"), glyphs.send + arrow(line.now), "message"],
    [arrows.some(({ sent }) => sent === "earlier"), arrow(line.earlier), "message sent earlier"],
    [heads.some(({ fate }) => fate === "later"), glyphs.rightLater, "still on its way"],
    [arrows.some(({ sent }) => sent === "copy"), arrow(line.copy), "second copy"],
    [heads.some(({ fate }) => fate === "lost"), `${line.now}${line.now}${glyphs.lost}`, "lost"],
    [drawn.has(`lane ${crossing.idle}`), crossing.idle, "passes by"],
    [marks.has("defer"), mark.defer, "makes somebody wait"],
    [phases.has("waiting"), lane.waiting, "waiting"],
    [marks.has("enter"), mark.enter, "enters"],
    [phases.has("inside"), lane.inside, "in the critical section"],
    [drawn.has(`lane ${crossing.inside}`), crossing.inside, "passes one inside"],
    [marks.has("exit"), mark.exit, "leaves"],
    [phases.has("paused"), lane.paused, "paused"],
    [marks.has("crash"), mark.crash, "crashed, gone until it restarts"],
    [marks.has("restart"), mark.restart, "restart"],
    [rows.some(({ kind }) => kind === "fault"), glyphs.fault, "the network changes"],
    [rows.some(({ kind }) => kind === "fold"), glyphs.fold, "left out"],
    [rows.some(({ highlighted }) => highlighted), glyphs.star, "evidence"],
  ];
  return merged(signs.filter(([used]) => used)).map(([sign, meaning]) => `${sign} ${meaning}`);
}

/** One entry for each sign: where only ASCII may be used, some mean several things. */
function merged(signs: readonly Sign[]): [sign: string, meaning: string][] {
  const meanings = new Map<string, string>();
  for (const [, sign, meaning] of signs) {
    const known = meanings.get(sign);
    meanings.set(sign, known === undefined ? meaning : `${known}, or ${meaning}`);
  }
  return [...meanings];
}

/** Whether some row is earlier than one above it, so that it goes without its time. */
function goesBack({ rows }: Story): boolean {
  const { format } = timeScale(rows.map(({ at }) => at));
  let latest = -Infinity;
  return rows.some(({ at }) => {
    const back = at < latest && format(at) !== format(latest);
    latest = Math.max(latest, at);
    return back;
  });
}

/** Items side by side, as many to a line as fit. */
function packed(items: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last) + 3 + textWidth(item) <= columns)
      lines[lines.length - 1] = `${last}   ${item}`;
    else lines.push(item);
  }
  return lines;
}
