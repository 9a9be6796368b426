import { connect, serve } from "../../dist/host/index.js";
import { hello } from "../../dist/protocols/index.js";
import { tcp, uds } from "../../dist/transports/index.js";
import type { Carrier } from "./carrier.js";
import { urlOf } from "./ours.js";

const transports = { tcp, uds };
const kept: unknown[] = [];

/** A server of `hello`, and clients that are ready to call it. */
export const service: Carrier = {
  async listen(address) {
    const server = await serve(hello, { at: urlOf(address), transports });
    return address.startsWith("/") ? address : server.address.slice("tcp://127.0.0.1:".length);
  },

  async dial(address) {
    kept.push(await connect(hello, urlOf(address), { transports }));
  },
};
