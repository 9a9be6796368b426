import type { Trace, TraceEvent } from "../trace/index.js";
import { describeMessage, type Describe } from "./describe.js";
import type { MessageSegment } from "./geometry.js";
import { dropReasonText } from "./messages.js";
import { hueOf, type LabelRoom, type Plot } from "./svg-plot.js";
import { element, xmlText } from "./svg-writer.js";
import { shortDuration } from "./time-scale.js";

/** A message that stops short of a lane does so after this part of the way. */
const LOST_AFTER = 0.55;
const ARROW_LENGTH = 8;
/** Arrowheads end where a glyph's edge is. */
const GLYPH_RADIUS = 5;
/** More labels than this cover the arrows they name. */
const LABELS_MAX = 80;

/** All messages with an end in the drawn part, as arrows, lost ones on top. */
export function messageArrows(
  trace: Trace,
  plot: Plot,
  room: LabelRoom,
  describe: Describe = describeMessage,
): string {
  const shown = plot.geometry.messages.filter(
    ({ send, receive }) => plot.visible(send) || (receive !== undefined && plot.visible(receive)),
  );
  const told = shown.map((segment) => {
    const send = trace.events[segment.send];
    return { segment, send, description: describe(send?.kind === "send" ? send.message : undefined) };
  });
  const labelled = told.filter(({ description }) => !description.chatter).length <= LABELS_MAX;
  const ranked = told.sort((a, b) => rank(a.segment) - rank(b.segment) || a.segment.send - b.segment.send);
  return ranked
    .map(({ segment, send, description: { label, short, chatter } }) => {
      const light = lightOf(plot, trace, segment);
      const arrow = arrowOf(segment, plot, light, chatter);
      const words = segment.state === "delivered" ? label : `${label} · ${fateOf(trace, segment)}`;
      const title = element("title", {}, xmlText(`${send?.process ?? "?"} → ${receiver(send)}: ${words}`));
      const text =
        labelled && !chatter && light !== "dim" ? labelOf(short ?? label, trace, segment, plot, room) : "";
      return element("g", light === "dim" ? { class: "dim" } : {}, title + arrow + text);
    })
    .join("\n");
}

type Lit = "plain" | "past" | "future" | "dim";

function lightOf(plot: Plot, trace: Trace, segment: MessageSegment): Lit {
  const { cone } = plot;
  if (cone === undefined) return "plain";
  const send = trace.events[segment.send];
  const receive = segment.receive === undefined ? undefined : trace.events[segment.receive];
  const arrived = receive === undefined ? "concurrent" : cone.light(receive);
  if (arrived === "past" || arrived === "self") return "past";
  const sent = send === undefined ? "concurrent" : cone.light(send);
  return sent === "future" || sent === "self" ? "future" : "dim";
}

function rank({ state }: MessageSegment): number {
  return state === "lost" ? 2 : state === "late" || state === "in flight" ? 1 : 0;
}

function receiver(send: TraceEvent | undefined): string {
  return send?.kind === "send" ? send.to : "?";
}

function fateOf(trace: Trace, segment: MessageSegment): string {
  const drop = segment.drop === undefined ? undefined : trace.events[segment.drop];
  return drop?.kind === "drop" ? dropReasonText(drop.reason, drop.from, drop.to) : segment.state;
}

interface Ends {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

function endsOf(segment: MessageSegment, { px, py }: Plot): Ends {
  const x1 = px(segment.x1);
  const y1 = py(segment.fromLane);
  const y2 = py(segment.toLane);
  if (segment.state !== "lost") return { x1, y1, x2: px(segment.x2), y2 };
  // Nothing says how far it came: it is drawn as if it had been on its way for as long as others take.
  const across = Math.max(px(segment.x2) - x1, 30);
  return { x1, y1, x2: x1 + across, y2: y1 + (y2 - y1) * LOST_AFTER };
}

function arrowOf(segment: MessageSegment, plot: Plot, light: Lit, chatter: boolean): string {
  const ends = endsOf(segment, plot);
  const { x1, y1, x2, y2 } = ends;
  const colour = colourOf(segment, light);
  const dash = segment.state === "late" ? " dash" : segment.state === "duplicate" ? " dots" : "";
  const width = chatter ? 0.8 : 1.5;
  const stroke = { class: `line s-${colour}${dash}`, "stroke-width": width };
  if (segment.state === "lost") {
    const cross = `M${round(x2 - 5)} ${round(y2 - 5)}l10 10m0 -10l-10 10`;
    return line(ends, stroke) + element("path", { d: cross, class: "line s-lost", "stroke-width": 2.2 });
  }
  if (segment.state === "in flight") {
    const x = x1 + (x2 - x1) * 0.6;
    const y = y1 + (y2 - y1) * 0.6;
    return (
      line({ x1, y1, x2: x, y2: y }, stroke) +
      line({ x1: x, y1: y, x2, y2 }, { ...stroke, class: `${stroke.class} dots` }) +
      element("circle", { cx: x, cy: y, r: 3, class: `f-${colour}` })
    );
  }
  const length = Math.max(1, Math.hypot(x2 - x1, y2 - y1));
  const ux = (x2 - x1) / length;
  const uy = (y2 - y1) / length;
  const tip = { x: x2 - ux * GLYPH_RADIUS, y: y2 - uy * GLYPH_RADIUS };
  const back = { x: tip.x - ux * ARROW_LENGTH, y: tip.y - uy * ARROW_LENGTH };
  const side = ARROW_LENGTH * 0.38;
  const corners = [
    `${round(tip.x)},${round(tip.y)}`,
    `${round(back.x - uy * side)},${round(back.y + ux * side)}`,
    `${round(back.x + uy * side)},${round(back.y - ux * side)}`,
  ];
  const head = element("polygon", { points: corners.join(" "), class: `f-${colour}` });
  return line({ x1, y1, x2: back.x, y2: back.y }, stroke) + head;
}

function colourOf(segment: MessageSegment, light: Lit): string {
  if (segment.backwards || segment.state === "lost") return "lost";
  if (segment.state === "late" && light === "plain") return "late";
  if (light === "dim") return "quiet";
  return light === "plain" ? hueOf(segment.fromLane) : light;
}

/** The label beside its arrow, at the first place along it where there is room; empty when there is none. */
function labelOf(label: string, trace: Trace, segment: MessageSegment, plot: Plot, room: LabelRoom): string {
  const { x1, y1, x2, y2 } = endsOf(segment, plot);
  const send = trace.events[segment.send];
  const receive = segment.receive === undefined ? undefined : trace.events[segment.receive];
  const took = send !== undefined && receive !== undefined ? receive.at - send.at : 0;
  const text = segment.state === "late" ? `${label} +${shortDuration(took)}` : label;
  // Advance of the 11 pixel monospaced font; a measured one would need a renderer.
  const width = text.length * 6.7;
  for (const part of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]) {
    const x = x1 + (x2 - x1) * part;
    const y = y1 + (y2 - y1) * part;
    if (!room.take(x, y, width)) continue;
    const colour = segment.state === "lost" ? "lost" : segment.state === "late" ? "late" : "ink";
    return element("text", { x, y: y + 4, class: `mono mid halo f-${colour}` }, xmlText(text));
  }
  return "";
}

function line({ x1, y1, x2, y2 }: Ends, attributes: Readonly<Record<string, string | number>>): string {
  return element("line", { x1, y1, x2, y2, ...attributes });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
