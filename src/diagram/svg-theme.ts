/** Colours of one theme. Gold means past and cyan future, everywhere; red lost, amber late. */
interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
  readonly rule: string;
  readonly past: string;
  readonly future: string;
  readonly lost: string;
  readonly late: string;
  readonly hues: readonly string[];
}

const LIGHT: Palette = {
  paper: "#ffffff",
  ink: "#172033",
  quiet: "#64708a",
  rule: "#e3e7ef",
  past: "#c97a06",
  future: "#0a84b5",
  lost: "#cf2230",
  late: "#9a5b00",
  hues: ["#2b5bd7", "#b3194b", "#0b7a4b", "#6b30c4", "#a8327d", "#5b6b00", "#7a4424", "#3d5a80"],
};

const DARK: Palette = {
  paper: "#0f1420",
  ink: "#e8ecf6",
  quiet: "#94a0ba",
  rule: "#253048",
  past: "#f5b042",
  future: "#43c3ef",
  lost: "#ff6b74",
  late: "#f0a63a",
  hues: ["#7aa2ff", "#ff7a9c", "#4fd08f", "#b794ff", "#f092d2", "#b9c25a", "#d9a37a", "#9db8d9"],
};

/** Processes beyond so many repeat the hues, with a ring around their glyphs. */
export const HUES = LIGHT.hues.length;

/** The style sheet of a diagram: light, and dark where the reader prefers it. Plain rules, since some renderers know no variables. */
export function styleSheet(): string {
  return [
    "text{font-family:ui-sans-serif,system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px}",
    ".mono{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11px}",
    ".name{font-size:15px;font-weight:700}.small{font-size:11px}.mid{text-anchor:middle}.end{text-anchor:end}",
    ".halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}",
    ".line{fill:none;stroke-width:1.5}.dim{opacity:.28}",
    ".dash{stroke-dasharray:6 4}.dots{stroke-dasharray:1.5 4;stroke-linecap:round}",
    rules(LIGHT),
    `@media (prefers-color-scheme:dark){${rules(DARK)}}`,
  ].join("\n");
}

function rules(palette: Palette): string {
  const { paper, ink, quiet, rule, past, future, lost, late, hues } = palette;
  const colours: readonly (readonly [name: string, colour: string])[] = [
    ["ink", ink],
    ["quiet", quiet],
    ["past", past],
    ["future", future],
    ["lost", lost],
    ["late", late],
    ...hues.map((hue, place) => [`p${place}`, hue] as const),
  ];
  return [
    `.paper{fill:${paper}}.halo{stroke:${paper}}.rule{stroke:${rule}}.lane{stroke:${quiet};stroke-opacity:.55}`,
    ...colours.map(([name, colour]) => `.f-${name}{fill:${colour}}.s-${name}{stroke:${colour}}`),
  ].join("");
}
