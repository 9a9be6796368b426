import { escapeText } from "../core/index.js";

type Attributes = Readonly<Record<string, string | number>>;

/** `<name a="1">inside</name>`; `inside` is markup already, attribute values are text. */
export function element(name: string, attributes: Attributes, inside = ""): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(value)}"`);
  return inside === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${inside}</${name}>`;
}

/** Text as markup: controls and bidirectional marks made visible, the characters of XML as references. */
export function xmlText(text: string): string {
  return escapeText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function attribute(value: string | number): string {
  // A tenth of a pixel is finer than any eye; more digits only make the file longer.
  return typeof value === "number" ? String(Math.round(value * 10) / 10) : xmlText(value);
}
