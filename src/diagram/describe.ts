/** How a diagram names a message: it knows no protocol, so its caller may say. */
export interface Description {
  /** A few words: `request 4`, `P3-4 “No.” (answers P2-1)`. */
  readonly label: string;
  /** Says which message it is where the label finds no room: `P3-4`. */
  readonly short?: string;
  /** Acknowledgements, heartbeats: counted, not drawn. */
  readonly chatter: boolean;
  /**
   * What stays the same when the same message is sent again: sends of one process to another that share an id are
   * attempts at one message. Absent: every send is a message of its own.
   */
  readonly id?: string;
}

export type Describe = (message: unknown) => Description;

/** Longer names are cut with "…"; UTF-16 code units. */
export const LABEL_LENGTH_MAX = 64;

/** Quoted text in a name is cut to so many. */
const QUOTE_LENGTH_MAX = 38;

const CHATTER: ReadonlySet<string> = new Set(["ack", "nack", "heartbeat"]);
/** Of an envelope: together these say which message it carries, whatever attempt it is. */
const ENVELOPE_IDENTITY = ["kind", "incarnation", "epoch", "toEpoch", "session", "seq", "sequence"] as const;
const FIELDS_MAX = 2;
const ENVELOPES_MAX = 8;

/**
 * Names a message by its `kind` and its first short fields: `{kind: "request", timestamp: 4}` is `request 4`.
 *
 * An envelope (an object with a `body`) is named by what it carries, and so is what has a `payload`. What has a `text`
 * reads as a note: `{id: "P3-4", text: "No.", answers: "P2-1"}` is `P3-4 “No.” (answers P2-1)`, or `P3-4` for short.
 * A broadcast of which only the addressee is told is `blank (to P2)`.
 * Kinds `ack`, `nack` and `heartbeat` are chatter.
 */
export function describeMessage(message: unknown): Description {
  let inner = message;
  for (let depth = 0; depth < ENVELOPES_MAX && isRecord(inner) && inner["body"] !== undefined; depth++) {
    inner = inner["body"];
  }
  const kind = isRecord(inner) ? inner["kind"] : undefined;
  const chatter = typeof kind === "string" && CHATTER.has(kind);
  const label = cut(labelOf(inner), LABEL_LENGTH_MAX);
  const short = idIn(inner);
  const description = { label, chatter, ...(short !== undefined && short !== label && { short }) };
  const id = inner === message ? undefined : identityOf(message);
  return id === undefined ? description : { ...description, id };
}

/** Cuts to `lengthMax` UTF-16 code units, the last of them "…" when something is missing; never splits a pair. */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const end = Math.max(0, lengthMax - 1);
  const splits = end > 0 && /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, splits ? end - 1 : end)}…`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** For whom it is, when that is all that a payload tells: its text went to the addressee alone. */
export function blankFor(payload: unknown): string | undefined {
  if (!isRecord(payload) || Object.keys(payload).length !== 1) return undefined;
  return typeof payload["to"] === "string" ? payload["to"] : undefined;
}

/** A value in a sentence: `P2`, `(4, P2)`, `P1, P3` for names, `kind ack` for an object; at most 200 characters. */
export function showValue(value: unknown): string {
  return cut(show(value, 0), 200);
}

const DEPTH_MAX = 3;
const ITEMS_MAX = 12;

function show(value: unknown, depth: number): string {
  if (value === null) return "none";
  if (typeof value === "string") return value;
  // The rest of plain data; anything else that strays in here is at least named.
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "object") return typeof value;
  if (depth >= DEPTH_MAX) return "…";
  if (Array.isArray(value)) {
    const shown = value.slice(0, ITEMS_MAX).map((item) => show(item, depth + 1));
    const rest = value.length > ITEMS_MAX ? [`… ${value.length - ITEMS_MAX} more`] : [];
    // A list of names or of tuples reads as a list; anything else, such as a stamp, as a tuple.
    const names = value.length > 0 && value.every((item) => typeof item === "string");
    const nested = value.length > 0 && value.every((item) => Array.isArray(item));
    const inside = [...shown, ...rest].join(", ");
    return (names || nested) && depth === 0 ? inside : `(${inside})`;
  }
  if (isRecord(value) && typeof value["text"] === "string") return noteText(value, value["text"]);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const shown = fields.slice(0, ITEMS_MAX).map(([key, field]) => `${key} ${show(field, depth + 1)}`);
  return shown.join(", ");
}

function labelOf(message: unknown): string {
  if (typeof message === "string") return quote(message);
  if (!isRecord(message)) return showValue(message);
  const { kind, payload, text } = message;
  if (typeof payload === "string") return quote(payload);
  const addressee = kind === "broadcast" ? blankFor(payload) : undefined;
  if (addressee !== undefined) return `blank (to ${addressee})`;
  if (isRecord(payload) && PAYLOAD_NAMES.some((field) => payload[field] !== undefined))
    return labelOf(payload);
  if (typeof text === "string") return noteText(message, text);
  const words = typeof kind === "string" ? [kind] : [];
  const fields = isRecord(payload) ? { ...message, ...payload } : message;
  for (const [key, value] of Object.entries(fields)) {
    if (key === "kind" || words.length > FIELDS_MAX) continue;
    const word = shortField(key, value);
    if (word !== undefined) words.push(word);
  }
  return words.length === 0 ? "message" : words.join(" ");
}

/** With one of these a payload has a name of its own. */
const PAYLOAD_NAMES = ["kind", "id", "text"] as const;

/** `P3-4 “No.” (answers P2-1)`: which one, what it says, and what else is known of it in a few words. */
function noteText(note: Readonly<Record<string, unknown>>, text: string): string {
  const words = [note["kind"], note["id"]].flatMap((one) => shortField("", one) ?? []);
  const more: string[] = [];
  for (const [key, value] of Object.entries(note)) {
    if (key === "kind" || key === "id" || key === "text" || more.length >= FIELDS_MAX) continue;
    const word = shortField(key, value);
    if (word !== undefined) more.push(word === key ? key : `${key} ${word}`);
  }
  return [...words, quote(text), ...(more.length === 0 ? [] : [`(${more.join(", ")})`])].join(" ");
}

/** The name that a message, or what it carries, has in so many words. */
function idIn(message: unknown): string | undefined {
  if (!isRecord(message)) return undefined;
  const carried = message["payload"];
  const id = isRecord(carried) ? carried["id"] : message["id"];
  return typeof id === "string" || typeof id === "number" ? shortField("id", id) : undefined;
}

function shortField(key: string, value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return String(value);
    case "string":
      return value.length > 0 && value.length <= 16 ? value : undefined;
    case "boolean":
      return value ? key : undefined;
    default:
      return Array.isArray(value) && value.length <= 4 && value.every(isScalar)
        ? showValue(value)
        : undefined;
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && value.length <= 16);
}

function quote(text: string): string {
  return `“${cut(text, QUOTE_LENGTH_MAX)}”`;
}

function identityOf(envelope: unknown): string | undefined {
  if (!isRecord(envelope) || (envelope["seq"] ?? envelope["sequence"]) === undefined) return undefined;
  return JSON.stringify(ENVELOPE_IDENTITY.map((field) => envelope[field]));
}
