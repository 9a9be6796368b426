import type { GlyphKind } from "./geometry.js";
import { glyph } from "./svg-glyphs.js";
import type { Plot } from "./svg-plot.js";
import { element, xmlText } from "./svg-writer.js";

/** The signs under a picture, broken into lines. */
export interface SvgLegend {
  /** In pixels. */
  readonly height: number;
  /** Markup, its upper edge at `y`. */
  at(y: number): string;
}

const LINE_HEIGHT = 18;
const GLYPH_WIDTH = 16;
const GAP = 18;
/** Average advance of the 11 pixel font. */
const LETTER = 6;

/** What glyphs, lines and bars mean, as far as the picture has them. `glyphs` are those that were drawn. */
export function svgLegend(
  plot: Plot,
  glyphs: ReadonlySet<GlyphKind>,
  left: number,
  width: number,
): SvgLegend {
  const items = [
    ...GLYPHS.filter(([kind]) => glyphs.has(kind)).map(([kind, words]) => ({ kind, words })),
    ...linesIn(plot).map((words) => ({ kind: undefined, words })),
  ];
  const placed: { readonly x: number; readonly line: number; readonly item: (typeof items)[number] }[] = [];
  let x = 0;
  let line = 0;
  for (const item of items) {
    const taken = (item.kind === undefined ? 0 : GLYPH_WIDTH) + item.words.length * LETTER;
    if (x > 0 && x + taken > width) {
      x = 0;
      line++;
    }
    placed.push({ x: left + x, line, item });
    x += taken + GAP;
  }
  return {
    height: (line + 1) * LINE_HEIGHT,
    at: (y) =>
      placed
        .map(({ x: from, line: row, item: { kind, words } }) => {
          const base = y + row * LINE_HEIGHT + 12;
          const sign = kind === undefined ? "" : glyph(kind, from + 6, base - 4, "quiet");
          const text = { x: from + (kind === undefined ? 0 : GLYPH_WIDTH), y: base, class: "small f-quiet" };
          return sign + element("text", text, xmlText(words));
        })
        .join("\n"),
  };
}

const GLYPHS: readonly (readonly [kind: GlyphKind, words: string])[] = [
  ["message", "sends or receives"],
  ["duplicate", "second copy arrives"],
  ["local", "acts by itself"],
  ["request", "told to act, or asks"],
  ["defer", "makes somebody wait"],
  ["enter", "enters"],
  ["exit", "leaves"],
  ["crash", "crashes"],
  ["restart", "restarts"],
  ["violation", "evidence"],
];

function linesIn({ geometry, visible, cone, px, width }: Plot): string[] {
  const inside = ({ x1, x2 }: { readonly x1: number; readonly x2: number }): boolean =>
    px(x1) <= width && px(x2) >= 0;
  const messages = geometry.messages.filter(
    ({ send, receive }) => visible(send) || (receive !== undefined && visible(receive)),
  );
  const states = new Set(messages.map(({ state }) => state));
  const phases = new Set(geometry.intervals.filter(inside).map(({ phase }) => phase));
  const signs: readonly (readonly [used: boolean, meaning: string])[] = [
    [phases.has("waiting"), "thin bar: waiting"],
    [phases.has("inside"), "box: inside the critical section"],
    [phases.has("paused"), "hatched: paused"],
    [phases.has("crashed"), "broken lane: crashed"],
    [states.has("late"), "amber dashes: held back"],
    [states.has("duplicate"), "dots: second copy"],
    [states.has("lost"), "red cross: lost"],
    [states.has("in flight"), "dotted end: still on its way"],
    [messages.some(({ backwards }) => backwards), "red arrow to the left: clocks disagree"],
    [geometry.partitions.some(inside), "red bands: the network is disturbed"],
    [cone !== undefined, "ringed: the event itself"],
  ];
  return signs.filter(([used]) => used).map(([, meaning]) => meaning);
}
