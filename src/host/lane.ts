import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import type { Instant, ProcessId } from "../core/index.js";
import { eventLine, TraceReader, TraceWriter, type TraceEvent, type TraceHeader } from "../trace/index.js";
import { EventTail } from "./event-tail.js";
import { inRunFolder } from "./run-folder.js";

/** Who takes the events of a lane. */
export interface LaneObserver {
  onEvent(event: TraceEvent): void;
  /** All that was recorded so far has been read. */
  onCaughtUp(process: ProcessId): void;
}

/**
 * The events of one participant, as the supervisor reads them from its file: through its life, its death and its next
 * incarnation. Every line is checked; the file is itself a valid trace of one process.
 */
export class Lane implements Disposable {
  readonly process: ProcessId;
  readonly path: string;
  /** Number of the last event read. */
  number = 0;
  /** Its time. */
  at: Instant = -Infinity;
  /** The last vector clock that was recorded. */
  vector: readonly number[] | undefined;
  /** What would survive a crash now. */
  saved: unknown;
  #crashed = false;
  readonly #tail: EventTail;
  readonly #reader: TraceReader;

  readonly #observer: LaneObserver;

  /** Makes the file, with its header. */
  constructor(path: string, header: TraceHeader, process: ProcessId, observer: LaneObserver) {
    this.#observer = observer;
    this.process = process;
    this.path = path;
    const first = new TraceWriter().header({ ...header, process });
    inRunFolder(path, () => writeFileSync(path, first, { mode: 0o600 }));
    this.#tail = new EventTail(path);
    this.#reader = new TraceReader({
      name: `events of ${process}`,
      onEvent: (event) => {
        this.#note(event);
        observer.onEvent(event);
      },
    });
  }

  /** Reads what has been recorded since, a bounded piece of it; tells whether there may be more. Throws `TraceError`. */
  read(): boolean {
    const more = this.#tail.read((lines) => this.#reader.push(lines));
    if (!more) this.#observer.onCaughtUp(this.process);
    return more;
  }

  /** Reads all that is there. */
  readAll(): void {
    while (this.read());
  }

  /** The process is dead: reads its last events, removes a line that it did not finish, and ends with `crash`. */
  crash(at: Instant): void {
    this.readAll();
    // A restart that was killed before its first step leaves nothing behind.
    if (this.#crashed) return;
    const crash: TraceEvent = {
      process: this.process,
      number: this.number + 1,
      at: Math.max(at, this.at),
      kind: "crash",
    };
    inRunFolder(this.path, () => {
      truncateSync(this.path, this.#tail.position);
      appendFileSync(this.path, `${eventLine(crash)}\n`);
    });
    this.#tail.forgetRest();
    this.readAll();
  }

  #note(event: TraceEvent): void {
    this.number = event.number;
    this.at = event.at;
    this.vector = event.vector ?? this.vector;
    this.#crashed = event.kind === "crash";
    if (event.kind === "save") this.saved = event.saved;
  }

  [Symbol.dispose](): void {
    this.#tail[Symbol.dispose]();
  }
}
