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
  const local = event.local === undefined ? "" : `,"local":${event.local}`;
  const vector = event.vector === undefined ? "" : `,"vector":[${event.vector.join(",")}]`;
  return `{"process":"${event.process}","number":${event.number},"at":${event.at}${local}${vector},"kind":"${event.kind}"${fields(event)}}`;
}

/** The last line: `events` is how many there are, `checksum` what {@link crc32} gives for all earlier lines. */
export function endLine(end: TraceEnd, events: number, checksum: string): string {
  const detail = end.detail === undefined ? "" : `,"detail":${JSON.stringify(end.detail)}`;
  return `{"end":{"stopped":"${end.stopped}"${detail},"events":${events},"checksum":"${checksum}"}}`;
}

function fields(event: TraceEvent): string {
  switch (event.kind) {
    case "start":
      return `,"incarnation":${event.incarnation}${picks(event.picks)}`;
    case "restart": {
      const saved = event.saved === undefined ? "" : `,"saved":${payload(event.saved)}`;
      return `,"incarnation":${event.incarnation}${saved}${picks(event.picks)}`;
    }
    case "receive":
      return `,"from":"${event.from}","send":${event.send}${picks(event.picks)}`;
    case "timer":
      return `,"timer":${JSON.stringify(event.timer)}${picks(event.picks)}`;
    case "command":
      return `,"command":${payload(event.command)}${picks(event.picks)}`;
    case "send":
      return `,"to":"${event.to}","message":${payload(event.message)}`;
    case "deliver":
      return `,"layer":${JSON.stringify(event.layer)},"from":"${event.from}","sequence":${event.sequence},"message":${payload(event.message)}`;
    case "output":
      return `,"value":${payload(event.value)}`;
    case "save":
      return `,"saved":${payload(event.saved)}`;
    case "explain":
      return `,"rule":${JSON.stringify(event.rule)},"terms":${payload(event.terms)}`;
    case "drop":
      return `,"from":"${event.from}","send":${event.send},"to":"${event.to}","reason":"${event.reason}"`;
    case "duplicate":
      return `,"from":"${event.from}","send":${event.send},"to":"${event.to}","copies":${event.copies}`;
    case "hold":
      return `,"from":"${event.from}","send":${event.send},"to":"${event.to}","by":${event.by},"reason":"${event.reason}"`;
    case "crash":
      return "";
    case "pause":
    case "resume":
      return `,"target":"${event.target}"`;
    case "fault":
      return `,"fault":${JSON.stringify(event.fault)},"phase":"${event.phase}"`;
  }
}

function payload(value: unknown): string {
  // JSON.stringify gives undefined for what JSON cannot carry, against its declared type.
  const text: string | undefined = JSON.stringify(value);
  return text ?? "null";
}

function picks(indices: readonly number[] | undefined): string {
  return indices === undefined || indices.length === 0 ? "" : `,"picks":[${indices.join(",")}]`;
}
