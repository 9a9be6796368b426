import { textWidth } from "./cells.js";
import type { Glyphs } from "./glyphs.js";
import type { Phase } from "./phases.js";
import type { ArrowRow, Head } from "./story.js";
import type { Line } from "./text-line.js";
import type { TextLayout } from "./text-layout.js";

type Fate = Head["fate"];

/** Draws one row's arrow over the lanes of a line. */
export class ArrowDrawing {
  readonly #line: Line;
  readonly #row: ArrowRow;
  readonly #layout: TextLayout;
  readonly #glyphs: Glyphs;
  readonly #phases: readonly Phase[];

  constructor(line: Line, row: ArrowRow, layout: TextLayout, glyphs: Glyphs, phases: readonly Phase[]) {
    this.#line = line;
    this.#row = row;
    this.#layout = layout;
    this.#glyphs = glyphs;
    this.#phases = phases;
  }

  /** `false` when the label found no room. */
  draw(): boolean {
    const row = this.#row;
    const from = this.#layout.laneOf(row.from);
    if (from === undefined) return false;
    const fates = this.#fates(from);
    const rightmost = Math.max(from, ...fates.keys());
    const leftmost = Math.min(from, ...fates.keys());
    for (let lane = from + 1; lane <= rightmost; lane++)
      this.#hop(from, lane, lane === rightmost, fates.get(lane));
    for (let lane = from - 1; lane >= leftmost; lane--)
      this.#hop(from, lane, lane === leftmost, fates.get(lane));
    if (row.sent === "now") this.#line.put(this.#column(from), this.#glyphs.send, "mark", from);
    const acting = row.mark === undefined ? undefined : this.#layout.laneOf(row.mark.process);
    if (row.mark !== undefined && row.mark.mark !== "note" && acting !== undefined) {
      this.#line.put(this.#column(acting), this.#glyphs.mark[row.mark.mark], "mark", acting);
    }
    return this.#label(from, leftmost, rightmost);
  }

  #column(lane: number): number {
    return this.#layout.lanes[lane]?.column ?? 0;
  }

  /** By lane; the best fate of the processes that share one. Messages among them are not drawn. */
  #fates(from: number): ReadonlyMap<number, Fate> {
    const fates = new Map<number, Fate>();
    for (const { to, fate } of this.#row.heads) {
      const lane = this.#layout.laneOf(to);
      if (lane === undefined || lane === from) continue;
      if (!fates.has(lane) || fate === "arrives") fates.set(lane, fate);
    }
    return fates;
  }

  /** One hop of the arrow: from the lane before, up to `lane`. */
  #hop(from: number, lane: number, last: boolean, fate: Fate | undefined): void {
    const line = this.#line;
    const glyphs = this.#glyphs;
    const toward = lane > from ? 1 : -1;
    const body = glyphs.line[this.#row.sent];
    const end = this.#column(lane);
    for (let column = this.#column(lane - toward) + toward; column !== end; column += toward) {
      line.put(column, body, "arrow", from);
    }
    const phase = this.#phases[lane] ?? "idle";
    if (!last && phase === "crashed") line.put(end, body, "arrow", from);
    else if (!last) line.put(end, glyphs.crossing[phase], "lane", lane);
    if (fate === "arrives") line.put(end - toward, toward > 0 ? glyphs.right : glyphs.left, "arrow", from);
    if (fate === "later")
      line.put(end - toward, toward > 0 ? glyphs.rightLater : glyphs.leftLater, "arrow", from);
    if (fate !== "lost") return;
    // Where the arrow ends there, it ends short of the lane.
    if (last) line.put(end - toward, " ", "arrow", from);
    line.put(end - (last ? 2 : 1) * toward, glyphs.lost, "lost");
  }

  /** Puts the label into the first stretch between two lanes that holds it, or across lanes when it must. */
  #label(from: number, leftmost: number, rightmost: number): boolean {
    const { label, short, heads } = this.#row;
    const betweenLanes = this.#stretches(from, leftmost, rightmost);
    const stretches = [...betweenLanes, ...this.#whole(leftmost, rightmost)];
    // Where the padded label finds no room, one without a dash before the arrowhead may; a cross stands there itself.
    const tight = heads.some(({ fate }) => fate === "lost")
      ? []
      : stretches.map((one) => this.#widened(one, from));
    if (short === undefined) return this.#write(label, [...stretches, ...tight], from);
    // The short one stands between two lanes more often than the long one fits across them.
    return this.#write(label, betweenLanes, from) || this.#write(short, [...stretches, ...tight], from);
  }

  #write(text: string, stretches: readonly Stretch[], from: number): boolean {
    const width = textWidth(text);
    const fitting = stretches.find(({ begin, end }) => end - begin >= width);
    if (fitting === undefined) return false;
    this.#line.put(this.#place(fitting, width), text, "label", from);
    return true;
  }

  /** From the first to the last lane of an arrow with one head. */
  #whole(leftmost: number, rightmost: number): Stretch[] {
    if (this.#row.heads.length !== 1 || leftmost >= rightmost) return [];
    return [{ begin: this.#column(leftmost) + 3, end: this.#column(rightmost) - 2 }];
  }

  #stretches(from: number, leftmost: number, rightmost: number): Stretch[] {
    const stretches: Stretch[] = [];
    for (let lane = from; lane < rightmost; lane++) {
      stretches.push({ begin: this.#column(lane) + 2, end: this.#column(lane + 1) - 2 });
    }
    for (let lane = from; lane > leftmost; lane--) {
      stretches.push({ begin: this.#column(lane - 1) + 3, end: this.#column(lane) - 1 });
    }
    return stretches;
  }

  /** Takes the dash before the arrowhead, which is at the end away from the sender's lane. */
  #widened({ begin, end }: Stretch, from: number): Stretch {
    return begin > this.#column(from) ? { begin, end: end + 1 } : { begin: begin - 1, end };
  }

  /** As near the middle of the stretch as the text can stand without touching a lane. */
  #place({ begin, end }: Stretch, width: number): number {
    const room = end - begin - width;
    const onLane = (column: number): boolean => this.#layout.lanes.some((lane) => lane.column === column);
    const middleFirst = Array.from({ length: room + 1 }, (_, shift) => begin + shift).sort(
      (a, b) => Math.abs(a - begin - room / 2) - Math.abs(b - begin - room / 2),
    );
    const free = middleFirst.find((column) => !onLane(column - 1) && !onLane(column + width));
    return free ?? begin + Math.floor(room / 2);
  }
}

/** Columns from `begin` up to, and without, `end`. */
interface Stretch {
  readonly begin: number;
  readonly end: number;
}
