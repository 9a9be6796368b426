import { DATAGRAM_OVERHEAD, UDP_BYTES_MAX } from "./udp-datagram.js";

// The varint of a frame's length.
const LENGTH_BYTES_MAX = 3;

/** The longest frame that any datagram has room for. */
export const UDP_FRAME_BYTES_MAX = UDP_BYTES_MAX - DATAGRAM_OVERHEAD - LENGTH_BYTES_MAX;

/** What the transport may be made with; every field has a default. */
export interface UdpOptions {
  /** Longest frame; default 60,000, at most 65,488. One above `datagramBytes` travels in several IP packets. */
  readonly frameBytesMax?: number;
  /** Small frames of one tick share a datagram up to this; default 1,200, which every usual network carries whole. */
  readonly datagramBytes?: number;
  /** From here on `send` returns false; default 1 MiB. Bytes. */
  readonly highWaterBytes?: number;
  /** Beyond it `send` throws `buffer-full`; default 64 MiB. Bytes. */
  readonly bufferBytesMax?: number;
  /** So often each side says that it is there; default 1 s. Milliseconds. */
  readonly heartbeatMs?: number;
  /** A peer that is silent for longer is taken for dead: `reset`; default 3.5 s. Milliseconds. */
  readonly silenceMsMax?: number;
  /** `close` waits so long for the peer to confirm; default 2 s. Milliseconds. */
  readonly closeMsMax?: number;
}

/** Datagrams that were dropped, by why; of all sockets of one transport. */
export interface UdpCounters {
  /** Not ours at all. */
  foreign: number;
  /** The checksum was wrong. */
  damaged: number;
  otherVersion: number;
  /** Whole, but not what a peer may send. */
  malformed: number;
  /** Named a connection that there is not. */
  unknownConnection: number;
  /** Named a connection, but came from elsewhere. */
  wrongSource: number;
  /** Asked for a connection without a good cookie. */
  badCookie: number;
  /** Frames that came before there was a receiver, beyond what is kept for it. */
  overflow: number;
  /** Refused by the system as too long (EMSGSIZE). */
  tooLong: number;
  /** Not taken by the system for another reason. */
  unsent: number;
}

/** What all connections of one transport share. */
export interface UdpShared extends Required<UdpOptions> {
  readonly counters: UdpCounters;
}

export function noneDropped(): UdpCounters {
  return {
    foreign: 0,
    damaged: 0,
    otherVersion: 0,
    malformed: 0,
    unknownConnection: 0,
    wrongSource: 0,
    badCookie: 0,
    overflow: 0,
    tooLong: 0,
    unsent: 0,
  };
}
