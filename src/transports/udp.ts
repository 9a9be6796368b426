import { UsageError } from "../core/index.js";
import { parseHostPort, parseToDial } from "./host-port.js";
import type { Transport } from "./transport.js";
import { dialUdp } from "./udp-dial.js";
import { listenUdp } from "./udp-listener.js";
import type { UdpCounters, UdpOptions, UdpShared } from "./udp-options.js";
import { noneDropped, UDP_FRAME_BYTES_MAX } from "./udp-options.js";

/** A transport that also tells what it has dropped. */
export interface UdpTransport extends Transport {
  readonly counters: Readonly<UdpCounters>;
}

/**
 * Datagrams: `udp://HOST:PORT`, IPv6 in brackets. Frames may be lost, doubled and overtaken: run protocols over a
 * reliable link. Not encrypted and not authenticated: for one machine or a trusted network.
 *
 * A connection is a handshake: nothing is kept of a stranger before he has shown a cookie that was sent to his address,
 * and no answer is longer than its question. From then on each side knows the other by address and by an id of 64
 * random bits; whatever else comes is dropped and counted. A peer that is silent for `silenceMsMax` is `reset`, one
 * whose port is closed at once where the system says so (to who dialled). Frames that wait for a receiver when the
 * peer closes are lost.
 */
export function createUdpTransport(options: UdpOptions = {}): UdpTransport {
  const shared: UdpShared = {
    frameBytesMax: options.frameBytesMax ?? 60_000,
    datagramBytes: options.datagramBytes ?? 1_200,
    highWaterBytes: options.highWaterBytes ?? 1024 * 1024,
    bufferBytesMax: options.bufferBytesMax ?? 64 * 1024 * 1024,
    heartbeatMs: options.heartbeatMs ?? 1_000,
    silenceMsMax: options.silenceMsMax ?? 3_500,
    closeMsMax: options.closeMsMax ?? 2_000,
    counters: noneDropped(),
  };
  if (shared.frameBytesMax > UDP_FRAME_BYTES_MAX) {
    throw new UsageError(
      `frameBytesMax ${shared.frameBytesMax}: a datagram has room for a frame of ${UDP_FRAME_BYTES_MAX} bytes`,
    );
  }
  return {
    scheme: "udp",
    promises: { ordered: false, reliable: false, frameBytesMax: shared.frameBytesMax },
    counters: shared.counters,

    async listen(address, accept, listenOptions = {}) {
      return listenUdp(address, parseHostPort("udp", address), accept, listenOptions, shared);
    },

    async dial(address, dialOptions = {}) {
      return dialUdp(address, parseToDial("udp", address), dialOptions, shared);
    },
  };
}

/** The usual one. */
export const udp: Transport = createUdpTransport();
