import { createPlainCodec, ByteWriter } from "../../dist/wire/index.js";
import { nodeText } from "../../dist/transports/index.js";
import type { Link } from "../transport/link.js";
import { raw as linker } from "../transport/raw.js";
import { record } from "./echo.js";
import type { Side } from "./side.js";

const codec = createPlainCodec(nodeText);

/**
 * What a careful programmer writes by hand on a bare socket: answers come in the order of the questions, nothing is
 * numbered, checked, kept or given up. With an object both ends encode and decode it, and a call is a promise.
 */
export const raw: Side = {
  serve: (_kind, address, payload) =>
    linker.listen(address, (link) => {
      if (payload === "object") answerObjects(link);
      else link.receive((bytes, start, end) => void link.send(bytes, start, end));
    }),

  async connect(_kind, address, payload) {
    const link = await linker.dial(address);
    if (payload === "object") {
      const call = objectCaller(link);
      return (done) => void awaited(call(record), done);
    }
    const bytes = new Uint8Array(Number(payload)).fill(7);
    const waiting = new Queue<() => void>();
    link.receive((_bytes, start, end) => {
      if (end - start !== bytes.length) throw new Error("no echo");
      waiting.shift()?.();
    });
    return (done) => {
      waiting.push(done);
      link.send(bytes, 0, bytes.length);
    };
  },
};

async function awaited(call: Promise<unknown>, done: () => void): Promise<void> {
  await call;
  done();
}

function answerObjects(link: Link): void {
  const writer = new ByteWriter();
  link.receive((bytes, start, end) => {
    const value = codec.decode(bytes, start, end);
    writer.clear();
    codec.encode(writer, value);
    link.send(writer.bytes, 0, writer.end);
  });
}

function objectCaller(link: Link): (value: unknown) => Promise<unknown> {
  const writer = new ByteWriter();
  const waiting = new Queue<(value: unknown) => void>();
  link.receive((bytes, start, end) => waiting.shift()?.(codec.decode(bytes, start, end)));
  return (value) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      writer.clear();
      codec.encode(writer, value);
      link.send(writer.bytes, 0, writer.end);
    });
}

/** First in, first out, at a constant cost. */
class Queue<T> {
  readonly #items: (T | undefined)[] = Array.from({ length: 1024 }, () => undefined);
  #first = 0;
  #end = 0;

  push(item: T): void {
    this.#items[this.#end++ & 1023] = item;
  }

  shift(): T | undefined {
    return this.#items[this.#first++ & 1023];
  }
}
