import { expect, test } from "vitest";
import type { Connection, FrameReceiver, Transport } from "../transports/index.js";
import { createMemoryTransport } from "../transports/index.js";
import { transportClaims } from "./transport-claims.js";
import { transportCompliance } from "./transport-compliance.js";

// The suite is a gate, so each kind of broken transport must be caught by it. Each breaks one thing of a sound one.

type Breakage = (connection: Connection) => Partial<Connection>;

test.each<[string, string, Breakage]>([
  ["drops every 100th frame", "every frame arrives, exactly once", dropping(100)],
  ["sends every 100th frame twice", "every frame arrives, exactly once", doubling(100)],
  ["swaps two neighbours", "frames arrive in the order sent", swapping(100)],
  ["flips a bit of long frames", "a frame arrives byte for byte, both ways, also an empty one", damaging()],
  [
    "accepts frames of any length",
    "the longest frame passes, a longer one is refused and harms nothing",
    cutting(),
  ],
  [
    "ignores where a frame begins",
    "a sender may reuse its bytes at once, and send a part of them",
    ignoringRange(),
  ],
  ["never says wait", "a sender whose peer does not read is told to wait, and when to go on", neverFull()],
  [
    "says go on at once",
    "a sender whose peer does not read is told to wait, and when to go on",
    alwaysDrained(),
  ],
  [
    "flushes inside send",
    "beforeFlush runs before the frames leave, once for a tick's frames, never inside send",
    eager(),
  ],
  [
    "drops what is queued at close",
    "C10: close delivers the thousand frames before it, and both sides know it was in order",
    hasty(),
  ],
  ["takes frames after close", "C11: close twice, abort after it and sending after it do no harm", deaf()],
  [
    "closes in order when aborted",
    "abort ends both at once, and the peer does not take it for an end in order",
    polite(),
  ],
])("a transport that %s is caught", async (_what, claim, breakage) => {
  expect(await failures(broken(breakage))).toContain(claim);
});

test.each<[string, string, (sound: Transport) => Partial<Transport>]>([
  [
    "dials on after an abort",
    "C01: a dial that is aborted before or while it goes on rejects with the signal's reason",
    (sound) => ({
      dial: (address) => sound.dial(address),
    }),
  ],
  [
    "ignores its limit",
    "a connection beyond the limit comes to nothing, the others live",
    (sound) => ({
      listen: (address, accept) => sound.listen(address, accept),
    }),
  ],
  [
    "keeps what it accepted when closed",
    "closing a listener closes what it accepted and frees the address",
    (sound) => ({
      listen: async (address, accept, options) => {
        const listener = await sound.listen(address, accept, options);
        const close = (): Promise<void> => Promise.resolve();
        return { address, close, [Symbol.asyncDispose]: () => listener.close() };
      },
    }),
  ],
])("a transport that %s is caught", async (_what, claim, breakage) => {
  const sound = createMemoryTransport();
  expect(await failures({ ...sound, ...breakage(sound) })).toContain(claim);
});

test("the sound transport under the broken ones fails nothing", async () => {
  expect(await failures(broken(() => ({})))).toEqual([]);
});

test("a transport that promises less is asked for less", async () => {
  const lossy = broken(dropping(100));
  const promises = { ...lossy.promises, reliable: false, ordered: false };
  const asked = transportClaims.filter((claim) => claim.applies(promises)).map((claim) => claim.name);
  expect(asked).not.toContain("every frame arrives, exactly once");
  expect(asked).not.toContain("frames arrive in the order sent");
  expect(asked.length).toBeGreaterThan(10);
});

test("the suite runs on any runner with describe and test, and cleans up after a failure", async () => {
  const names: string[] = [];
  const bodies: (() => Promise<void>)[] = [];
  let disposed = 0;
  transportCompliance(
    {
      name: "deaf",
      create: () => ({
        transport: broken(dropping(1)),
        address: () => "memory://p",
        dispose: async () => void disposed++,
      }),
    },
    { describe: (_name, body) => body(), test: (name, body) => void (names.push(name), bodies.push(body)) },
  );
  expect(names).toEqual(transportClaims.map((claim) => claim.name));
  const limit = bodies[names.indexOf("an address of another form is the caller's mistake")];
  await limit?.();
  expect(disposed).toBe(1);
});

