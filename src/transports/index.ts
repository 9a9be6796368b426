export type { MemoryOptions } from "./memory.js";
export { createMemoryTransport } from "./memory.js";
export { nodeCrc32, nodeText } from "./platform.js";
export type { StreamOptions } from "./stream-transport.js";
export { createTcpTransport, parseTcpAddress, tcp } from "./tcp.js";
export * from "./transport.js";
export type { TransportErrorCode } from "./transport-error.js";
export { TransportError } from "./transport-error.js";
export { createUdsTransport, parseUdsAddress, SOCKET_PATH_BYTES_MAX, uds, udsAddress } from "./uds.js";
