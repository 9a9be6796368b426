import { ours } from "./ours.js";
import { raw } from "./raw.js";
import type { Caller, Side } from "./side.js";

// One of the two processes: `end.js server|client KIND ADDRESS PAYLOAD IN_FLIGHT MS`. The server reports its address;
// the client reports calls per second, and of calls made one at a time the median microseconds.

const [role = "", kind = "", address = "", payload = "", inFlight = "1", ms = "1000"] = process.argv.slice(2);
const side: Side = kind.startsWith("raw") ? raw : ours;
const WARM_UP_MS = 400;

if (role === "server") process.send?.({ address: await side.serve(kind, address, payload) });
else measure(await side.connect(kind, address, payload));

// The parent ends both; an orphan ends itself.
process.on("disconnect", () => process.exit());

function measure(call: Caller): void {
  const alone = Number(inFlight) === 1;
  const times: number[] = [];
  const begun = performance.now();
  let since = 0;
  let calls = 0;
  let over = false;
  let sent = 0;

  function next(): void {
    if (over) return;
    if (alone) sent = performance.now();
    void call(done);
  }
  function done(): void {
    calls++;
    if (alone || (calls & 0x3f) === 0) look();
    next();
  }
  function look(): void {
    const now = performance.now();
    if (since === 0) {
      if (now - begun < WARM_UP_MS) return;
      since = now;
      calls = 0;
      return;
    }
    if (alone) times.push(now - sent);
    if (now - since < Number(ms)) return;
    over = true;
    times.sort((a, b) => a - b);
    process.send?.({
      callsPerSecond: (calls * 1000) / (now - since),
      p50: 1000 * (times[times.length >> 1] ?? 0),
    });
  }
  for (let i = 0; i < Number(inFlight); i++) next();
}
