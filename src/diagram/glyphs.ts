import { escapeText } from "../core/index.js";
import type { Phase } from "./phases.js";
import type { Mark } from "./step.js";

/** The characters of a text diagram; each takes one column. */
export interface Glyphs {
  readonly lane: Readonly<Record<Phase, string>>;
  /** Where an arrow passes a lane. */
  readonly crossing: Readonly<Record<Phase, string>>;
  readonly mark: Readonly<Record<Exclude<Mark, "note">, string>>;
  readonly local: string;
  readonly send: string;
  readonly line: Readonly<Record<"now" | "earlier" | "copy", string>>;
  readonly right: string;
  readonly left: string;
  readonly rightLater: string;
  readonly leftLater: string;
  readonly lost: string;
  readonly fault: string;
  readonly faultCrossing: string;
  readonly fold: string;
  readonly star: string;
  readonly more: string;
}

export const UNICODE: Glyphs = {
  lane: { idle: "│", waiting: "┆", inside: "┃", paused: "░", crashed: " " },
  crossing: { idle: "┼", waiting: "┼", inside: "╂", paused: "┼", crashed: "─" },
  mark: {
    command: "◆",
    defer: "‖",
    pause: "░",
    resume: "│",
    restart: "↻",
    crash: "✕",
    exit: "┻",
    enter: "┳",
  },
  local: "○",
  send: "●",
  line: { now: "─", earlier: "╌", copy: "·" },
  right: "▶",
  left: "◀",
  rightLater: "▷",
  leftLater: "◁",
  lost: "✕",
  fault: "═",
  faultCrossing: "╪",
  fold: "⋮",
  star: "★",
  more: "…",
};

export const ASCII: Glyphs = {
  lane: { idle: "|", waiting: ":", inside: "#", paused: "%", crashed: " " },
  crossing: { idle: "+", waiting: "+", inside: "#", paused: "%", crashed: "-" },
  mark: {
    command: "*",
    defer: "!",
    pause: "%",
    resume: "|",
    restart: "^",
    crash: "X",
    exit: "#",
    enter: "#",
  },
  local: "o",
  send: "o",
  line: { now: "-", earlier: "~", copy: "." },
  right: ">",
  left: "<",
  rightLater: ")",
  leftLater: "(",
  lost: "x",
  fault: "=",
  faultCrossing: "=",
  fold: ".",
  star: "@",
  more: "~",
};

/** Text from a trace made safe for a terminal; for one that shows ASCII alone, also spelled in ASCII. */
export function terminalText(text: string, ascii: boolean): string {
  const safe = escapeText(text);
  if (!ascii) return safe;
  return safe
    .replaceAll("“", '"')
    .replaceAll("”", '"')
    .replaceAll("…", "...")
    .replaceAll("→", "->")
    .replaceAll("·", "-")
    .replace(/[^ -~]/gu, (found) => {
      const code = found.codePointAt(0) ?? 0;
      return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
    });
}
