import type { EventId } from "../core/index.js";
import { UsageError } from "../core/index.js";
import { idOf, type Trace } from "../trace/index.js";
import { cut } from "./describe.js";
import { layout, type Geometry, type GlyphKind, type LayoutOptions } from "./geometry.js";
import { lightConeOf, type LightCone } from "./light-cone.js";
import { eventText, type Wording } from "./narration.js";
import { coneRegions, intervalBars, laneLines, partitionBands } from "./svg-backdrop.js";
import { glyph, GLYPH_ORDER } from "./svg-glyphs.js";
import { messageArrows } from "./svg-messages.js";
import { svgLegend } from "./svg-legend.js";
import { hueOf, LabelRoom, type Plot } from "./svg-plot.js";
import { HUES, styleSheet } from "./svg-theme.js";
import { element, xmlText } from "./svg-writer.js";
import type { TimeRange } from "./story.js";
import { axisTicks } from "./time-scale.js";

export interface SvgOptions extends Wording, LayoutOptions {
  /** In pixels; default as wide as the events need, from 1100 to 1800. */
  readonly width?: number;
  /** Draws only what happens from `from` to `to` on the reference axis, in microseconds, both included. */
  readonly range?: TimeRange;
  /** Colours this event's past gold and its future cyan, and dims what is concurrent with it. */
  readonly cone?: EventId;
  /** Events an SVG may show; default 2000. */
  readonly eventsMax?: number;
}

/** Beyond it a reader sees a hairball, and a browser a slow page. */
export const SVG_EVENTS_MAX = 2_000;
export const SVG_PROCESSES_MAX = 128;

const LEFT = 84;
const RIGHT = 24;
const TOP = 64;
/** Wider ones have to be scrolled, and a quiet stretch says nothing for its room; a range shows more of a part. */
const WIDTH_MAX = 1_800;
const WIDTH_MIN = 1_100;
/** Room for each moment at which something happens, in pixels, while the width lasts. */
const MOMENT = 16;

/**
 * A trace as a self-contained SVG: lanes from left to right, one per process. No scripts, no references outward, text
 * escaped; light, or dark where the reader prefers it.
 *
 * Throws a `UsageError` when more than `eventsMax` events or 128 processes would have to be drawn, or `cone` names no
 * event of the trace.
 */
