import { createHash } from "node:crypto";
import { connectChat, serveChat, type ChatClient } from "../../dist/host/index.js";
import { nodeText, tcp, uds, type Connection } from "../../dist/transports/index.js";
import { ByteWriter, createPlainCodec } from "../../dist/wire/index.js";

// One process of the chat's benchmark: `end.js ROLE ADDRESS …`. The parent ends it; an orphan ends itself.

const transports = { tcp, uds };
const [role, address = "", ...rest] = process.argv.slice(2);

process.on("disconnect", () => process.exit());

switch (role) {
  case "server":
    await serve(rest[0]);
    break;
  case "members":
    await members(Number(rest[0]));
    break;
  case "receivers":
    await receivers(Number(rest[0]));
    break;
  case "speaker":
    await speak(Number(rest[0]), Number(rest[1]));
    break;
  default:
    throw new Error(`no such role: ${role}`);
}

/** Serves; tells its memory whenever it is asked. */
async function serve(data: string | undefined): Promise<void> {
  const begun = performance.now();
  const server = await serveChat({
    at: address,
    transports,
    ...(data !== undefined && data !== "" && { data }),
  });
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.({ memory: process.memoryUsage().rss, messages: server.messages("lobby") });
  });
  process.send?.({ address: server.address, ms: performance.now() - begun });
}

/** Real members. Each folds what it sees into a number, so that one order shows as one number. */
async function members(count: number): Promise<void> {
  const orders = Array.from({ length: count }, () => ({ messages: 0, order: 0, gaps: 0 }));
  const clients: ChatClient[] = [];
  let joined = 0;
  for (let i = 0; i < count; i++) {
    const seen = orders[i];
    if (seen === undefined) continue;
    const client = await connectChat(address, {
      name: `member ${i}`,
      transports,
      onEvent(event) {
        if (event.kind === "joined") joined++;
        if (event.kind !== "message") return;
        seen.messages++;
        if (event.index !== seen.messages) seen.gaps++;
        seen.order = (Math.imul(seen.order, 31) + hash(event.entry.author) + event.entry.seq) | 0;
      },
    });
    clients.push(client);
  }
  while (joined < count) await new Promise((resolve) => setTimeout(resolve, 10));
  process.send?.({ joined });
  process.on("message", () => {
    const least = Math.min(...orders.map(({ messages }) => messages));
    const different = new Set(orders.map(({ order }) => order)).size;
    const gaps = orders.reduce((sum, each) => sum + each.gaps, 0);
    process.send?.({ least, different, gaps });
  });
}

function hash(text: string): number {
  return createHash("sha256").update(text).digest().readInt32LE(0);
}

/** So many connections that count what they get: the frames' first message and length tell how many are in one. */
async function receivers(count: number): Promise<void> {
  const codec = createPlainCodec(nodeText);
  const writer = new ByteWriter();
  const send = (connection: Connection, value: unknown): void => {
    writer.clear();
    codec.encode(writer, value);
    connection.send(writer.bytes, 0, writer.end);
  };
  let joined = 0;
  let delivered = 0;
  let begun = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const connection = await uds.dial(address);
    let next = 0;
    let told = 0;
    let session = 0;
    connection.receive((bytes, start, end) => {
      if (bytes[start] !== 0x01) {
        const frame = codec.decode(bytes, start, end) as { kind: string; session: number };
        if (frame.kind === "joined") {
          session = frame.session;
          joined++;
        }
        return;
      }
      // Past the index, a varint, and over the messages, each with its length before it.
      let at = start + 1;
      while (((bytes[at++] as number) & 0x80) !== 0);
      let messages = 0;
      while (at < end) {
        let length = 0;
        for (let scale = 1; ; scale *= 128) {
          const byte = bytes[at++] as number;
          length += (byte & 0x7f) * scale;
          if (byte < 0x80) break;
        }
        at += length;
        messages++;
      }
      if (begun === 0) begun = performance.now();
      delivered += messages;
      next += messages;
      last = performance.now();
      if (next - told < 128) return;
      told = next;
      send(connection, { kind: "have", next, missing: false, session, incarnation: 0 });
    });
    send(connection, { kind: "hello", service: "chat", client: `receiver-${i}` });
    send(connection, { kind: "join", room: "lobby", name: `r${i}`, next: 0, oldest: 1, incarnation: 0 });
  }
  while (joined < count) await new Promise((resolve) => setTimeout(resolve, 10));
  process.send?.({ joined });
  process.on("message", () => process.send?.({ delivered, ms: last - begun }));
}

/** Posts so many messages a second, or as fast as they are acknowledged; tells how many were. */
async function speak(total: number, perSecond: number): Promise<void> {
  let posted = 0;
  let lost = 0;
  const text = "x".repeat(40);
  const client = await connectChat(address, {
    name: "speaker",
    transports,
    deadline: "60s",
    onEvent({ kind }) {
      if (kind === "posted") posted++;
      if (kind === "failed" || kind === "unknown") lost++;
    },
  });
  const begun = performance.now();
  let said = 0;
  while (posted + lost < total) {
    const due = perSecond === 0 ? total : Math.min(total, ((performance.now() - begun) * perSecond) / 1000);
    while (said < due && client.pending < 250) client.post(`${++said} ${text}`);
    await (perSecond === 0
      ? new Promise((resolve) => setImmediate(resolve))
      : new Promise((resolve) => setTimeout(resolve, 5)));
  }
  // Its name is for the next one.
  await client.close();
  process.send?.({ posted, lost });
}
