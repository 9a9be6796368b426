export * from "./broadcast/causal-broadcast.js";
export * from "./clock-sync/berkeley.js";
export type { BerkeleyMessage } from "./clock-sync/berkeley-messages.js";
export { BERKELEY_DEFAULTS, type BerkeleyOptions } from "./clock-sync/berkeley-options.js";
export { secondsText, type ClockOutput, type RoundId, type SlewRule } from "./clock-sync/corrected-clock.js";
export { faultTolerantAverage, GAMMA_MAX, type Average } from "./clock-sync/fault-tolerant-average.js";
export * from "./clock-sync/cristian.js";
export * from "./clock-sync/intersection.js";
export * from "./clock-sync/lundelius-lynch.js";
export * from "./clock-sync/ntp.js";
export {
  sampleOf,
  type Sample,
  type TimeMessage,
  type TimeOptions,
  type TimeOutput,
} from "./clock-sync/time-server.js";
export * from "./election/bully.js";
export * from "./election/chang-roberts.js";
export * from "./election/election.js";
export * from "./election/hirschberg-sinclair.js";
export * from "./links/index.js";
export * from "./mutex/coordinator.js";
export * from "./mutex/lamport.js";
export * from "./mutex/maekawa.js";
export * from "./mutex/mutex.js";
export * from "./mutex/quorums.js";
export * from "./mutex/raymond.js";
export * from "./mutex/ricart-agrawala.js";
export * from "./mutex/roucairol-carvalho.js";
export * from "./mutex/suzuki-kasami.js";
export * from "./mutex/token-ring.js";
export * from "./services/calculator.js";
export * from "./services/chat.js";
export * from "./services/chat-hall.js";
export * from "./services/chat-messages.js";
export { CHAT_DEFAULTS, chatOptions, type ChatOptions } from "./services/chat-options.js";
export * from "./services/chat-rules.js";
export * from "./services/hello.js";
export * from "./services/random-numbers.js";
export * from "./services/request-reply.js";
export * from "./services/request-reply-messages.js";
export {
  CALL_MODES,
  callMode,
  keepsReplies,
  REQUEST_REPLY_DEFAULTS,
  type CallMode,
  type RequestReplyOptions,
} from "./services/request-reply-options.js";
export {
  ClientRole,
  JITTER,
  RESTARTED,
  type Call,
  type ClientEffects,
  type ClientState,
} from "./services/request-reply-client.js";
export {
  ServerRole,
  type ClientRecord,
  type ServerEffects,
  type ServerState,
} from "./services/request-reply-server.js";
export { savedOf, serverFrom } from "./services/request-reply-drafts.js";
export * from "./services/stream-part.js";
export { rangeOf, unknownMethod } from "./services/service.js";
export type { ByteRange, BytesService, Handled, Parameter, Service } from "./services/service.js";
