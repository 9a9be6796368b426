import { crc32, hex32 } from "./crc32.js";
import type { Trace, TraceEnd, TraceEvent, TraceHeader } from "./event.js";
import { idOf, TRACE_VERSION } from "./event.js";
import { EVENTS_MAX, LINE_LENGTH_MAX } from "./limits.js";
import { endProblem, eventProblem, headerProblem, isObject } from "./line-shape.js";
import { describe, shorten, TraceError, type TraceErrorCode } from "./trace-error.js";
import { TraceRules } from "./trace-rules.js";

/** A trace that came out of a file. */
export interface ReadTrace extends Trace {
  /** What messages call the file. */
  readonly name: string;
  /** False for the file of one process that stops without an end line, because the process was killed. */
  readonly complete: boolean;
}

export interface TraceReaderOptions {
  /** What messages call the file; default `trace`. */
  readonly name?: string;
  /** Takes each event as soon as its line is complete; the reader then keeps none, and its trace has no events. */
  readonly onEvent?: (event: TraceEvent) => void;
}

/** Reads a whole trace. Throws {@link TraceError}, and nothing else, for any text that is not one. */
export function readTrace(text: string, options: TraceReaderOptions = {}): ReadTrace {
  const reader = new TraceReader(options);
  reader.push(text);
  return reader.finish();
}

/**
 * Reads a trace from chunks of text, cut anywhere. Each line is checked for its shape and against all lines before
 * it; the end line's count and checksum are checked last.
 *
 * After a {@link TraceError} the reader is of no more use.
 */
export class TraceReader {
  readonly #name: string;
  readonly #onEvent: ((event: TraceEvent) => void) | undefined;
  readonly #events: TraceEvent[] = [];
  #header: TraceHeader | undefined;
  #rules: TraceRules | undefined;
  #end: TraceEnd | undefined;
  /** The beginning of a line whose line feed has not come yet. */
  #rest = "";
  #lines = 0;
  #eventCount = 0;
  #last: TraceEvent | undefined;
  #checksum = 0;

  constructor(options: TraceReaderOptions = {}) {
    this.#name = shorten(options.name ?? "trace");
    this.#onEvent = options.onEvent;
  }

  /** The header, once its line is complete. */
  get header(): TraceHeader | undefined {
    return this.#header;
  }

  push(chunk: string): void {
    const feed = chunk.indexOf("\n");
    if (feed < 0) {
      this.#keep(chunk);
      return;
    }
    // Joined only now that a line ends, so that a line in many small pieces is not copied once per piece.
    const text = this.#rest + chunk;
    let start = 0;
    let end = this.#rest.length + feed;
    this.#rest = "";
    while (end >= 0) {
      this.#line(text, start, end, end + 1);
      start = end + 1;
      end = text.indexOf("\n", start);
    }
    this.#keep(text.slice(start));
  }

