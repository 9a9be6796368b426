import { checkProcessNames, NETWORK, UsageError } from "../core/index.js";
import type { DropReason, EventKind, StopReason } from "./event.js";
import { TRACE_VERSION } from "./event.js";
import { PAYLOAD_DEPTH_MAX } from "./limits.js";
import { describe, shorten } from "./trace-error.js";

/*
 * What one line must look like, whatever stands around it. Each function takes what JSON.parse gave and answers
 * "expected …, found …", or undefined when the line has the right shape. Keys that the format does not know are
 * refused: what a reader cannot keep, it must not drop.
 */

/** One key of an object and what its value must be. */
interface Field {
  readonly key: string;
  readonly optional: boolean;
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/** Of the right shape to be an event of a run with that many processes. */
export function eventProblem(value: unknown, processCount: number): string | undefined {
  if (!isObject(value)) return `expected an event, found ${describe(value)}`;
  const kind = value["kind"];
  if (typeof kind !== "string" || !isEventKind(kind)) {
    return `expected "kind" to be one of ${Object.keys(EVENT_FIELDS).join(", ")}; found ${describe(kind)}`;
  }
  const problem = fieldsProblem(value, EVENT_FIELDS[kind], kind);
  if (problem !== undefined) return problem;
  const vector = value["vector"];
  if (vector !== undefined && (!Array.isArray(vector) || vector.length !== processCount)) {
    return `expected "vector" to have one number per process, ${processCount}, found ${describe(vector)}`;
  }
  return undefined;
}

/** Of the right shape to be a header of this version; `format` and `version` were looked at before. */
export function headerProblem(value: unknown): string | undefined {
  if (!isObject(value)) return `expected a header, found ${describe(value)}`;
  const problem = fieldsProblem(value, HEADER_FIELDS, "header");
  if (problem !== undefined) return problem;
  const processes = value["processes"];
  const names: readonly unknown[] = Array.isArray(processes) ? processes : [];
  const namesProblem = processNamesProblem(names.filter((name) => typeof name === "string"));
  if (namesProblem !== undefined) return namesProblem;
  const process = value["process"];
  if (process !== undefined && process !== NETWORK && !names.includes(process)) {
    return `expected "process" to be one of "processes" or "${NETWORK}", found ${describe(process)}`;
  }
  return undefined;
}

/** Of the right shape to be the object under `end`. */
export function endProblem(value: unknown): string | undefined {
  if (!isObject(value)) return `expected an end line, found ${describe(value)}`;
  const line = fieldsProblem(value, END_LINE_FIELDS, "end line");
  if (line !== undefined) return line;
  const end = value["end"];
  return isObject(end) ? fieldsProblem(end, END_FIELDS, "end line") : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsProblem(
  value: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  what: string,
): string | undefined {
  let known = 0;
  for (const field of fields) {
    const found = value[field.key];
    if (found === undefined) {
      if (!field.optional)
        return `expected "${field.key}" of the ${what} to be ${field.expected}, found nothing`;
    } else {
      if (!field.fits(found)) {
        return `expected "${field.key}" of the ${what} to be ${field.expected}, found ${describe(found)}`;
      }
      known++;
    }
  }
  for (const _ in value) known--;
  return known === 0 ? undefined : unknownKey(value, fields, what);
}

function unknownKey(
  value: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  what: string,
): string {
  const names = fields.map((field) => field.key);
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  return `expected the keys of the ${what} to be ${names.join(", ")}; found ${describe(unknown)}`;
}

function processNamesProblem(names: readonly string[]): string | undefined {
  try {
    checkProcessNames(names);
    return undefined;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return `expected "processes" to name the processes of a run, found that ${shorten(error.message, 200)}`;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isPositive(value: unknown): boolean {
  return isCount(value) && value >= 1;
}

function isCounts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCount);
}

/** Plain data: JSON gives nothing else but for `__proto__` keys, overflowing numbers and endless nesting. */
function isPayload(value: unknown): boolean {
  return isPlain(value, PAYLOAD_DEPTH_MAX);
}

function isPlain(value: unknown, depthMax: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depthMax === 0) return false;
  if (Array.isArray(value)) {
    for (const inner of value) if (!isPlain(inner, depthMax - 1)) return false;
    return true;
  }
  const inner = value as Readonly<Record<string, unknown>>; // neither null nor a list: an object that JSON gave
  for (const key in inner) if (key === "__proto__" || !isPlain(inner[key], depthMax - 1)) return false;
  return true;
}

function isTerms(value: unknown): boolean {
  return isObject(value) && isPayload(value);
}

function isOptions(value: unknown): boolean {
  return (
    isObject(value) && isPayload(value) && Object.values(value).every((option) => typeof option !== "object")
  );
}

function one(key: string, expected: string, fits: (value: unknown) => boolean): Field {
  return { key, expected, fits, optional: false };
}

function maybe(key: string, expected: string, fits: (value: unknown) => boolean): Field {
  return { key, expected, fits, optional: true };
}

function oneOf<Word extends string>(key: string, words: Readonly<Record<Word, true>>): Field {
  return one(
    key,
    `one of ${Object.keys(words).join(", ")}`,
    (value) => typeof value === "string" && Object.hasOwn(words, value),
  );
}

const text = (key: string): Field => one(key, "a text", isText);
const name = (key: string): Field => one(key, "the name of a process", isText);
const payload = (key: string): Field =>
  one(key, `plain data nested at most ${PAYLOAD_DEPTH_MAX} deep, without __proto__`, isPayload);
const count = (key: string): Field => one(key, "a whole number from 0", isCount);
const positive = (key: string): Field => one(key, "a whole number from 1", isPositive);

const DROP_REASONS: Readonly<Record<DropReason, true>> = {
  loss: true,
  partition: true,
  crashed: true,
  corrupt: true,
  refused: true,
  "failed-send": true,
  "failed-receive": true,
  disconnected: true,
};

const STOP_REASONS: Readonly<Record<StopReason, true>> = {
  quiescent: true,
  "time-limit": true,
  "event-limit": true,
  interrupted: true,
  lost: true,
  failed: true,
};

const BASE: readonly Field[] = [
  name("process"),
  positive("number"),
  one("at", "whole microseconds", isWhole),
  maybe("local", "whole microseconds", isWhole),
  maybe("vector", "a list of whole numbers from 0", isCounts),
  text("kind"),
];
const INPUT: readonly Field[] = [...BASE, maybe("picks", "a list of whole numbers from 0", isCounts)];
const MESSAGE_FAULT: readonly Field[] = [...BASE, name("from"), positive("send"), name("to")];

// Closed by the compiler: a kind added to the events must say what it looks like.
const EVENT_FIELDS: Readonly<Record<EventKind, readonly Field[]>> = {
  start: [...INPUT, count("incarnation")],
  restart: [...INPUT, count("incarnation"), { ...payload("saved"), optional: true }],
  receive: [...INPUT, name("from"), positive("send")],
  timer: [...INPUT, text("timer")],
  command: [...INPUT, payload("command")],
  send: [...BASE, name("to"), payload("message")],
  deliver: [...BASE, text("layer"), name("from"), positive("sequence"), payload("message")],
  output: [...BASE, payload("value")],
  save: [...BASE, payload("saved")],
  explain: [...BASE, text("rule"), one("terms", "an object of plain data", isTerms)],
  drop: [...MESSAGE_FAULT, oneOf("reason", DROP_REASONS)],
  duplicate: [
    ...MESSAGE_FAULT,
    one("copies", "a whole number from 2", (value) => isCount(value) && value >= 2),
  ],
  hold: [...MESSAGE_FAULT, count("by"), oneOf("reason", { delay: true, reorder: true })],
  crash: BASE,
  pause: [...BASE, name("target")],
  resume: [...BASE, name("target")],
  fault: [...BASE, text("fault"), oneOf("phase", { begin: true, end: true })],
};

const HEADER_FIELDS: readonly Field[] = [
  text("format"),
  one("version", String(TRACE_VERSION), (value) => value === TRACE_VERSION),
  text("lightcone"),
  oneOf("source", { simulation: true, processes: true }),
  text("lab"),
  one("processes", "a list of texts", (value) => Array.isArray(value) && value.every(isText)),
  count("seed"),
  one("options", "an object of numbers, texts and booleans", isOptions),
  text("faults"),
  count("duration"),
  maybe("transport", "a text", isText),
  maybe("process", "the name of a process", isText),
];

const END_LINE_FIELDS: readonly Field[] = [one("end", "an object", isObject)];

const END_FIELDS: readonly Field[] = [
  oneOf("stopped", STOP_REASONS),
  maybe("detail", "a text", isText),
  count("events"),
  one(
    "checksum",
    "eight hexadecimal digits",
    (value) => typeof value === "string" && /^[0-9a-f]{8}$/.test(value),
  ),
];

function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(EVENT_FIELDS, kind);
}
