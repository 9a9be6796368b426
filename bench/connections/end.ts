import { ours } from "./ours.js";
import { raw } from "./raw.js";
import { service } from "./service.js";

// One of the two processes: `end.js KIND`. The parent says what to do and gets an answer to each order: `{listen}` the
// address, `{dial, count}` true, `{measure}` the resident memory after a collection, in bytes.

const KINDS = { raw, ours, service };

// Below the length of a listener's queue.
const DIALS_AT_ONCE = 64;

const carrier = Object.entries(KINDS).find(([name]) => name === process.argv[2])?.[1] ?? raw;

process.on("message", (order: { listen?: string; dial?: string; count?: number }) => {
  void carryOut(order).then((answer) => process.send?.({ answer }));
});

// The parent ends both; an orphan ends itself.
process.on("disconnect", () => process.exit());

async function carryOut({
  listen,
  dial,
  count = 0,
}: {
  listen?: string;
  dial?: string;
  count?: number;
}): Promise<string | number> {
  if (listen !== undefined) return carrier.listen(listen);
  if (dial !== undefined) {
    let left = count;
    await Promise.all(
      Array.from({ length: DIALS_AT_ONCE }, async () => {
        while (left-- > 0) await carrier.dial(dial);
      }),
    );
    return count;
  }
  // Twice, with a turn between: what a finalizer frees is free only then.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}
