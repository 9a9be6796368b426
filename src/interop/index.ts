export { connectClassicChat } from "./classic-chat-client.js";
export { CLASSIC_BACKLOG_MAX, serveClassicChat, type ClassicChatOptions } from "./classic-chat-server.js";
export * from "./classic-format.js";
export { CLASSIC_FORMATS } from "./classic-formats.js";
export { parsePythonFloat, pythonFloat } from "./python-float.js";
export * from "./classic-vector-clock.js";
