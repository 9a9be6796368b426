import type { TraceEnd, TraceEvent, TraceHeader } from "./event.js";

/*
 * The text of each line, without its line feed. Keys have one order, so that equal runs are equal byte by byte;
 * inside a payload they keep the order in which the protocol built it.
 */

/** The first line. */
export function headerLine(header: TraceHeader): string {
  return JSON.stringify({
    format: header.format,
    version: header.version,
    lightcone: header.lightcone,
    source: header.source,
    lab: header.lab,
    processes: header.processes,
    seed: header.seed,
    options: Object.fromEntries(Object.entries(header.options).sort(([a], [b]) => (a < b ? -1 : 1))),
    faults: header.faults,
    duration: header.duration,
    transport: header.transport,
    process: header.process,
  });
}

/** One event. Payloads are plain data; an absent payload is written as null. */
export function eventLine(event: TraceEvent): string {
  const line = new LineText();
  writeEvent(line, event);
  return line.text;
}

/**
 * Where the pieces of an event's line go, in order: a text, or bytes without the text in between. What comes before a
 * value, its key with all punctuation, and every word are printable ASCII, to be taken as they are.
 */
export interface LineSink {
  literal(text: string): void;
  word(before: string, word: string): void;
  /** A whole number. */
  number(before: string, value: number): void;
  /** What `JSON.stringify` gives for the value, or `null` when it gives nothing. */
  json(before: string, value: unknown): void;
}

/** Writes what {@link eventLine} gives. */
export function writeEvent(line: LineSink, event: TraceEvent): void {
  line.word('{"process":"', event.process);
  line.number('","number":', event.number);
  line.number(',"at":', event.at);
  if (event.local !== undefined) line.number(',"local":', event.local);
  if (event.vector !== undefined) numbers(line, ',"vector":[', event.vector);
  line.word(',"kind":"', event.kind);
  writeFields(line, event);
  line.literal("}");
}

/** The last line: `events` is how many there are, `checksum` what {@link crc32} gives for all earlier lines. */
export function endLine(end: TraceEnd, events: number, checksum: string): string {
  const detail = end.detail === undefined ? "" : `,"detail":${JSON.stringify(end.detail)}`;
  return `{"end":{"stopped":"${end.stopped}"${detail},"events":${events},"checksum":"${checksum}"}}`;
}

/** Begins by closing the quotes around the kind. */
function writeFields(line: LineSink, event: TraceEvent): void {
  switch (event.kind) {
    case "start":
      line.number('","incarnation":', event.incarnation);
      return picks(line, event.picks);
    case "restart":
      line.number('","incarnation":', event.incarnation);
      if (event.saved !== undefined) line.json(',"saved":', event.saved);
      return picks(line, event.picks);
    case "receive":
      line.word('","from":"', event.from);
      line.number('","send":', event.send);
      return picks(line, event.picks);
    case "timer":
      line.json('","timer":', event.timer);
      return picks(line, event.picks);
    case "command":
      line.json('","command":', event.command);
      return picks(line, event.picks);
    case "send":
      line.word('","to":"', event.to);
      return line.json('","message":', event.message);
    case "deliver":
      line.json('","layer":', event.layer);
      line.word(',"from":"', event.from);
      line.number('","sequence":', event.sequence);
      return line.json(',"message":', event.message);
    case "output":
      return line.json('","value":', event.value);
    case "save":
      return line.json('","saved":', event.saved);
    case "explain":
      line.json('","rule":', event.rule);
      return line.json(',"terms":', event.terms);
    case "drop":
      messageFault(line, event);
      return quoted(line, '","reason":"', event.reason);
    case "duplicate":
      messageFault(line, event);
      return line.number('","copies":', event.copies);
    case "hold":
      messageFault(line, event);
      line.number('","by":', event.by);
      return quoted(line, ',"reason":"', event.reason);
    case "crash":
      return line.literal('"');
    case "pause":
    case "resume":
      return quoted(line, '","target":"', event.target);
    case "fault":
      line.json('","fault":', event.fault);
      return quoted(line, ',"phase":"', event.phase);
  }
}

/** Leaves the quotes around `to` open. */
function messageFault(
  line: LineSink,
  event: Extract<TraceEvent, { kind: "drop" | "duplicate" | "hold" }>,
): void {
  line.word('","from":"', event.from);
  line.number('","send":', event.send);
  line.word(',"to":"', event.to);
}

function quoted(line: LineSink, before: string, word: string): void {
  line.word(before, word);
  line.literal('"');
}

function picks(line: LineSink, indices: readonly number[] | undefined): void {
  if (indices !== undefined && indices.length > 0) numbers(line, ',"picks":[', indices);
}

function numbers(line: LineSink, before: string, values: readonly number[]): void {
  if (values.length === 0) line.literal(before);
  for (let i = 0; i < values.length; i++) line.number(i === 0 ? before : ",", values[i] ?? 0);
  line.literal("]");
}

class LineText implements LineSink {
  text = "";

  literal(text: string): void {
    this.text += text;
  }

  word(before: string, word: string): void {
    this.text += before + word;
  }

  number(before: string, value: number): void {
    this.text += before + value;
  }

  json(before: string, value: unknown): void {
    this.text += before + jsonText(value);
  }
}

/** `JSON.stringify`, which gives undefined for what JSON cannot carry, against its declared type. */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  return text ?? "null";
}
