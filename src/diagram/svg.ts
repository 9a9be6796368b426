import type { EventId, Instant } from "../core/index.js";
import { UsageError } from "../core/index.js";
import { idOf, type Trace } from "../trace/index.js";
import { cut } from "./describe.js";
import { layout, type Geometry, type GlyphKind, type LayoutOptions } from "./geometry.js";
import { lightConeOf, type LightCone } from "./light-cone.js";
import { eventText, type Wording } from "./narration.js";
import { coneRegions, intervalBars, laneLines, partitionBands } from "./svg-backdrop.js";
import { glyph, GLYPH_ORDER } from "./svg-glyphs.js";
import { messageArrows } from "./svg-messages.js";
import { hueOf, LabelRoom, type Plot } from "./svg-plot.js";
import { HUES, styleSheet } from "./svg-theme.js";
import { element, xmlText } from "./svg-writer.js";
import { axisTicks } from "./time-scale.js";

export interface SvgOptions extends Wording, LayoutOptions {
  /** In pixels; default as wide as the events need, from 1100 to 4000. */
  readonly width?: number;
  /** Draws only what happens from `from` to `to` on the reference axis, in microseconds, both included. */
  readonly range?: { readonly from: Instant; readonly to: Instant };
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
const BOTTOM = 34;

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
  const height = TOP + plot.height + BOTTOM;
  const room = new LabelRoom(plot);
  const inside = [
    partitionBands(plot),
    cone === undefined ? "" : coneRegions(plot, cone, eventX(trace, geometry)),
    gridLines(plot),
    laneLines(plot),
    intervalBars(plot, room),
    messageArrows(trace, plot, room, options.describe),
    eventGlyphs(trace, plot, options),
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
      element("text", { x: LEFT, y: height - 12, class: "small f-quiet" }, signsIn(plot).join("  ·  ")),
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
  const wanted = options.width ?? Math.max(1100, Math.min(4000, LEFT + RIGHT + places.size * 26));
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

/** What lines and bars mean, as far as the diagram has them. */
function signsIn({ geometry }: Plot): string[] {
  const states = new Set(geometry.messages.map(({ state }) => state));
  const phases = new Set(geometry.intervals.map(({ phase }) => phase));
  const signs: readonly (readonly [used: boolean, meaning: string])[] = [
    [phases.has("waiting"), "thin bar: waiting"],
    [phases.has("inside"), "box: inside the critical section"],
    [phases.has("paused"), "hatched: paused"],
    [phases.has("crashed"), "broken lane: crashed"],
    [states.has("late"), "amber dashes: held back"],
    [states.has("duplicate"), "dots: second copy"],
    [states.has("lost"), "red cross: lost"],
    [states.has("in flight"), "dotted end: still on its way"],
    [geometry.messages.some(({ backwards }) => backwards), "red arrow to the left: clocks disagree"],
  ];
  return signs.filter(([used]) => used).map(([, meaning]) => meaning);
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

/** One glyph for each place: of several events in one step the most telling. All their words are in its tooltip. */
function eventGlyphs(trace: Trace, plot: Plot, options: SvgOptions): string {
  const { geometry, cone } = plot;
  const places = new Map<
    string,
    { kind: GlyphKind; x: number; lane: number; lit: boolean; self: boolean; words: string[] }
  >();
  trace.events.forEach((event, index) => {
    const lane = geometry.lane[index] ?? -1;
    const kind = geometry.glyphs[index] ?? "none";
    if (lane < 0 || !plot.visible(index)) return;
    const x = plot.px(geometry.x[index] ?? 0);
    const key = `${lane} ${x.toFixed(1)}`;
    const light = cone?.light(event);
    const place = places.get(key) ?? { kind: "none", x, lane, lit: false, self: false, words: [] };
    if (GLYPH_ORDER.indexOf(kind) > GLYPH_ORDER.indexOf(place.kind)) place.kind = kind;
    place.lit ||= light !== "concurrent";
    place.self ||= light === "self";
    place.words.push(`${idOf(event)} ${event.process} ${eventText(event, options)}`);
    places.set(key, place);
  });
  return [...places.values()]
    .sort((a, b) => GLYPH_ORDER.indexOf(a.kind) - GLYPH_ORDER.indexOf(b.kind))
    .map(({ kind, x, lane, lit, self, words }) => {
      const y = plot.py(lane);
      const ring =
        self || lane >= HUES
          ? element("circle", { cx: x, cy: y, r: 9, class: `line s-${self ? "ink" : hueOf(lane)}` })
          : "";
      const drawn = glyph(self && kind === "none" ? "local" : kind, x, y, hueOf(lane));
      if (drawn === "") return "";
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
