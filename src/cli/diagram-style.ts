import type { Style } from "../diagram/index.js";
import type { Terminal, Tone } from "./terminal.js";

/** How a text diagram looks on this terminal. */
export function diagramStyle(terminal: Terminal): Style {
  return (text, kind) => terminal.style(text, TONES[kind]);
}

const TONES: Readonly<Record<Parameters<Style>[1], Tone>> = {
  time: "faint",
  name: "strong",
  lane: "faint",
  waiting: "warm",
  inside: "good",
  paused: "faint",
  crashed: "bad",
  arrow: "accent",
  label: "plain",
  mark: "strong",
  lost: "bad",
  fault: "bad",
  fold: "faint",
  note: "faint",
  star: "bad",
  end: "faint",
  legend: "faint",
};
