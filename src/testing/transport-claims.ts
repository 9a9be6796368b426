import type { Connection, Listener, Transport, TransportPromises } from "../transports/index.js";
import { FrameError } from "../wire/index.js";
import {
  endpoints,
  ensure,
  failure,
  gathered,
  numbered,
  numberOf,
  pair,
  until,
} from "./transport-support.js";

/** What every author of a transport provides: a fresh transport, and addresses at which nobody listens yet. */
export interface TransportFixture {
  readonly transport: Transport;
  /** Another one at each call. It may let the system choose: what counts is what the listener reports. */
  address(): string;
  /** Removes what `address` made; called when the check is over. */
  dispose?(): Promise<void>;
}

/** One thing that must hold of a transport which declares the promises that `applies` asks for. */
export interface TransportClaim {
  readonly name: string;
  applies(promises: TransportPromises): boolean;
  /** Rejects when it does not hold, saying what was seen instead. */
  check(fixture: TransportFixture): Promise<void>;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** What `transportCompliance` tests, as data: also for those who use no test runner. */
export const transportClaims: readonly TransportClaim[] = [
  always("a frame arrives byte for byte, both ways, also an empty one", async (fixture) => {
    await using both = await pair(fixture);
    const sizes = [0, 1, 127, 128, 300, 20_000].filter(
      (size) => size <= fixture.transport.promises.frameBytesMax,
    );
    for (const [from, to] of both.directions) {
      const received = gathered(to);
      for (const size of sizes) {
        from.send(new Uint8Array(size).fill(size));
        await until(`a frame of ${size} bytes arrives`, () => received.length > 0);
        const frame = received.pop();
        ensure(
          frame?.length === size && frame.every((byte) => byte === (size & 0xff)),
          `${size} bytes came damaged`,
        );
      }
    }
  }),

  when("ordered", "frames arrive in the order sent", async (fixture) => {
    await using both = await pair(fixture);
    for (const [from, to] of both.directions) {
      const received = gathered(to);
      await sendNumbered(from, 10_000);
      await until("the last frame arrives", () => received.some((frame) => numberOf(frame) === 9_999));
      const numbers = received.map(numberOf);
      const wrong = numbers.findIndex((number, i) => i > 0 && number < (numbers[i - 1] ?? 0));
      ensure(wrong === -1, `frame ${numbers[wrong]} came after frame ${numbers[wrong - 1]}`);
    }
  }),

  when("reliable", "every frame arrives, exactly once", async (fixture) => {
    await using both = await pair(fixture);
    for (const [from, to] of both.directions) {
      const received = gathered(to);
      await sendNumbered(from, 10_000);
      await until("10,000 frames arrive", () => received.length >= 10_000);
      // A turn for whatever comes twice.
      await new Promise((resolve) => setImmediate(resolve));
      const numbers = new Set(received.map(numberOf));
      ensure(
        received.length === 10_000 && numbers.size === 10_000,
        `${received.length} came, ${numbers.size} different`,
      );
    }
  }),

  always("the longest frame passes, a longer one is refused and harms nothing", async (fixture) => {
    const { frameBytesMax } = fixture.transport.promises;
    await using both = await pair(fixture);
    const received = gathered(both.accepted);
    const refused = failure(() => both.dialled.send(new Uint8Array(frameBytesMax + 1)));
    ensure(refused === "frame-too-long", `a frame one byte too long: ${refused ?? "accepted"}`);
    both.dialled.send(new Uint8Array(frameBytesMax).fill(5));
    await until("the longest frame arrives", () => received.length === 1);
    ensure(
      received[0]?.length === frameBytesMax && received[0].at(-1) === 5,
      "the longest frame came damaged",
    );
  }),

  always("a sender may reuse its bytes at once, and send a part of them", async (fixture) => {
    await using both = await pair(fixture);
    const received = gathered(both.accepted);
    // A Buffer, whose `slice` shares what that of other arrays copies.
    const bytes = Buffer.alloc(100, 1);
    both.dialled.send(bytes);
    bytes.fill(2);
    both.dialled.send(bytes, 10, 13);
    bytes.fill(3);
    await until("both frames arrive", () => received.length === 2);
    const seen = received.map((frame) => `${frame.length} of ${frame[0]}`).toSorted();
    ensure(seen.join() === "100 of 1,3 of 2", `came: ${seen.join()}`);
  }),

  when("reliable", "frames that came before there was a receiver are handed over first", async (fixture) => {
    await using both = await pair(fixture);
    for (let i = 0; i < 10; i++) both.dialled.send(numbered(i));
    await both.roundTrip("before the receiver is set");
    const received = gathered(both.accepted);
    both.dialled.send(numbered(10));
    await until("eleven frames arrive", () => received.length === 11);
    ensure(
      received.map(numberOf).join() === "0,1,2,3,4,5,6,7,8,9,10",
      `came: ${received.map(numberOf).join()}`,
    );
  }),

  always("nothing is delivered inside send", async (fixture) => {
    await using both = await pair(fixture);
    let inside = false;
    let seen = 0;
    both.accepted.receive(() => {
      ensure(!inside, "a frame was delivered inside send");
      seen++;
    });
    inside = true;
    both.dialled.send(Uint8Array.of(1));
    inside = false;
    await until("the frame arrives", () => seen === 1);
  }),

  when(
    "reliable",
    "a sender whose peer does not read is told to wait, and when to go on",
    async (fixture) => {
      await using both = await pair(fixture);
      const frame = new Uint8Array(Math.min(MIB, fixture.transport.promises.frameBytesMax));
      let sent = 0;
      // More than any stated buffer: 256 MiB.
      while (sent < (256 * MIB) / frame.length) {
        sent++;
        if (!both.dialled.send(frame)) {
          // Room in the system's own buffers does not count: only when a whole turn leaves it full is it full.
          await Promise.race([both.dialled.drained(), turns(50)]);
          if (both.dialled.bufferedBytes > 0 && !both.dialled.send(frame)) break;
        }
      }
      ensure(
        sent < (256 * MIB) / frame.length,
        `${sent} frames of ${frame.length} bytes, and never told to wait`,
      );
      let drained = false;
      const draining = both.dialled.drained().then(() => (drained = true));
      await turns(5);
      ensure(!drained, "drained() resolved though nobody reads");
      let bytes = 0;
      both.accepted.receive((_bytes, start, end) => (bytes += end - start));
      await until("drained() resolves once somebody reads", () => drained);
      await draining;
      await until(
        "everything accepted arrives",
        () => bytes >= sent * frame.length && both.dialled.bufferedBytes === 0,
      );
    },
  ),

  when("reliable", "much data both ways at once arrives whole", async (fixture) => {
    await using both = await pair(fixture);
    const size = Math.min(MIB, fixture.transport.promises.frameBytesMax);
    let bytes = 0;
    const done: Promise<void>[] = [];
    for (const [from, to] of both.directions) {
      to.receive((_bytes, start, end) => (bytes += end - start));
      done.push(sendMany(from, size, 24));
    }
    await Promise.all(done);
    await until("48 large frames arrive", () => bytes === 48 * size);
  }),

  always("connections of one listener do not mix", async (fixture) => {
    await using ends = await endpoints(fixture);
    const first = await ends.connect();
    const second = await ends.connect();
    const [atFirst, atSecond] = [gathered(first.accepted), gathered(second.accepted)];
    first.dialled.send(Uint8Array.of(1));
    second.dialled.send(Uint8Array.of(2));
    await until("a frame on each", () => atFirst.length > 0 && atSecond.length > 0);
    ensure(atFirst[0]?.[0] === 1 && atSecond[0]?.[0] === 2, "a frame came out of the other connection");
  }),

  always(
    "beforeFlush runs before the frames leave, once for a tick's frames, never inside send",
    async (fixture) => {
      await using both = await pair(fixture);
      const order: string[] = [];
      both.accepted.receive(() => void order.push("frame"));
      both.dialled.beforeFlush = () => void order.push("flush");
      for (let i = 0; i < 3; i++) both.dialled.send(Uint8Array.of(i));
      ensure(order.length === 0, "beforeFlush ran inside send");
      await until("three frames arrive", () => order.length >= 4);
      ensure(order.join() === "flush,frame,frame,frame", `order: ${order.join()}`);
    },
  ),

  when(
    "reliable",
    "C10: close delivers the thousand frames before it, and both sides know it was in order",
    async (fixture) => {
      await using both = await pair(fixture);
      const received = gathered(both.accepted);
      for (let i = 0; i < 1_000; i++) both.dialled.send(numbered(i));
      await both.dialled.close();
      const [here, there] = [await both.dialled.closed, await both.accepted.closed];
      ensure(received.length === 1_000, `${received.length} of 1,000 frames arrived`);
      ensure(here.code === "closed" && there.code === "closed", `closed as ${here.code} and ${there.code}`);
    },
  ),

  always("C11: close twice, abort after it and sending after it do no harm", async (fixture) => {
    await using both = await pair(fixture);
    await Promise.all([both.dialled.close(), both.dialled.close()]);
    await both.dialled.close();
    both.dialled.abort();
    await both.dialled.drained();
    const after = failure(() => both.dialled.send(Uint8Array.of(1)));
    ensure(after === "closed", `send after close: ${after ?? "accepted"}`);
    const { code } = await both.dialled.closed;
    ensure(code === "closed", `closed as ${code}`);
    await both.accepted.closed;
  }),

  always("C11: close inside a receiver ends the deliveries", async (fixture) => {
    await using both = await pair(fixture);
    let seen = 0;
    both.accepted.receive(() => {
      seen++;
      void both.accepted.close();
    });
    for (let i = 0; i < 10; i++) both.dialled.send(Uint8Array.of(i));
    await both.accepted.closed;
    await both.dialled.closed;
    ensure(seen === 1, `${seen} frames were delivered, one of them before close`);
  }),

  always("a receiver that finds fault with a frame ends the connection with its code", async (fixture) => {
    await using both = await pair(fixture);
    gathered(both.dialled);
    let seen = 0;
    both.accepted.receive(() => {
      seen++;
      throw new FrameError("protocol-error", "not what was agreed");
    });
    for (let i = 0; i < 3; i++) both.dialled.send(Uint8Array.of(i));
    const [here, there] = [await both.accepted.closed, await both.dialled.closed];
    ensure(seen === 1, `${seen} frames were delivered, the first of them refused`);
    ensure(
      here.code === "protocol-error" && there.code === "reset",
      `ended as ${here.code} and ${there.code}`,
    );
  }),

  always("C01: close while the peer writes ends both, and the peer's send says so", async (fixture) => {
    await using both = await pair(fixture);
    gathered(both.dialled);
    let over: string | undefined;
    const writing = (async () => {
      while (over === undefined) {
        over = failure(() => both.accepted.send(new Uint8Array(1_000)));
        await turns(1);
      }
    })();
    await turns(3);
    await both.dialled.close();
    await both.accepted.closed;
    await writing;
    ensure(over === "closed", `send at the peer: ${over}`);
  }),

  always("abort ends both at once, and the peer does not take it for an end in order", async (fixture) => {
    await using both = await pair(fixture);
    gathered(both.accepted);
    both.dialled.abort("enough");
    const [here, there] = [await both.dialled.closed, await both.accepted.closed];
    ensure(here.code === "aborted" && here.detail === "enough", `here: ${here.code}, ${here.detail}`);
    ensure(there.code !== "closed", "the peer was told that it was an end in order");
  }),

  always(
    "C01: a dial that is aborted before or while it goes on rejects with the signal's reason",
    async (fixture) => {
      await using ends = await endpoints(fixture);
      const why = new Error("not any more");
      const during = new AbortController();
      const dialling = fixture.transport.dial(ends.listener.address, { signal: during.signal });
      during.abort(why);
      const before = fixture.transport.dial(ends.listener.address, { signal: AbortSignal.abort(why) });
      // All at once: one may reject while another still cleans up.
      for (const settled of await Promise.allSettled([dialling, before])) {
        const reason = settled.status === "rejected" ? settled.reason : "it connected";
        ensure(reason === why, `rejected with ${String(reason)}`);
      }
    },
  ),

  always("a dial where nobody listens is refused", async (fixture) => {
    const listener = await fixture.transport.listen(fixture.address(), () => {});
    await listener.close();
    const code = await rejection(fixture.transport.dial(listener.address));
    ensure(code === "refused", `dial: ${code}`);
  }),

  always(
    "a second listener at an address is told that it is in use, the first one stays",
    async (fixture) => {
      await using ends = await endpoints(fixture);
      const code = await rejection(fixture.transport.listen(ends.listener.address, () => {}));
      ensure(code === "address-in-use", `listen: ${code}`);
      await ends.connect();
    },
  ),

  always("an address of another form is the caller's mistake", async (fixture) => {
    for (const address of ["", "nonsense", "http://example.org", `${fixture.transport.scheme}:`]) {
      const listen = await rejection(fixture.transport.listen(address, () => {}));
      const dial = await rejection(fixture.transport.dial(address));
      ensure(listen === "usage" && dial === "usage", `"${address}": listen ${listen}, dial ${dial}`);
    }
  }),

  always("closing a listener closes what it accepted and frees the address", async (fixture) => {
    await using ends = await endpoints(fixture);
    const one = await ends.connect();
    const two = await ends.connect();
    await Promise.all([ends.listener.close(), ends.listener.close()]);
    for (const connection of [one.accepted, two.accepted, one.dialled, two.dialled]) await connection.closed;
    const again: Listener = await fixture.transport.listen(ends.listener.address, () => {});
    await again.close();
  }),

  always("a connection beyond the limit comes to nothing, the others live", async (fixture) => {
    await using ends = await endpoints(fixture, { connectionsMax: 1 });
    const first = await ends.connect();
    const code = await fixture.transport.dial(ends.listener.address).then(
      async (connection) => (await connection.closed).code,
      (error: unknown) => codeOf(error),
    );
    ensure(code === "limit", `beyond the limit: ${code}`);
    const received = gathered(first.accepted);
    first.dialled.send(Uint8Array.of(1));
    await until("the first connection works", () => received.length === 1);
  }),

  always("C12: connections that came and went leave nothing open", async (fixture) => {
    const before = openHandles();
    {
      await using ends = await endpoints(fixture);
      for (let i = 0; i < 20; i++) {
        const { dialled, accepted } = await ends.connect();
        if (i % 2 === 0) await dialled.close();
        else accepted.abort();
        await Promise.all([dialled.closed, accepted.closed]);
      }
    }
    await until("all sockets are gone", () => openHandles() <= before);
  }),
];

function always(name: string, check: TransportClaim["check"]): TransportClaim {
  return { name, applies: () => true, check };
}

function when(promise: "ordered" | "reliable", name: string, check: TransportClaim["check"]): TransportClaim {
  return { name, applies: (promises) => promises[promise], check };
}

async function sendNumbered(from: Connection, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!from.send(numbered(i))) await from.drained();
    // Some in one tick, some not.
    if (i % 700 === 0) await turns(1);
  }
}

async function sendMany(from: Connection, size: number, count: number): Promise<void> {
  const frame = new Uint8Array(size);
  for (let i = 0; i < count; i++) if (!from.send(frame)) await from.drained();
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function rejection(promise: Promise<Connection | Listener>): Promise<string> {
  return promise.then(
    (made) => {
      void made.close();
      return "it succeeded";
    },
    (error: unknown) => codeOf(error),
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** Sockets, pipes and files of this process; timers are the test runner's, too. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => !/Timeout|Immediate|TickObject/.test(kind)).length;
}
