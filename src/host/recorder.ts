import { closeSync, openSync, writeSync } from "node:fs";
import { eventLine, LINE_LENGTH_MAX, writeEvent, type TraceEvent } from "../trace/index.js";
import { HostError } from "./errors.js";
import { LineBytes } from "./line-bytes.js";

/**
 * Where a host puts its events: one JSON line each. Whatever was appended is durable against the death of the
 * process once `flush` returns, and a host flushes before any frame of the same step leaves (write-ahead).
 */
export interface Recorder {
  /** Throws `HostError("protocol-failed")` for an event whose line no trace may hold. */
  append(event: TraceEvent): void;
  flush(): void;
}

/** Longest file of one process; a run that records more is stopped by its failure rather than by a full disk. Bytes. */
export const RECORD_BYTES_MAX = 4 * 2 ** 30;

/** Gathers the lines of a tick and writes them with one system call. */
export class FileRecorder implements Recorder, Disposable {
  /** Length of the file after the last flush. */
  bytes: number;
  readonly #file: number;
  readonly #lines = new LineBytes();

  /** Appends to the file, which a former incarnation may have begun; throws what opening throws. */
  constructor(path: string, bytes = 0) {
    this.#file = openSync(path, "a", 0o600);
    this.bytes = bytes;
  }

  append(event: TraceEvent): void {
    const lines = this.#lines;
    const start = lines.end;
    let whole = false;
    try {
      writeEvent(lines, event);
      // The limit counts characters, of which there are no more than bytes.
      if (lines.end - start > LINE_LENGTH_MAX) checkLine(eventLine(event));
      lines.literal("\n");
      whole = true;
    } finally {
      if (!whole) lines.end = start;
    }
  }

  flush(): void {
    const { bytes, end } = this.#lines;
    if (end === 0) return;
    this.#lines.clear();
    if (this.bytes + end > RECORD_BYTES_MAX) {
      throw new HostError("not-saved", `more than ${RECORD_BYTES_MAX} bytes of events`, {
        bytesMax: RECORD_BYTES_MAX,
      });
    }
    for (let at = 0; at < end;) at += writeSync(this.#file, bytes, at, end - at);
    this.bytes += end;
  }

  [Symbol.dispose](): void {
    this.flush();
    closeSync(this.#file);
  }
}

/** Keeps the lines in memory: for hosts that share one program. */
export class MemoryRecorder implements Recorder {
  readonly lines: string[] = [];

  append(event: TraceEvent): void {
    const line = eventLine(event);
    checkLine(line);
    this.lines.push(line);
  }

  flush(): void {}
}

function checkLine(line: string): void {
  if (line.length > LINE_LENGTH_MAX) {
    throw new HostError(
      "protocol-failed",
      `an event takes ${line.length} characters; at most ${LINE_LENGTH_MAX}`,
      {
        length: line.length,
        lengthMax: LINE_LENGTH_MAX,
      },
    );
  }
}
