import type { Connection, Listener, ListenOptions } from "../transports/index.js";
import type { TransportFixture } from "./transport-claims.js";

/** Both ends of one connection. */
export interface Ends {
  readonly dialled: Connection;
  readonly accepted: Connection;
}

/** A listener and a way to get connections through it; disposing ends them all. */
export interface Endpoints extends AsyncDisposable {
  readonly listener: Listener;
  connect(): Promise<Ends>;
}

export interface Pair extends Ends, AsyncDisposable {
  /** Dialled to accepted, and the other way. */
  readonly directions: readonly (readonly [from: Connection, to: Connection])[];
  /** Resolves when a frame has made the way from the accepted end to the dialled one. */
  roundTrip(why: string): Promise<void>;
}

const DEADLINE_MS = 20_000;

/** Waits for a condition, and rejects with its name when it does not come true in 20 s. */
export async function until(condition: string, isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!isTrue()) {
    if (performance.now() > deadline)
      throw new Error(`after ${DEADLINE_MS / 1000} s it still does not hold that ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function ensure(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

/** The code of what `action` throws, or `undefined`. */
export function failure(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Copies of all frames that arrive from now on. */
export function gathered(connection: Connection): Uint8Array[] {
  const frames: Uint8Array[] = [];
  connection.receive((bytes, start, end) => frames.push(Uint8Array.from(bytes.subarray(start, end))));
  return frames;
}

/** A frame of four bytes that is its number. */
export function numbered(number: number): Uint8Array {
  return Uint8Array.of(number, number >> 8, number >> 16, number >> 24);
}

export function numberOf(frame: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = frame;
  return a | (b << 8) | (c << 16) | (d << 24);
}

export async function endpoints(fixture: TransportFixture, options?: ListenOptions): Promise<Endpoints> {
  const waiting: Connection[] = [];
  const dialled: Connection[] = [];
  const { transport } = fixture;
  const listener = await transport.listen(
    fixture.address(),
    (connection) => void waiting.push(connection),
    options,
  );
  return {
    listener,
    async connect() {
      const connection = await transport.dial(listener.address);
      dialled.push(connection);
      await until("the listener hands over a connection", () => waiting.length > 0);
      const accepted = waiting.shift();
      ensure(accepted !== undefined, "the listener handed over nothing");
      return { dialled: connection, accepted };
    },
    async [Symbol.asyncDispose]() {
      for (const connection of dialled) connection.abort();
      await listener.close();
    },
  };
}

export async function pair(fixture: TransportFixture): Promise<Pair> {
  const ends = await endpoints(fixture);
  const { dialled, accepted } = await ends.connect();
  return {
    dialled,
    accepted,
    directions: [
      [dialled, accepted],
      [accepted, dialled],
    ],
    async roundTrip(why) {
      const received = gathered(dialled);
      accepted.send(Uint8Array.of(1));
      await until(`a frame arrives ${why}`, () => received.length > 0);
    },
    [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose](),
  };
}
