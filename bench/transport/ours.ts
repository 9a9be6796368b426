import type { Connection, Transport } from "../../dist/transports/index.js";
import { tcp, uds, udsAddress } from "../../dist/transports/index.js";
import type { Linker } from "./link.js";

/** The transports as a host uses them: handshake, checksums, limits and all. */
export const ours: Linker = {
  async listen(address, accept) {
    const listener = await transport(address).listen(
      address.startsWith("/") ? udsAddress(address) : `tcp://127.0.0.1:${address}`,
      (connection: Connection) => accept(connection),
    );
    return address.startsWith("/") ? address : listener.address.slice("tcp://127.0.0.1:".length);
  },

  dial: (address) =>
    transport(address).dial(address.startsWith("/") ? udsAddress(address) : `tcp://127.0.0.1:${address}`),
};

function transport(address: string): Transport {
  return address.startsWith("/") ? uds : tcp;
}
