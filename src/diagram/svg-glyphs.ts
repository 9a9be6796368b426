import type { GlyphKind } from "./geometry.js";
import { element } from "./svg-writer.js";

/** Where several events share a place the most telling is on top; the order of this list. */
export const GLYPH_ORDER: readonly GlyphKind[] = [
  "none",
  "local",
  "message",
  "duplicate",
  "defer",
  "request",
  "exit",
  "enter",
  "restart",
  "crash",
  "violation",
];

/** A glyph centred on a point, in its process's hue; shapes double every colour. */
export function glyph(kind: GlyphKind, x: number, y: number, hue: string): string {
  switch (kind) {
    case "none":
      return "";
    case "local":
      return element("circle", { cx: x, cy: y, r: 3.5, class: `paper s-${hue}`, "stroke-width": 1.5 });
    case "message":
      return element("circle", { cx: x, cy: y, r: 4, class: `f-${hue}` });
    case "duplicate":
      return element("circle", { cx: x, cy: y, r: 5, class: `paper s-${hue} dots`, "stroke-width": 1.5 });
    case "defer":
      return (
        element("circle", { cx: x, cy: y, r: 6, class: `f-${hue}` }) +
        element("path", {
          d: `M${n(x - 1.8)} ${n(y - 2.6)}v5.2M${n(x + 1.8)} ${n(y - 2.6)}v5.2`,
          class: "line halo",
        })
      );
    case "request":
      return element("path", { d: `M${n(x)} ${n(y - 6)}l6 6l-6 6l-6 -6z`, class: `f-${hue}` });
    case "enter":
      return element("path", { d: `M${n(x - 4)} ${n(y - 6)}l9 6l-9 6z`, class: `f-${hue}` });
    case "exit":
      return element("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9, class: `f-${hue}` });
    case "crash":
      return element("path", {
        d: `M${n(x - 6)} ${n(y - 6)}l12 12M${n(x + 6)} ${n(y - 6)}l-12 12`,
        class: "line s-lost",
        "stroke-width": 2.5,
      });
    case "restart":
      return element("path", {
        d: `M${n(x + 5)} ${n(y - 2)}a5.5 5.5 0 1 0 0.4 4M${n(x + 5.4)} ${n(y - 6.5)}v4.6h-4.6`,
        class: `line s-${hue}`,
        "stroke-width": 2,
      });
    case "violation":
      return element("path", {
        d: `M${n(x)} ${n(y - 9)}l2.6 5.6 6.1 .7 -4.5 4.2 1.2 6 -5.4 -3 -5.4 3 1.2 -6 -4.5 -4.2 6.1 -.7z`,
        class: "f-lost halo",
      });
  }
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
