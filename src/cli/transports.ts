import { fifo, tcp, udp, uds, type TransportTable } from "../transports/index.js";

/** What `--transport` may name. */
export const TRANSPORTS: TransportTable = { tcp, uds, fifo, udp };
