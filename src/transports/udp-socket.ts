import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

// A burst waits here until its process has time to read it; the system may give less. Bytes.
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A socket for addresses of the same family as `host`. Its names have been looked up already, so nothing it sends waits
 * for a name server, or for another tick.
 */
export function udpSocket(host: string): Socket {
  const ipv6 = isIPv6(host);
  return createSocket({
    type: ipv6 ? "udp6" : "udp4",
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    lookup: (name, _options, done) => done(null, name, ipv6 ? 6 : 4),
  });
}

/** Closes it, and resolves when it is gone. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
