import { ClockCourse } from "../clocks/index.js";
import type { Duration, Instant, ProcessId } from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";
import { clockOutput, type ClockOutputRead } from "./clock-output.js";

/**
 * The corrected clocks of a run, followed while its trace is read: what each shows at any instant of the reference axis.
 *
 * Between the events of a process its host's clock is taken to run at the pace of the reference, so what is said of an
 * instant `g` after the last event is wrong by at most ρg.
 */
export class ClockTracks {
  /** When a host's clock was last seen to have left the reference axis faster than ρ, as when somebody sets it. */
  upsetAt: Instant = -Infinity;
  readonly #driftPpm: number;
  readonly #tracks = new Map<ProcessId, ClockTrack>();

  /** `driftPpm` is ρ, in parts per million. */
  constructor(driftPpm = 0) {
    this.#driftPpm = driftPpm;
  }

  /** Takes the next event; gives what its process told of its clock, if it did. */
  observe(event: TraceEvent): ClockOutputRead | undefined {
    if (event.kind === "crash") {
      const track = this.#tracks.get(event.process);
      if (track !== undefined) track.up = false;
    }
    if (event.local === undefined) return undefined;
    const output = clockOutput(event);
    const track = this.#tracks.get(event.process);
    if (track !== undefined) {
      const drifted = Math.abs(track.drifted(event.at, event.local));
      if (drifted > this.unsure(track, event.at) + 2) this.upsetAt = event.at;
      track.see(event.at, event.local);
    }
    if (output === undefined) return undefined;
    if (track === undefined) {
      this.#tracks.set(event.process, new ClockTrack(event.process, event.at, event.local, output));
    } else {
      track.tell(event.at, output);
    }
    return output;
  }

  /** How far what is said of a clock at `at` can be wrong, since it was not seen then. */
  unsure(track: ClockTrack, at: Instant): Duration {
    return Math.ceil((Math.abs(at - track.seenAt) * this.#driftPpm) / 1_000_000);
  }

  get(process: ProcessId): ClockTrack | undefined {
    return this.#tracks.get(process);
  }

  /** Of processes that have told of their clock, in the order in which they first did. */
  all(): Iterable<ClockTrack> {
    return this.#tracks.values();
  }
}

/** One process's clock. */
export class ClockTrack {
  readonly process: ProcessId;
  /** Whether the process runs; a clock that nobody reads is not judged. */
  up = true;
  /** When it was last seen, on the reference axis. */
  seenAt: Instant;
  /** What it last told. */
  last: ClockOutputRead;
  /** When it last told of a change, on the reference axis. */
  changedAt: Instant;
  #local: Instant;

  constructor(process: ProcessId, at: Instant, local: Instant, output: ClockOutputRead) {
    this.process = process;
    this.seenAt = at;
    this.#local = local;
    this.last = output;
    this.changedAt = at;
  }

  see(at: Instant, local: Instant): void {
    this.seenAt = at;
    this.#local = local;
  }

  tell(at: Instant, output: ClockOutputRead): void {
    this.up = true;
    this.last = output;
    this.changedAt = at;
  }

  /** How far the host's clock has left the reference axis since it was last seen. */
  drifted(at: Instant, local: Instant): Duration {
    return local - this.#local - (at - this.seenAt);
  }

  /** What it shows at `at`. */
  reading(at: Instant): Instant {
    return ClockCourse.read(this.last.course, this.#hostAt(at));
  }

  /** What it will show of the instant `at` once its slew is worked off. */
  aim(at: Instant): Instant {
    return ClockCourse.aim(this.last.course, this.#hostAt(at));
  }

  /** A course begins at its step; a trace that says otherwise is read from there. */
  #hostAt(at: Instant): Instant {
    return Math.max(this.last.course.since, this.#local + (at - this.seenAt));
  }
}
