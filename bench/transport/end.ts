import type { Link, Linker } from "./link.js";
import { ours } from "./ours.js";
import { raw } from "./raw.js";

// One of the two processes: `end.js server|client ours|raw ADDRESS FRAME_BYTES IN_FLIGHT MS`; IN_FLIGHT 0 is one way.
// The server reports its address; then whoever receives reports how many frames came per second.

const [role, kind, address = "0", frameBytes, inFlight, ms] = process.argv.slice(2);
const linker: Linker = kind === "raw" ? raw : ours;
const frame = new Uint8Array(Number(frameBytes)).fill(7);
const echo = Number(inFlight) > 0;

// Left out of the count while the machine warms up.
const WARM_UP_MS = 300;
const BURST = 512;

if (role === "server") {
  const listening = await linker.listen(address, (link) => {
    if (echo) link.receive((bytes, start, end) => void link.send(bytes, start, end));
    else countFrames(link, () => {});
  });
  process.send?.({ address: listening });
} else {
  const link = await linker.dial(address);
  if (echo) {
    countFrames(link, () => void link.send(frame, 0, frame.length));
    for (let i = 0; i < Number(inFlight); i++) link.send(frame, 0, frame.length);
  } else {
    countFrames(link, () => {});
    await flood(link);
  }
}

// The parent ends both; an orphan ends itself.
process.on("disconnect", () => process.exit());

async function flood(link: Link): Promise<void> {
  for (;;) {
    let room = true;
    for (let i = 0; i < BURST; i++) room = link.send(frame, 0, frame.length);
    if (!room) await link.drained();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

function countFrames(link: Link, onFrame: () => void): void {
  let frames = 0;
  let since = 0;
  const begun = performance.now();
  link.receive((_bytes, start, end) => {
    if (end - start !== frame.length) throw new Error(`a frame of ${end - start} bytes arrived`);
    frames++;
    onFrame();
    if ((frames & 0x3f) !== 0) return;
    const now = performance.now();
    if (since === 0) {
      if (now - begun < WARM_UP_MS) return;
      since = now;
      frames = 0;
    } else if (now - since >= Number(ms)) {
      process.send?.({ framesPerSecond: (frames * 1000) / (now - since) });
      since = Infinity;
    }
  });
}
