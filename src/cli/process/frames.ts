import * as v from "valibot";
import type { ProcessId } from "../../core/index.js";
import type { Utterance } from "../../labs/index.js";
import { TEXT_BYTES_MAX } from "./participant.js";
import type { Stamped } from "./story.js";

/** A request for repair names no more gaps than this; see `reliable`. */
const GAPS_MAX = 64;

/** What the processes of a group send each other, checked: who is on the other end of a link is not trusted. */
export class Frames {
  readonly #processes: readonly ProcessId[];
  readonly #frame;
  readonly #broadcast;

  constructor(processes: readonly ProcessId[]) {
    this.#processes = processes;
    this.#broadcast = v.strictObject({
      kind: v.literal("broadcast"),
      stamp: v.pipe(v.array(count), v.length(processes.length)),
      payload: v.strictObject({
        text: v.optional(v.pipe(v.string(), v.maxBytes(TEXT_BYTES_MAX))),
        to: v.optional(v.picklist(processes)),
      }),
    });
    const base = { epoch: count, toEpoch: count, ack: count };
    this.#frame = v.variant("kind", [
      v.strictObject({ ...base, kind: v.literal("data"), seq: positive, body: this.#broadcast }),
      v.strictObject({ ...base, kind: v.literal("ack") }),
      v.strictObject({ ...base, kind: v.literal("nack"), missing: ranges }),
      v.strictObject({ ...base, kind: v.literal("heartbeat"), highest: count }),
    ]);
  }

  /** What is wrong with it, or `undefined`. */
  problemOf(from: ProcessId, message: unknown): string | undefined {
    const read = v.safeParse(this.#frame, message);
    if (!read.success) {
      const where = read.issues[0].path?.map(({ key }) => String(key)).join(".") ?? "";
      return `what is no message of this protocol${where === "" ? "" : ` (wrong: ${where})`}`;
    }
    const { output } = read;
    const uncounted = output.kind === "data" && output.body.stamp[this.#processes.indexOf(from)] === 0;
    return uncounted ? "a message that it has not counted" : undefined;
  }

  /** The broadcast that a frame carries, if it carries one. */
  bodyOf(frame: unknown): Stamped | undefined {
    if (typeof frame !== "object" || frame === null || !("body" in frame)) return undefined;
    return this.broadcastOf(frame.body);
  }

  broadcastOf(body: unknown): Stamped | undefined {
    const read = v.safeParse(this.#broadcast, body);
    if (!read.success) return undefined;
    const { stamp, payload } = read.output;
    return { stamp, payload: utteranceOf(payload) };
  }
}

/** Reads an utterance from plain data; whatever is none has neither text nor addressee. */
export function utteranceOf(payload: unknown): Utterance {
  if (typeof payload !== "object" || payload === null) return {};
  const text = "text" in payload && typeof payload.text === "string" ? payload.text : undefined;
  const to = "to" in payload && typeof payload.to === "string" ? payload.to : undefined;
  return { ...(text !== undefined && { text }), ...(to !== undefined && { to }) };
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const ranges = v.pipe(v.array(v.tuple([positive, positive])), v.maxLength(GAPS_MAX));
