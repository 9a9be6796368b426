import { uds, udsAddress, type Connection } from "../../dist/transports/index.js";

// `end.js PATH FRAME_BYTES`: sends to a peer that does not read, a frame a tick, until it is told to wait; reports
// by how many bytes the process has grown. The peer is `end.js PATH`.

const [path = "", frameBytes] = process.argv.slice(2);

if (frameBytes === undefined) {
  // Without a receiver it stops reading after 64 KiB.
  await uds.dial(udsAddress(path));
} else {
  await uds.listen(udsAddress(path), (connection) => void fill(connection));
  process.send?.({ answer: "listening" });
}

process.on("disconnect", () => process.exit());

async function fill(connection: Connection): Promise<void> {
  const frame = new Uint8Array(Number(frameBytes));
  const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  for (let sent = 1; connection.send(frame); sent++) {
    await tick();
    if (sent % 1_024 === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  await tick();
  most = Math.max(most, process.memoryUsage.rss());
  process.send?.({ answer: most - before });
}
