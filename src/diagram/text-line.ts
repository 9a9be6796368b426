import { textWidth } from "./cells.js";

/** What a stretch of a text diagram is. */
export type StyleKind =
  | "time"
  | "name"
  | "lane"
  | "waiting"
  | "inside"
  | "paused"
  | "crashed"
  | "arrow"
  | "label"
  | "mark"
  | "lost"
  | "fault"
  | "fold"
  | "note"
  | "star"
  | "end"
  | "legend";

/** Adds colour to a stretch of text; `lane` is the place of the process it belongs to, counted from 0. */
export type Style = (text: string, kind: StyleKind, lane?: number) => string;

export const plainStyle: Style = (text) => text;

interface Cell {
  /** Empty for the second column of a wide character. */
  readonly text: string;
  readonly kind: StyleKind | undefined;
  readonly lane: number | undefined;
}

const BLANK: Cell = { text: " ", kind: undefined, lane: undefined };

/** One line of a terminal, written in any order; what is written later covers what was there. */
export class Line {
  readonly #cells: Cell[] = [];

  /** Writes `text` from `column` on; what would stand left of column 0 is left out. */
  put(column: number, text: string, kind: StyleKind, lane?: number): this {
    let at = column;
    for (const character of text) {
      const width = textWidth(character);
      if (width === 0) {
        this.#join(at - 1, character);
        continue;
      }
      if (at >= 0) {
        this.#set(at, { text: character, kind, lane });
        if (width === 2) this.#set(at + 1, { text: "", kind, lane });
      }
      at += width;
    }
    return this;
  }

  /** The line without blanks at its end. */
  render(style: Style): string {
    let rendered = "";
    let stretch = "";
    let current = BLANK;
    const flush = (): void => {
      rendered +=
        current.kind === undefined || stretch === "" ? stretch : style(stretch, current.kind, current.lane);
      stretch = "";
    };
    const blank = (cell: Cell | undefined): boolean => cell === undefined || cell.text === " ";
    let end = this.#cells.length;
    while (end > 0 && blank(this.#cells[end - 1])) end--;
    for (let at = 0; at < end; at++) {
      const cell = this.#cells[at] ?? BLANK;
      if (cell.kind !== current.kind || cell.lane !== current.lane) {
        flush();
        current = cell;
      }
      stretch += cell.text;
    }
    flush();
    return rendered;
  }

  #set(at: number, cell: Cell): void {
    while (this.#cells.length < at) this.#cells.push(BLANK);
    this.#cells[at] = cell;
  }

  /** A combining mark belongs to the character before it. */
  #join(at: number, mark: string): void {
    const cell = this.#cells[at];
    if (cell !== undefined) this.#cells[at] = { ...cell, text: cell.text + mark };
  }
}