/** Names of the claims that do not hold. A claim that waits for what never comes is given up after a second. */
async function failures(transport: Transport): Promise<string[]> {
  const failed: string[] = [];
  let count = 0;
  for (const claim of transportClaims) {
    const fixture = { transport, address: () => `memory://broken-${++count}` };
    const check = claim.check(fixture).then(
      () => true,
      () => false,
    );
    const given = new Promise<false>((resolve) => setTimeout(() => resolve(false), 700));
    if (!(await Promise.race([check, given]))) failed.push(claim.name);
  }
  return failed;
}

function broken(breakage: Breakage): Transport {
  const sound = createMemoryTransport({ frameBytesMax: 1024 * 1024, highWaterBytes: 4 * 1024 * 1024 });
  const breakIt = (connection: Connection): Connection => override(connection, breakage(connection));
  return {
    ...sound,
    listen: (address, accept, options) =>
      sound.listen(address, (connection) => accept(breakIt(connection)), options),
    dial: async (address, options) => breakIt(await sound.dial(address, options)),
  };
}

/** `connection` with some of its members replaced. */
function override(connection: Connection, members: Partial<Connection>): Connection {
  return new Proxy(connection, {
    get(target, key) {
      if (Reflect.has(members, key)) return Reflect.get(members, key);
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** Calls `every`th frame's own way of receiving. */
function receiving(
  every: number,
  odd: (onFrame: FrameReceiver, ...frame: Parameters<FrameReceiver>) => void,
): Breakage {
  return (connection) => ({
    receive(onFrame) {
      let count = 0;
      connection.receive((bytes, start, end) => {
        if (++count % every === 0) odd(onFrame, bytes, start, end);
        else onFrame(bytes, start, end);
      });
    },
  });
}

function dropping(every: number): Breakage {
  return receiving(every, () => {});
}

function doubling(every: number): Breakage {
  return receiving(every, (onFrame, ...frame) => {
    onFrame(...frame);
    onFrame(...frame);
  });
}

function swapping(every: number): Breakage {
  return (connection) => ({
    receive(onFrame) {
      let count = 0;
      let held: Uint8Array | undefined;
      connection.receive((bytes, start, end) => {
        if (++count % every === 0) {
          held = bytes.slice(start, end);
          return;
        }
        onFrame(bytes, start, end);
        if (held !== undefined) onFrame(held, 0, held.length);
        held = undefined;
      });
    },
  });
}

function damaging(): Breakage {
  return receiving(1, (onFrame, bytes, start, end) => {
    const damaged = bytes.slice(start, end);
    if (damaged.length > 200) damaged[100] = (damaged[100] ?? 0) ^ 1;
    onFrame(damaged, 0, damaged.length);
  });
}

function cutting(): Breakage {
  return (connection) => ({
    send: (frame, start = 0, end = frame.length) => connection.send(frame, start, Math.min(end, 1024 * 1024)),
  });
}

function ignoringRange(): Breakage {
  return (connection) => ({ send: (frame) => connection.send(frame) });
}

function neverFull(): Breakage {
  return (connection) => ({ send: (frame, start, end) => connection.send(frame, start, end) || true });
}

function alwaysDrained(): Breakage {
  return () => ({ drained: () => Promise.resolve() });
}

function eager(): Breakage {
  return (connection) => ({
    send(frame, start, end) {
      connection.beforeFlush?.();
      return connection.send(frame, start, end);
    },
  });
}

function hasty(): Breakage {
  return (connection) => ({
    async close() {
      connection.abort();
      await connection.closed;
    },
  });
}

function deaf(): Breakage {
  return (connection) => ({
    send(frame, start, end) {
      try {
        return connection.send(frame, start, end);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "closed") return true;
        throw error;
      }
    },
  });
}

function polite(): Breakage {
  return (connection) => ({ abort: () => void connection.close() });
}
