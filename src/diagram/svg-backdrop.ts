import type { LaneInterval, PartitionSpan } from "./geometry.js";
import type { LightCone } from "./light-cone.js";
import { hueOf, type LabelRoom, type Plot } from "./svg-plot.js";
import { element, xmlText } from "./svg-writer.js";
import { shortDuration } from "./time-scale.js";

/** Lanes, with gaps where their process is down. */
export function laneLines(plot: Plot): string {
  return plot.geometry.processes
    .map((_, lane) => {
      const y = plot.py(lane);
      const down = plot.geometry.intervals.filter((one) => one.lane === lane && one.phase === "crashed");
      const whole = element("line", {
        x1: 0,
        y1: y,
        x2: plot.width,
        y2: y,
        class: "lane",
        "stroke-width": 1.5,
      });
      const gaps = down.map(({ x1, x2 }) => {
        const span = { x1: plot.px(x1), y1: y, x2: plot.px(x2), y2: y };
        return (
          element("line", { ...span, class: "halo", "stroke-width": 4 }) +
          element("line", { ...span, class: "line s-lost dash", "stroke-opacity": 0.6 })
        );
      });
      return whole + gaps.join("");
    })
    .join("\n");
}

/** Waiting as a thin bar, inside as an outlined box with its length, paused as hatching. */
export function intervalBars(plot: Plot, room: LabelRoom): string {
  return plot.geometry.intervals.map((interval) => intervalBar(interval, plot, room)).join("\n");
}

function intervalBar(interval: LaneInterval, plot: Plot, room: LabelRoom): string {
  const { lane, phase } = interval;
  const x = plot.px(interval.x1);
  const width = Math.max(1, plot.px(interval.x2) - x);
  const y = plot.py(lane);
  if (x > plot.width || x + width < 0) return "";
  switch (phase) {
    case "waiting":
      return element("rect", { x, y: y - 3, width, height: 6, class: `f-${hueOf(lane)}`, opacity: 0.32 });
    case "inside": {
      const half = Math.min(13, plot.laneHeight / 3);
      const box = { x, y: y - half, width, height: half * 2, rx: 4, "stroke-width": 1.5 };
      const hue = hueOf(lane);
      const fill = element("rect", { ...box, class: `f-${hue} s-${hue}`, "fill-opacity": 0.2 });
      const text =
        plot.geometry.axis === "physical" ? `inside ${shortDuration(interval.x2 - interval.x1)}` : "inside";
      const above = y - half - 8;
      const long = text.length * 6.8;
      const middle = Math.min(Math.max(x + width / 2, long / 2 + 3), plot.width - long / 2 - 3);
      if (!room.take(middle, above, long)) return fill;
      const label = { x: middle, y: above + 4, class: `mono mid halo f-${hue}` };
      return fill + element("text", label, text);
    }
    case "paused":
      return hatch(x, y - 9, width, 18, "quiet");
    case "crashed":
      return "";
  }
}

/** A partition as red hatching over those it cuts off and a fence between the groups; other faults as a band. */
export function partitionBands(plot: Plot, room: LabelRoom): string {
  return plot.geometry.partitions.map((span) => partitionBand(span, plot, room)).join("\n");
}

function partitionBand(span: PartitionSpan, plot: Plot, room: LabelRoom): string {
  const x = plot.px(span.x1);
  const width = Math.max(2, plot.px(span.x2) - x);
  if (x > plot.width || x + width < 0) return "";
  const groupOf = new Map(span.groups.flatMap((group, place) => group.map((lane) => [lane, place] as const)));
  const largest = span.groups.reduce((most, group) => Math.max(most, group.length), 0);
  const majority = span.groups.findIndex((group) => group.length === largest);
  const half = plot.laneHeight / 2;
  const parts: string[] = [];
  plot.geometry.processes.forEach((_, lane) => {
    const group = groupOf.get(lane);
    const top = plot.py(lane) - half;
    if (group !== undefined && group !== majority) parts.push(hatch(x, top, width, plot.laneHeight, "lost"));
    if (lane > 0 && group !== groupOf.get(lane - 1) && span.groups.length > 0) {
      const fence = { x1: x, y1: top, x2: x + width, y2: top };
      parts.push(element("line", { ...fence, class: "line s-lost dash", "stroke-width": 2 }));
    }
  });
  const label = bandLabel(span.text, x, plot, room);
  const edges = [x, x + width].map((at) =>
    element("line", { x1: at, y1: 0, x2: at, y2: plot.height, class: "line s-lost", "stroke-opacity": 0.35 }),
  );
  return parts.join("") + edges.join("") + label;
}