  /** The trace, when the text was all of one. */
  finish(): ReadTrace {
    this.#finishRest();
    if (this.#header === undefined) {
      throw this.#error("not-a-trace", "expected the header of a trace; the file is empty");
    }
    if (this.#end === undefined && this.#header.process === undefined) throw this.#truncated();
    return {
      name: this.#name,
      header: this.#header,
      events: this.#events,
      end: this.#end ?? { stopped: "interrupted", detail: "the file has no end line" },
      complete: this.#end !== undefined,
    };
  }

  /** The last line counts without its line feed when it is the end line; otherwise it was cut short. */
  #finishRest(): void {
    if (this.#rest === "") return;
    const rest = this.#rest;
    if (this.#header === undefined) {
      const begun = rest.startsWith(HEADER_START) || HEADER_START.startsWith(rest);
      throw begun ? this.#truncated() : this.#notATrace(rest);
    }
    if (this.#end !== undefined || (rest.startsWith('{"end":') && rest.endsWith("}}"))) {
      this.#line(rest, 0, rest.length, rest.length);
      return;
    }
    if (this.#header.process === undefined) throw this.#truncated();
  }

  #keep(rest: string): void {
    this.#rest += rest;
    if (this.#rest.length > LINE_LENGTH_MAX) {
      if (this.#header === undefined) throw this.#notATrace(this.#rest, this.#lines + 1);
      throw this.#tooLong();
    }
  }

  /** Takes `text` from `start` to `end`; up to `next`, line feed included, counts for the checksum. */
  #line(text: string, start: number, end: number, next: number): void {
    this.#lines++;
    if (end - start > LINE_LENGTH_MAX) {
      if (this.#lines === 1) throw this.#notATrace(text.slice(start, end), 1);
      throw this.#tooLong(this.#lines);
    }
    const line = text.slice(start, end);
    if (this.#end !== undefined) {
      throw this.#error(
        "bad-line",
        `expected nothing after the end line, found ${described(line)}`,
        this.#lines,
      );
    }
    if (this.#header === undefined || this.#rules === undefined) {
      this.#readHeader(line);
    } else {
      const value = this.#parse(line);
      if (isObject(value) && value["end"] !== undefined) {
        this.#readEnd(value);
        return;
      }
      this.#readEvent(value, this.#header.processes.length, this.#rules);
    }
    this.#checksum = crc32(text, this.#checksum, start, next);
  }

  #readHeader(line: string): void {
    const value = parseJson(line);
    if (!isObject(value) || value["format"] !== "lightcone-trace") throw this.#notATrace(line, 1);
    const version = value["version"];
    if (typeof version === "number" && version > TRACE_VERSION) {
      throw this.#error(
        "newer-version",
        `expected version ${TRACE_VERSION} of the format, found ${describe(version)}; read it with a newer Lightcone`,
        1,
      );
    }
    const problem = headerProblem(value);
    if (problem !== undefined) throw this.#error("bad-line", problem, 1);
    // headerProblem looked at every key.
    this.#header = value as unknown as TraceHeader;
    this.#rules = new TraceRules(this.#header);
  }

  #readEvent(value: unknown, processCount: number, rules: TraceRules): void {
    const shape = eventProblem(value, processCount);
    if (shape !== undefined) throw this.#error("bad-line", shape, this.#lines);
    // eventProblem looked at every key.
    const event = value as TraceEvent;
    const problem = rules.problem(event);
    if (problem !== undefined) throw this.#error("bad-line", problem, this.#lines);
    this.#eventCount++;
    if (this.#eventCount > EVENTS_MAX) {
      throw this.#error("too-large", `expected at most ${EVENTS_MAX} events, found more`, this.#lines);
    }
    this.#last = event;
    if (this.#onEvent === undefined) this.#events.push(event);
    else this.#onEvent(event);
  }

  #readEnd(value: unknown): void {
    const problem = endProblem(value);
    if (problem !== undefined) throw this.#error("bad-line", problem, this.#lines);
    // endProblem looked at every key.
    const { end } = value as {
      readonly end: TraceEnd & { readonly events: number; readonly checksum: string };
    };
    if (end.events !== this.#eventCount) {
      throw this.#error(
        "tampered",
        `expected ${end.events} events as the end line says, found ${this.#eventCount}; the file was changed after it was written`,
        this.#lines,
      );
    }
    const checksum = hex32(this.#checksum);
    if (end.checksum !== checksum) {
      throw this.#error(
        "tampered",
        `expected the lines before to have checksum ${end.checksum}, found ${checksum}; the file was changed after it was written`,
        this.#lines,
      );
    }
    this.#end =
      end.detail === undefined ? { stopped: end.stopped } : { stopped: end.stopped, detail: end.detail };
  }

  #parse(line: string): unknown {
    const value = parseJson(line);
    if (value === undefined) {
      throw this.#error(
        "bad-line",
        `expected an event as one JSON object, found ${described(line)}`,
        this.#lines,
      );
    }
    return value;
  }

  #notATrace(found: string, line = this.#lines + 1): TraceError {
    const hint = found.startsWith("\u001f") ? "; unzip it first" : "";
    return this.#error(
      "not-a-trace",
      `expected the header of a trace, {"format":"lightcone-trace",…}, found ${described(found)}${hint}`,
      line,
    );
  }

  #truncated(): TraceError {
    const last = this.#last === undefined ? "no complete event" : `last complete event ${idOf(this.#last)}`;
    const expected = this.#header === undefined ? "the header" : "the end line";
    return this.#error("truncated", `expected ${expected}; the file is truncated (${last})`);
  }

  #tooLong(line = this.#lines + 1): TraceError {
    return this.#error(
      "too-large",
      `expected at most ${LINE_LENGTH_MAX} characters in a line, found more`,
      line,
    );
  }

  #error(code: TraceErrorCode, problem: string, line = this.#lines + 1): TraceError {
    return new TraceError(code, `${this.#name} line ${line}: ${problem}`, { file: this.#name, line });
  }
}

const HEADER_START = '{"format":"lightcone-trace"';

function described(line: string): string {
  return line === "" ? "an empty line" : describe(line);
}

/** `undefined`, which JSON has no word for, when the text is not JSON. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Whatever it was, a syntax error or nesting that the engine gives up on, the line is not usable JSON.
    return undefined;
  }
}
