export * from "./broadcast/causal-broadcast.js";
export * from "./links/index.js";
export * from "./mutex/mutex.js";
export * from "./mutex/ricart-agrawala.js";
export * from "./services/calculator.js";
export * from "./services/chat.js";
export * from "./services/chat-hall.js";
export * from "./services/chat-messages.js";
export { CHAT_DEFAULTS, chatOptions, type ChatOptions } from "./services/chat-options.js";
export * from "./services/chat-rules.js";
export * from "./services/hello.js";
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
export { REPEAT_TIMERS } from "./services/request-reply-client.js";
export { withoutClient } from "./services/request-reply-server.js";
export type { Handled, Parameter, Service } from "./services/service.js";
