import { invariant } from "../core/index.js";
import { crc32, hex32 } from "./crc32.js";
import type { Trace, TraceEnd, TraceEvent, TraceHeader } from "./event.js";
import { EVENTS_MAX, LINE_LENGTH_MAX } from "./limits.js";
import { endLine, eventLine, headerLine } from "./lines.js";
import { TraceError } from "./trace-error.js";

/**
 * Writes a trace line by line, as a run goes on: call `header` once, `event` for each event, `end` once. Each gives
 * the text to append, line feed included.
 *
 * Throws `TraceError("too-large")` for a line beyond `LINE_LENGTH_MAX` or an event beyond `EVENTS_MAX`; nothing is
 * then counted as written, so the run can still be ended.
 */
export class TraceWriter {
  #checksum = 0;
  #events = 0;
  #phase: "header" | "events" | "ended" = "header";

  /** How many events were written. */
  get events(): number {
    return this.#events;
  }

  header(header: TraceHeader): string {
    invariant(this.#phase === "header", "a trace has one header");
    const text = this.#line(headerLine(header), "the header");
    this.#phase = "events";
    return text;
  }

  event(event: TraceEvent): string {
    if (this.#phase !== "events") invariant(false, "events stand between header and end line");
    if (this.#events >= EVENTS_MAX) {
      throw new TraceError(
        "too-large",
        `the run has more than ${EVENTS_MAX} events, which is the most a trace holds`,
        {
          eventsMax: EVENTS_MAX,
        },
      );
    }
    const text = this.#line(eventLine(event), event);
    this.#events++;
    return text;
  }

  end(end: TraceEnd): string {
    invariant(this.#phase === "events", "the end line follows the header and is the last");
    const text = this.#line(endLine(end, this.#events, hex32(this.#checksum)), "the end line");
    this.#phase = "ended";
    return text;
  }

  #line(content: string, what: TraceEvent | string): string {
    if (content.length > LINE_LENGTH_MAX) {
      const named = typeof what === "string" ? what : `event ${what.process}:${what.number} (${what.kind})`;
      throw new TraceError(
        "too-large",
        `${named} takes ${content.length} characters; a line of a trace has at most ${LINE_LENGTH_MAX}`,
        { length: content.length, lineLengthMax: LINE_LENGTH_MAX },
      );
    }
    const text = `${content}\n`;
    this.#checksum = crc32(text, this.#checksum);
    return text;
  }
}

/** A whole trace as one text; for more than some 100,000 events prefer {@link traceChunks}. */
export function writeTrace(trace: Trace): string {
  let text = "";
  for (const chunk of traceChunks(trace)) text += chunk;
  return text;
}

/** A whole trace in pieces of at least `lengthMin` characters each but the last, so that no one text holds it all. */
export function* traceChunks(trace: Trace, lengthMin = 2 ** 16): Generator<string, void, undefined> {
  const writer = new TraceWriter();
  let chunk = writer.header(trace.header);
  for (const event of trace.events) {
    chunk += writer.event(event);
    if (chunk.length >= lengthMin) {
      yield chunk;
      chunk = "";
    }
  }
  yield chunk + writer.end(trace.end);
}