export function svgDiagram(trace: Trace, options: SvgOptions = {}): string {
  const shown = shownEvents(trace, options);
  const geometry = layout(trace, options);
  const cone = options.cone === undefined ? undefined : lightConeOf(trace, options.cone);
  const plot = plotOf(geometry, cone, shown, options);
  const width = LEFT + plot.width + RIGHT;
  const places = glyphPlaces(trace, plot, options);
  const signs = svgLegend(plot, new Set(places.map(({ kind }) => kind)), LEFT, plot.width);
  const height = TOP + plot.height + 10 + signs.height + 6;
  const room = new LabelRoom(plot);
  const inside = [
    partitionBands(plot, room),
    cone === undefined ? "" : coneRegions(plot, cone, eventX(trace, geometry)),
    gridLines(plot),
    laneLines(plot),
    intervalBars(plot, room),
    messageArrows(trace, plot, room, options.describe),
    eventGlyphs(places),
  ];
  const name = `${trace.header.lab}: ${trace.header.processes.length} processes, ${shown.length} events`;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`,
      width: Math.round(width),
      height: Math.round(height),
      role: "img",
    },
    [
      element("title", {}, xmlText(`Space-time diagram of ${name}`)),
      element("style", {}, styleSheet()),
      element("rect", { width, height, class: "paper" }),
      element(
        "text",
        { x: 16, y: 22, class: "f-quiet" },
        xmlText(cut(`${name} · seed ${trace.header.seed}`, 120)),
      ),
      laneNames(plot),
      axisLabels(plot),
      signs.at(TOP + plot.height + 10),
      element("svg", { x: LEFT, y: TOP, width: plot.width, height: plot.height }, inside.join("\n")),
    ].join("\n"),
  );
}

function shownEvents(trace: Trace, options: SvgOptions): readonly number[] {
  const { range } = options;
  const shown = trace.events.flatMap((event, index) =>
    range === undefined || (event.at >= range.from && event.at <= range.to) ? [index] : [],
  );
  const most = options.eventsMax ?? SVG_EVENTS_MAX;
  if (shown.length > most) {
    const where = range === undefined ? "the trace" : "the range";
    throw new UsageError(
      `${where} has ${shown.length} events; an SVG shows at most ${most}: give a range of time that holds fewer`,
      { events: shown.length, eventsMax: most },
    );
  }
  const processes = trace.header.processes.length;
  if (processes > SVG_PROCESSES_MAX) {
    throw new UsageError(`${processes} processes; an SVG shows at most ${SVG_PROCESSES_MAX} lanes`, {
      processes,
    });
  }
  return shown;
}

function plotOf(
  geometry: Geometry,
  cone: LightCone | undefined,
  shown: readonly number[],
  options: SvgOptions,
): Plot {
  const visible = new Set(shown);
  let low = Infinity;
  let high = -Infinity;
  const places = new Set<number>();
  for (const index of shown) {
    const x = geometry.x[index] ?? 0;
    low = Math.min(low, x);
    high = Math.max(high, x);
    places.add(x);
  }
  if (low > high) [low, high] = [0, 1];
  if (low === high) high = low + 1;
  const lanes = geometry.processes.length;
  const laneHeight = Math.max(30, Math.min(90, Math.round(1200 / Math.max(1, lanes))));
  const wanted =
    options.width ?? Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, LEFT + RIGHT + places.size * MOMENT));
  const width = Math.max(200, wanted - LEFT - RIGHT);
  const margin = 24;
  return {
    geometry,
    cone,
    visible: (index) => visible.has(index),
    width,
    height: Math.max(1, lanes) * laneHeight + 24,
    laneHeight,
    px: (x) => margin + ((x - low) / (high - low)) * (width - 2 * margin),
    py: (lane) => 12 + (lane + 0.5) * laneHeight,
  };
}

function laneNames(plot: Plot): string {
  return plot.geometry.processes
    .map((process, lane) => {
      const at = { x: LEFT - 12, y: TOP + plot.py(lane) + 5, class: `name end f-${hueOf(lane)}` };
      const name = cut(process, 9);
      return element(
        "text",
        at,
        (name === process ? "" : element("title", {}, xmlText(process))) + xmlText(name),
      );
    })
    .join("\n");
}

function axisLabels(plot: Plot): string {
  return ticksOf(plot)
    .map(({ x, text }) => element("text", { x: LEFT + x, y: TOP - 8, class: "mono mid f-quiet" }, text))
    .join("\n");
}

function gridLines(plot: Plot): string {
  return ticksOf(plot)
    .map(({ x }) => element("line", { x1: x, y1: 0, x2: x, y2: plot.height, class: "rule" }))
    .join("\n");
}

function ticksOf(plot: Plot): { readonly x: number; readonly text: string }[] {
  const { axis } = plot.geometry;
  const one = plot.px(1) - plot.px(0);
  const low = (0 - plot.px(0)) / one;
  const high = (plot.width - plot.px(0)) / one;
  return axisTicks(low, high, plot.width / 110, axis === "physical" || axis === "local").map(
    ({ at, text }) => ({
      x: plot.px(at),
      text,
    }),
  );
}

/** Where a glyph stands, and all that happens there. */
interface GlyphPlace {
  kind: GlyphKind;
  readonly x: number;
  readonly y: number;
  readonly lane: number;
  lit: boolean;
  self: boolean;
  readonly words: string[];
}

/** One glyph for each place: of several events in one step the most telling. */
function glyphPlaces(trace: Trace, plot: Plot, options: SvgOptions): readonly GlyphPlace[] {
  const { geometry, cone } = plot;
  const places = new Map<string, GlyphPlace>();
  trace.events.forEach((event, index) => {
    const lane = geometry.lane[index] ?? -1;
    const kind = geometry.glyphs[index] ?? "none";
    if (lane < 0 || !plot.visible(index)) return;
    const x = plot.px(geometry.x[index] ?? 0);
    const key = `${lane} ${x.toFixed(1)}`;
    const light = cone?.light(event);
    const place = places.get(key) ?? {
      kind: "none",
      x,
      y: plot.py(lane),
      lane,
      lit: false,
      self: false,
      words: [],
    };
    if (GLYPH_ORDER.indexOf(kind) > GLYPH_ORDER.indexOf(place.kind)) place.kind = kind;
    place.lit ||= light !== "concurrent";
    place.self ||= light === "self";
    place.words.push(`${idOf(event)} ${event.process} ${eventText(event, options)}`);
    places.set(key, place);
  });
  for (const place of places.values()) if (place.self && place.kind === "none") place.kind = "local";
  return [...places.values()].sort((a, b) => GLYPH_ORDER.indexOf(a.kind) - GLYPH_ORDER.indexOf(b.kind));
}

/** The words of all that happens at a place are in its tooltip. */
function eventGlyphs(places: readonly GlyphPlace[]): string {
  return places
    .map(({ kind, x, y, lane, lit, self, words }) => {
      const drawn = glyph(kind, x, y, hueOf(lane));
      if (drawn === "") return "";
      const ring =
        self || lane >= HUES
          ? element("circle", { cx: x, cy: y, r: 9, class: `line s-${self ? "ink" : hueOf(lane)}` })
          : "";
      const title = element("title", {}, words.map(xmlText).join("\n"));
      return element("g", lit ? {} : { class: "dim" }, title + drawn + ring);
    })
    .join("\n");
}

function eventX(trace: Trace, geometry: Geometry): (lane: number, number: number) => number {
  const byLane = geometry.processes.map(() => new Map<number, number>());
  trace.events.forEach((event, index) => {
    byLane[geometry.lane[index] ?? -1]?.set(event.number, geometry.x[index] ?? 0);
  });
  return (lane, number) => byLane[lane]?.get(number) ?? 0;
}
