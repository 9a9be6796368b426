import { closeSync, openSync, writeSync } from "node:fs";
import { UsageError } from "../../core/index.js";
import { messageOf, type Recorder } from "../../host/index.js";
import { TraceWriter, type TraceEnd, type TraceEvent, type TraceHeader } from "../../trace/index.js";

/** The trace of one process, written as it runs: whole but for its end line if the process is killed. */
export class TraceFile implements Recorder {
  readonly #file: number;
  readonly #writer = new TraceWriter();
  #text = "";

  /** Overwrites the file; throws a `UsageError` when it cannot be opened. */
  constructor(path: string, header: TraceHeader) {
    try {
      this.#file = openSync(path, "w", 0o600);
    } catch (cause) {
      throw new UsageError(`--out: cannot write ${path}: ${messageOf(cause)}`, { path }, { cause });
    }
    this.#text = this.#writer.header(header);
    this.flush();
  }

  append(event: TraceEvent): void {
    this.#text += this.#writer.event(event);
  }

  flush(): void {
    const bytes = Buffer.from(this.#text, "utf8");
    this.#text = "";
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
  }

  /** Writes the end line and closes the file. */
  end(end: TraceEnd): void {
    this.#text += this.#writer.end(end);
    this.flush();
    closeSync(this.#file);
  }
}