/** Below the lanes, where the band begins; where another label is, its words are in the tooltip alone. */
function bandLabel(text: string, begins: number, plot: Plot, room: LabelRoom): string {
  const title = element("title", {}, xmlText(text));
  const long = text.length * 6.2;
  const x = Math.max(4, Math.min(begins + 4, plot.width - long - 4));
  if (!room.takeBelow(x, long)) return element("g", {}, title);
  return element("text", { x, y: plot.height - 6, class: "small halo f-lost" }, title + xmlText(text));
}

/** Diagonal lines inside a box, clipped by a nested picture: no ids, so that two diagrams can share a page. */
function hatch(x: number, y: number, width: number, height: number, colour: string): string {
  const spacing = Math.max(8, width / 400);
  let lines = "";
  for (let at = -height; at < width; at += spacing) {
    lines += `M${Math.round(at)} ${Math.round(height)}l${Math.round(height)} ${Math.round(-height)}`;
  }
  const box = element("rect", { width, height, class: `f-${colour}`, opacity: 0.06 });
  const strokes = element("path", {
    d: lines,
    class: `line s-${colour}`,
    "stroke-width": 1,
    "stroke-opacity": 0.3,
  });
  return element("svg", { x, y, width, height }, box + strokes);
}

/** Past in gold and future in cyan, as regions with smooth edges through each lane's cut. */
export function coneRegions(
  plot: Plot,
  cone: LightCone,
  xOf: (lane: number, number: number) => number,
): string {
  const lanes = plot.geometry.processes.length;
  const past: number[] = [];
  const future: number[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const last = cone.past[lane] ?? 0;
    past.push(last === 0 ? -20 : plot.px(xOf(lane, last)));
    const first = cone.future[lane];
    future.push(first === undefined ? plot.width + 20 : plot.px(xOf(lane, first)));
  }
  const { counts } = cone;
  return (
    region(plot, past, -20, "past") +
    region(plot, future, plot.width + 20, "future") +
    element("text", { x: 8, y: 16, class: "small halo f-past" }, `CAUSAL PAST · ${counts.past}`) +
    element(
      "text",
      { x: plot.width / 2, y: 16, class: "small mid halo f-quiet" },
      `CONCURRENT · ${counts.concurrent}`,
    ) +
    element(
      "text",
      { x: plot.width - 8, y: 16, class: "small end halo f-future" },
      `CAUSAL FUTURE · ${counts.future}`,
    )
  );
}

function region(plot: Plot, cut: readonly number[], edge: number, colour: string): string {
  const points = cut.map((x, lane) => ({ x, y: plot.py(lane) }));
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return "";
  let curve = `${round(first.x)} 0L${round(first.x)} ${round(first.y)}`;
  points.slice(1).forEach((to, place) => {
    const from = points[place] ?? first;
    const bend = (to.y - from.y) / 2;
    curve += `C${round(from.x)} ${round(from.y + bend)} ${round(to.x)} ${round(to.y - bend)} ${round(to.x)} ${round(to.y)}`;
  });
  curve += `L${round(last.x)} ${round(plot.height)}`;
  return (
    element("path", {
      d: `M${edge} 0L${curve}L${edge} ${round(plot.height)}z`,
      class: `f-${colour}`,
      opacity: 0.13,
    }) + element("path", { d: `M${curve}`, class: `line s-${colour}`, "stroke-opacity": 0.8 })
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
