import type { Connection } from "../../dist/transports/index.js";
import { tcp, uds, udsAddress } from "../../dist/transports/index.js";
import type { Carrier } from "./carrier.js";

const kept: Connection[] = [];

/** The transports: handshake, checksums, limits and all. */
export const ours: Carrier = {
  async listen(address) {
    const listener = await transportAt(address).listen(urlOf(address), keep);
    return address.startsWith("/") ? address : listener.address.slice("tcp://127.0.0.1:".length);
  },

  async dial(address) {
    keep(await transportAt(address).dial(urlOf(address)));
  },
};

function keep(connection: Connection): void {
  connection.receive(ignore);
  kept.push(connection);
}

function ignore(): void {}

export function transportAt(address: string): typeof tcp {
  return address.startsWith("/") ? uds : tcp;
}

export function urlOf(address: string): string {
  return address.startsWith("/") ? udsAddress(address) : `tcp://127.0.0.1:${address}`;
}
