import type { Geometry } from "./geometry.js";
import type { LightCone } from "./light-cone.js";
import { HUES } from "./svg-theme.js";

/** What every part of an SVG diagram needs to know: pixels for places, colours for lanes. */
export interface Plot {
  readonly geometry: Geometry;
  readonly cone: LightCone | undefined;
  /** Whether the event at a place in `trace.events` is in the part that is drawn. */
  readonly visible: (index: number) => boolean;
  readonly width: number;
  readonly height: number;
  readonly laneHeight: number;
  /** Pixels of an x of the geometry. */
  readonly px: (x: number) => number;
  /** Pixels of a lane's middle. */
  readonly py: (lane: number) => number;
}

/** The class suffix of a lane's colour: `p3`. */
export function hueOf(lane: number): string {
  return `p${Math.max(0, lane) % HUES}`;
}

interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Labels stay this far, in pixels, from the lanes and what stands on them. */
const LANE_CLEARANCE = 14;

/** Keeps labels inside the plot, off the lanes and from covering one another: first come, first served. */
export class LabelRoom {
  readonly #plot: Plot;
  readonly #boxes: Box[] = [];

  constructor(plot: Plot) {
    this.#plot = plot;
  }

  /** Takes the room for a text centred on a point, 12 pixels high; `false` when some of it is taken. */
  take(x: number, y: number, width: number): boolean {
    const { laneHeight, width: plotWidth, py } = this.#plot;
    const box = { x1: x - width / 2 - 2, y1: y - 8, x2: x + width / 2 + 2, y2: y + 8 };
    const lane = Math.round((y - py(0)) / laneHeight);
    if (Math.abs(y - py(lane)) < LANE_CLEARANCE || box.x1 < 0 || box.x2 > plotWidth) return false;
    return this.#claim(box);
  }

  /** Takes the room for a text that begins at `x` on the line below the lanes. */
  takeBelow(x: number, width: number): boolean {
    const { height } = this.#plot;
    return this.#claim({ x1: x - 2, y1: height - 16, x2: x + width + 2, y2: height });
  }

  #claim(box: Box): boolean {
    const covers = (other: Box): boolean =>
      box.x1 <= other.x2 && box.x2 >= other.x1 && box.y1 <= other.y2 && box.y2 >= other.y1;
    if (this.#boxes.some(covers)) return false;
    this.#boxes.push(box);
    return true;
  }
}
