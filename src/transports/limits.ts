/** Defaults of `ListenOptions` and `DialOptions`. Milliseconds, and a count. */
export const HANDSHAKE_MS_MAX = 2_000;
export const CONNECT_MS_MAX = 10_000;
export const CONNECTIONS_MAX = 10_000;

/** Connections in a handshake of the carrier's own, beyond those that a listener accepts; more are dropped at once. */
export const HANDSHAKES_MAX = 1_024;
