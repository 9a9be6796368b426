export * from "./broadcast/causal-broadcast.js";
export * from "./links/index.js";
export * from "./mutex/mutex.js";
export * from "./mutex/ricart-agrawala.js";
