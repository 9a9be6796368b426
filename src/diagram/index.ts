export * from "./axis.js";
export * from "./cone.js";
export {
  cut,
  describeMessage,
  LABEL_LENGTH_MAX,
  showValue,
  type Describe,
  type Description,
} from "./describe.js";
export * from "./geometry.js";
export * from "./legend.js";
export * from "./narration.js";
export * from "./phases.js";
export type { Mark, Note } from "./step.js";
export * from "./story.js";
export { storyOf } from "./story-teller.js";
export * from "./svg.js";
export * from "./text.js";
export { type Style, type StyleKind } from "./text-line.js";
export { wrapText } from "./cells.js";
