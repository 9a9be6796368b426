export * from "./causal-delivery.js";
export * from "./chat.js";
export * from "./checker.js";
export * from "./check-trace.js";
export {
  clockOutput,
  roundOutput,
  masterOutput,
  type ClockOutputRead,
  type RoundOutputRead,
  type RoundRead,
} from "./clock-output.js";
export * from "./clock-monotonic.js";
export {
  clockBound,
  clockPrecision,
  errorMax,
  RoundsKnown,
  type ClockBound,
  type RoundKnown,
} from "./clock-precision.js";
export * from "./clock-rounds.js";
export * from "./clock-tracks.js";
export * from "./clock-witnesses.js";
export * from "./delivery.js";
export * from "./election.js";
export * from "./entry-order.js";
export * from "./every-request-served.js";
export * from "./external-precision.js";
export * from "./fencing-tokens.js";
export * from "./lost-reply.js";
export * from "./message-count.js";
export { mutexOutput, type MutexOutputRead } from "./mutex-output.js";
export * from "./mutual-exclusion.js";
export * from "./offset-accuracy.js";
export * from "./receive-has-send.js";
export * from "./recorded-clocks.js";
export * from "./request-reply.js";
export * from "./told-to-addressee.js";
export * from "./streams-complete.js";
export * from "./trusted-majority.js";
export * from "./witnesses.js";
