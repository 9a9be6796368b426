import { closeSync, openSync, writeSync } from "node:fs";
import { LightconeError, UsageError } from "../../core/index.js";
import { messageOf, type Recorder } from "../../host/index.js";
import { TraceWriter, type TraceEnd, type TraceEvent, type TraceHeader } from "../../trace/index.js";

/**
 * The trace of one process, written as it runs: whole but for its end line if the process is killed. Once something
 * could not be written nothing else is, so that it ends where it became incomplete.
 */
export class TraceFile implements Recorder {
  readonly #path: string;
  readonly #file: number;
  readonly #writer = new TraceWriter();
  #text = "";
  #failure: LightconeError | undefined;

  /** Overwrites the file; throws a `UsageError` when it cannot be opened, and what {@link flush} throws. */
  constructor(path: string, header: TraceHeader) {
    this.#path = path;
    try {
      this.#file = openSync(path, "w", 0o600);
    } catch (cause) {
      throw new UsageError(`--out: cannot write ${path}: ${messageOf(cause)}`, { path }, { cause });
    }
    this.#text = this.#writer.header(header);
    this.flush();
  }

  /** What could not be written. */
  get failure(): LightconeError | undefined {
    return this.#failure;
  }

  append(event: TraceEvent): void {
    this.#text += this.#writer.event(event);
  }

  /** Throws `LightconeError("trace-not-written")` when the system refuses, such as on a full disk. */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(this.#text, "utf8");
    this.#text = "";
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    } catch (cause) {
      const what = `cannot write the trace to ${this.#path}: ${messageOf(cause)}; it is incomplete`;
      this.#failure = new LightconeError("trace-not-written", what, { path: this.#path }, { cause });
      throw this.#failure;
    }
  }

  /** Writes the end line and closes the file; throws what {@link flush} throws. */
  end(end: TraceEnd): void {
    this.#text += this.#writer.end(end);
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}
