export type { Authority, CertificateRequest, Certified } from "./certificates.js";
export { CERTIFICATE_DAYS, createAuthority } from "./certificates.js";
export { watchDescriptors } from "./descriptor-watch.js";
export { createFifoTransport, fifo, fifoAddress, parseFifoAddress } from "./fifo.js";
export {
  identifyFifo,
  makeFifos,
  openFifo,
  removeFifo,
  type FifoAccess,
  type FifoIdentity,
  type FifoOthers,
} from "./fifo-file.js";
export { hostPortAddress, listensAt, parseToDial } from "./host-port.js";
export type { MemoryOptions } from "./memory.js";
export { createMemoryTransport } from "./memory.js";
export { nodeCrc32, nodeText, shareFrame } from "./platform.js";
export type { StreamOptions } from "./stream-transport.js";
export { createTcpTransport, parseTcpAddress, tcp } from "./tcp.js";
export type { TlsOptions } from "./tls.js";
export { createTlsTransport } from "./tls.js";
export * from "./transport.js";
export type { TransportErrorCode } from "./transport-error.js";
export { dialError, listenError, systemCode, TransportError } from "./transport-error.js";
export type { UdpTransport } from "./udp.js";
export { createUdpTransport, udp } from "./udp.js";
export type { UdpCounters, UdpOptions } from "./udp-options.js";
export { createUdsTransport, parseUdsAddress, SOCKET_PATH_BYTES_MAX, uds, udsAddress } from "./uds.js";
export type { WebSocketOptions } from "./websocket.js";
export { createWebSocketTransport, parseWebSocketAddress, ws } from "./websocket.js";
