import { performance } from "node:perf_hooks";
import type { Instant } from "../core/index.js";

/**
 * The reference axis of a real run: microseconds of the machine's monotonic clock since the run's epoch.
 *
 * Every process of one machine reads the same monotonic clock, so their events share one axis; nothing but drawing
 * and time limits relies on that.
 */
export class RunClock {
  #offset = 0;

  /** Begins at zero now, unless an epoch is given. */
  constructor(epoch = monotonicMicroseconds()) {
    this.begin(epoch);
  }

  /** Moves the zero to `epoch`: a reading of {@link monotonicMicroseconds}, of any process of this machine. */
  begin(epoch: number): void {
    // performance.now() is the same clock with another zero, and reads several times faster than hrtime.
    this.#offset = monotonicMicroseconds() - performance.now() * 1000 - epoch;
  }

  /** Whole microseconds since the epoch; negative before it. */
  read(): Instant {
    return Math.floor(performance.now() * 1000 + this.#offset);
  }
}

/** The machine's monotonic clock, in microseconds since a point that all its processes share. */
export function monotonicMicroseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

// A longer delay makes Node's timers fire at once.
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/**
 * Calls back once `clock` has reached `due`, never early; the handle cancels. Node's timers count whole milliseconds
 * and may fire just short of the time asked, so the clock decides.
 */
export function callAt(clock: RunClock, due: Instant, callback: () => void): Disposable {
  let timeout: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const left = due - clock.read();
    if (left > 0 || timeout === undefined) {
      timeout = setTimeout(arm, Math.min(TIMEOUT_MS_MAX, Math.max(1, Math.ceil(left / 1000))));
    } else {
      callback();
    }
  };
  arm();
  return { [Symbol.dispose]: () => clearTimeout(timeout) };
}
