import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { ByteWriter, createPlainCodec } from "../../dist/wire/index.js";
import type { Pair, Side } from "./side.js";
import type { Message } from "./traffic.js";
import { answer, WINDOW } from "./traffic.js";

/**
 * The same conversation as a careful programmer writes it by hand: the same codec, a length before each message, one
 * write per tick, messages decoded where they arrive. No steps, clocks, checksums or limits.
 */
export const raw: Pair = {
  first: (onListening) =>
    new Promise((resolve) => {
      const server = createServer({ noDelay: true }, (socket) => {
        resolve(new RawLink(socket));
      });
      server.listen(0, "127.0.0.1", () => {
        const bound = server.address();
        onListening(typeof bound === "object" && bound !== null ? String(bound.port) : "");
      });
    }),

  second: (address) =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: Number(address), host: "127.0.0.1", noDelay: true });
      socket.once("connect", () => resolve(new RawLink(socket)));
      socket.once("error", reject);
    }),
};

const LENGTH_BYTES = 4;

class RawLink implements Side {
  readonly #socket: Socket;
  readonly #codec = createPlainCodec();
  readonly #tick = new ByteWriter();
  #scheduled = false;
  #rest: Buffer | undefined;
  #requests = 0;
  #replies = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#parse(chunk));
    for (let timestamp = 1; timestamp <= WINDOW; timestamp++) this.#send({ kind: "request", timestamp });
  }

  received(): number {
    return this.#requests + this.#replies;
  }

  #send(message: Message): void {
    const writer = this.#tick;
    const start = writer.end;
    writer.u32(0);
    this.#codec.encode(writer, message);
    const length = writer.end - start - LENGTH_BYTES;
    writer.bytes[start] = length >>> 24;
    writer.bytes[start + 1] = length >>> 16;
    writer.bytes[start + 2] = length >>> 8;
    writer.bytes[start + 3] = length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#socket.write(this.#tick.copy());
    this.#tick.clear();
  };

  #parse(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const message = this.#codec.decode(bytes, at + LENGTH_BYTES, end) as Message;
      this.#send(answer(message, message.kind === "request" ? ++this.#requests : ++this.#replies));
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }
}
