import { randomUUID } from "node:crypto";
import { serve } from "../../dist/host/index.js";
import { hello } from "../../dist/protocols/index.js";
import type { Connection } from "../../dist/transports/index.js";
import { nodeText, tcp, uds } from "../../dist/transports/index.js";
import { ByteWriter, createPlainCodec } from "../../dist/wire/index.js";
import type { Carrier } from "./carrier.js";
import { transportAt, urlOf } from "./ours.js";

const kept: Connection[] = [];
const codec = createPlainCodec(nodeText);
const writer = new ByteWriter();

/** A server of `hello`, whose clients have greeted and been welcomed, and call nothing. */
export const service: Carrier = {
  async listen(address) {
    const server = await serve(hello, { at: urlOf(address), transports: { tcp, uds } });
    return address.startsWith("/") ? address : server.address.slice("tcp://127.0.0.1:".length);
  },

  async dial(address) {
    const connection = await transportAt(address).dial(urlOf(address));
    const welcomed = new Promise<void>((resolve) => connection.receive(() => resolve()));
    writer.clear();
    codec.encode(writer, { kind: "hello", service: "hello", client: randomUUID() });
    connection.send(writer.bytes, 0, writer.end);
    await welcomed;
    kept.push(connection);
  },
};
