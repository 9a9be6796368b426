import { connect, serve } from "../../dist/host/index.js";
import { partOf, rangeOf, type BytesService, type Service } from "../../dist/protocols/index.js";
import { uds, udsAddress } from "../../dist/transports/index.js";
import type { Link } from "../transport/link.js";
import { raw } from "../transport/raw.js";

// One of the two processes: `end.js server|client text|bytes|raw ADDRESS ITEM_BYTES MS`. The server reports its address, the
// client how many items came per second.

const [role, kind, address = "", itemBytes = "64", ms = "1000"] = process.argv.slice(2);
const bytes = Number(itemBytes);
const transports = { uds };
const WARM_UP_MS = 400;
const COUNT = 1_000_000_000;
/** Items of one part, so that a part is of a size that a frame should have. */
const PER_PART = Math.max(1, Math.floor(65_536 / bytes));
const AHEAD = 8;

const item = "x".repeat(bytes);

/** Items of text, as plain data. */
const texts: Service<null, "items"> = {
  name: "texts",
  methods: ["items"],
  streams: ["items"],
  parameters: [],
  initial: null,
  check: () => undefined,
  handle(state, _method, args) {
    const { from = 0, most = 0 } = partOf(args, COUNT) ?? {};
    const items = Array.from({ length: Math.min(most, PER_PART) }, () => item);
    return { state, value: { from, items, count: COUNT } };
  },
};

const block = rangeOf(new Uint8Array(PER_PART * bytes).fill(7));

/** The same as bytes: a part is as many items of one length as go into it. */
const blocks: BytesService<null, "items"> = {
  name: "blocks",
  methods: ["items"],
  streams: ["items"],
  payload: "bytes",
  parameters: [],
  initial: null,
  check: () => undefined,
  handle: (state) => ({ state, value: block }),
};

if (role === "server") {
  const at = udsAddress(address);
  if (kind === "raw") await raw.listen(address, (link) => void flood(link));
  else if (kind === "text") await serve(texts, { at, transports });
  else await serve(blocks, { at, transports });
  process.send?.({ address });
} else if (kind === "raw") {
  const link = await raw.dial(address);
  const count = counter();
  link.receive((_bytes, start, end) => {
    if (end - start !== bytes) throw new Error("not an item");
    count(1);
  });
} else if (kind === "text") await readTexts();
else await readBlocks();

// The parent ends both; an orphan ends itself.
process.on("disconnect", () => process.exit());

async function readTexts(): Promise<void> {
  const client = await connect(texts, udsAddress(address), { transports });
  const count = counter();
  for await (const items of client.stream("items", {}).batches()) {
    for (const each of items) if (typeof each !== "string") throw new Error("not an item");
    count(items.length);
  }
}

async function readBlocks(): Promise<void> {
  const client = await connect(blocks, udsAddress(address), { transports });
  const count = counter();
  const part = rangeOf(new Uint8Array(8));
  const next = (): void =>
    client.start("items", part, (outcome) => {
      if (outcome.kind !== "ok") throw new Error(outcome.reason);
      const { start, end, bytes: received } = outcome.value;
      for (let at = start; at < end; at += bytes) if (received[at] !== 7) throw new Error("not an item");
      count((end - start) / bytes);
      next();
    });
  for (let i = 0; i < AHEAD; i++) next();
}

async function flood(link: Link): Promise<void> {
  const frame = new Uint8Array(bytes).fill(7);
  for (;;) {
    let room = true;
    for (let i = 0; i < 512 && room; i++) room = link.send(frame, 0, bytes);
    if (room) await new Promise((resolve) => setImmediate(resolve));
    else await link.drained();
  }
}

/** Counts items, and reports their rate once it has been measured. */
function counter(): (items: number) => void {
  const begun = performance.now();
  let since = 0;
  let items = 0;
  return (more) => {
    items += more;
    if (more === 1 && (items & 0x3f) !== 0) return;
    const now = performance.now();
    if (since === 0 && now - begun >= WARM_UP_MS) {
      since = now;
      items = 0;
    } else if (since > 0 && now - since >= Number(ms)) {
      process.send?.({ itemsPerSecond: (items * 1000) / (now - since) });
      since = Infinity;
    }
  };
}
