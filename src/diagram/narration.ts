import type { TraceEvent } from "../trace/index.js";
import { blankFor, cut, describeMessage, isRecord, showValue, type Describe } from "./describe.js";
import { dropReasonText } from "./messages.js";
import { phaseOfOutput, type PhaseOf } from "./phases.js";

/**
 * A sentence template for every `explain` rule, terms in braces: `defers {peer}: its own request {own} is earlier`.
 *
 * Under `output:KIND` stands one for the outputs of that `kind`, filled with their fields; empty: they are not told.
 */
export type Narration = Readonly<Record<string, string>>;

/** What a diagram needs to put events into words. All of it has defaults. */
export interface Wording {
  readonly narration?: Narration;
  readonly describe?: Describe;
  readonly phaseOf?: PhaseOf;
  /** Words for an output, to be read after the process's name; `undefined` leaves it to the default. */
  readonly describeOutput?: (output: unknown) => string | undefined;
}

/** Longer sentences are cut with "…"; UTF-16 code units. */
export const SENTENCE_LENGTH_MAX = 300;

/**
 * Fills a template: `{own}` becomes `(4, P2)` when the terms hold `own: [4, "P2"]`. A term that is missing stays visible
 * as `{own}`: a wrong sentence would be worse.
 */
export function fillTemplate(template: string, terms: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{([A-Za-z0-9_.-]+)\}/g, (hole, name: string) =>
    Object.hasOwn(terms, name) && terms[name] !== undefined ? showValue(terms[name]) : hole,
  );
}

/** The sentence of an `explain`; a rule without a template shows its name and its terms. */
export function explainText(
  narration: Narration,
  rule: string,
  terms: Readonly<Record<string, unknown>>,
): string {
  const template = Object.hasOwn(narration, rule) ? narration[rule] : undefined;
  if (template !== undefined) return cut(fillTemplate(template, terms), SENTENCE_LENGTH_MAX);
  return cut(`${rule}: ${showValue(terms)}`, SENTENCE_LENGTH_MAX);
}

/** What an event is, in words that follow the process's name: `P2` + `enters the critical section`. */
export function eventText(event: TraceEvent, wording: Wording = {}): string {
  return cut(wordsOf(event, wording), SENTENCE_LENGTH_MAX);
}

function wordsOf(event: TraceEvent, wording: Wording): string {
  switch (event.kind) {
    case "start":
      return event.incarnation === 0 ? "starts" : `starts again (incarnation ${event.incarnation})`;
    case "restart":
      return event.saved === undefined ? "restarts with nothing saved" : "restarts from what it had saved";
    case "receive":
      return `receives a message from ${event.from}`;
    case "timer":
      return `timer ${event.timer} fires`;
    case "command":
      return privateText(event.command) ?? `is told to ${actionText(event.command)}`;
    case "send":
      return `sends ${(wording.describe ?? describeMessage)(event.message).label} to ${event.to}`;
    case "deliver": {
      const addressee = event.layer.includes("broadcast") ? blankFor(event.message) : undefined;
      if (addressee !== undefined)
        return `learns that message ${event.sequence} of ${event.from} is for ${addressee}`;
      return `delivers ${(wording.describe ?? describeMessage)(event.message).label} from ${event.from}`;
    }
    case "output":
      return outputText(event.value, wording);
    case "save":
      return "saves its state";
    case "explain":
      return explainText(wording.narration ?? {}, event.rule, event.terms);
    case "drop":
      return `message ${event.from} → ${event.to} ${dropReasonText(event.reason, event.from, event.to)}`;
    case "duplicate":
      return `message ${event.from} → ${event.to} will arrive ${event.copies} times`;
    case "hold":
      return `message ${event.from} → ${event.to} is held back ${event.by / 1000} ms (${event.reason})`;
    case "crash":
      return "crashes: it forgets everything it has not saved";
    case "pause":
      return `${event.target} is paused`;
    case "resume":
      return `${event.target} continues`;
    case "fault":
      return `${event.fault} ${event.phase === "begin" ? "begins" : "ends"}`;
  }
}

/** Whether an output goes without words, because its step's explanations say it all. */
export function isUntold(event: TraceEvent, { narration = {} }: Wording): boolean {
  return event.kind === "output" && outputTemplate(event.value, narration) === "";
}

function outputTemplate(output: unknown, narration: Narration): string | undefined {
  const kind = isRecord(output) ? output["kind"] : undefined;
  const rule = `output:${typeof kind === "string" ? kind : ""}`;
  return Object.hasOwn(narration, rule) ? narration[rule] : undefined;
}

function outputText(output: unknown, wording: Wording): string {
  const given = wording.describeOutput?.(output);
  if (given !== undefined) return given;
  const template = outputTemplate(output, wording.narration ?? {});
  if (template !== undefined && template !== "" && isRecord(output)) return fillTemplate(template, output);
  switch ((wording.phaseOf ?? phaseOfOutput)(output)) {
    case "waiting":
      return "asks for the critical section";
    case "inside":
      return "enters the critical section";
    case "idle":
      return "leaves the critical section";
    case undefined:
      return `reports ${actionText(output)}`;
  }
}

/** A broadcast whose contents only one process gets, as `says “secret” to P2 alone`; `undefined` for anything else. */
function privateText(command: unknown): string | undefined {
  if (!isRecord(command) || command["kind"] !== "broadcast") return undefined;
  const { only, payload } = command;
  if (!isRecord(only) || typeof only["to"] !== "string") return undefined;
  const contents = isRecord(payload) ? { ...payload, to: undefined } : payload;
  return `says ${describeMessage(contents).label} to ${only["to"]} alone`;
}

/** `{kind: "broadcast", payload: "hi"}` as `broadcast “hi”`. */
function actionText(value: unknown): string {
  if (!isRecord(value) || typeof value["kind"] !== "string") return showValue(value);
  const { kind, ...rest } = value;
  const words = Object.values(rest)
    .filter((field) => field !== undefined)
    .map((field) => (typeof field === "string" ? `“${field}”` : showValue(field)));
  return [kind, ...words].join(" ");
}
