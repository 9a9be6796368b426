export * from "./delayed.js";
export * from "./fifo.js";
export type { PeerRestartAware } from "./peer-restart.js";
export * from "./reliable.js";
export type { ReliableLink, ReliableMessage } from "./reliable-link.js";
export { RELIABLE_DEFAULTS, type ReliableOptions } from "./reliable-options.js";
export type { ReliableState } from "./reliable-step.js";
export type { SequenceRange } from "./sequence-ranges.js";
