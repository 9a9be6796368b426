import type { EventId, Plain } from "../core/index.js";
import { idOf, type TraceEvent } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { operationOutput } from "./operation-output.js";
import { Violations } from "./violations.js";

interface Stream {
  readonly begun: EventId;
  readonly process: string;
  delivered: number;
  count: number;
  /** A part of it was given up: it need not be complete. */
  brokenOff: boolean;
}

interface Part {
  readonly stream: string;
  readonly from: number;
  readonly most: number;
  readonly max: number;
}

/**
 * Every stream of numbers is complete, in order and in range, without gap or repeat, however many parts were lost.
 *
 * A stream is known by its seed: a consumer that crashed and came back goes on with it.
 */
export const streamsComplete: Checker = {
  name: "streams-complete",
  claim:
    "every stream is delivered in order, without gap or repeat, in range, and to its end unless it is given up",
  kinds: ["output"],
  begin() {
    let parts = 0;
    const asked = new Map<string, Part>();
    const streams = new Map<string, Stream>();
    const violations = new Violations("streams-complete");
    return {
      observe(event) {
        const output = operationOutput(event);
        if (output?.kind === "invoked") {
          const part = partOf(event.process, output.what);
          if (part === undefined) return;
          asked.set(output.id, part);
          if (streams.has(part.stream)) return;
          const begun = { begun: idOf(event), process: event.process };
          streams.set(part.stream, { ...begun, delivered: 0, count: Infinity, brokenOff: false });
        }
        if (output?.kind !== "completed") return;
        const part = asked.get(output.id);
        const stream = part && streams.get(part.stream);
        if (part === undefined || stream === undefined) return;
        stream.brokenOff = output.outcome !== "ok";
        if (output.outcome !== "ok") return;
        parts++;
        const problem = problemOf(part, stream, output.value);
        if (problem === undefined) return;
        violations.add(
          `${event.process} was given ${problem} at ${idOf(event)}, part of the stream of ${stream.begun}`,
          [idOf(event), stream.begun],
        );
      },
      finish(end) {
        if (end.stopped !== "quiescent") return violations.found;
        for (const { begun, process, delivered, count, brokenOff } of streams.values()) {
          if (brokenOff || delivered === count) continue;
          const message = `${process} has ${delivered} of ${count} items of the stream of ${begun}, and nothing is left to happen`;
          violations.add(message, [begun]);
        }
        return violations.found;
      },
      occasions: () => parts,
    };
  },
};

/** Adds a part to its stream; says what is wrong with it. */
function problemOf({ from, most, max }: Part, stream: Stream, value: Plain): string | undefined {
  const { items, count } = fields(value);
  if (!Array.isArray(items) || typeof count !== "number") return "no part of a stream";
  if (from !== stream.delivered) return `items from ${from} on, with ${stream.delivered} delivered`;
  if (items.length === 0 || items.length > most)
    return `${items.length} items, having asked for ${most} at most`;
  const wrong: unknown = items.find((item) => !(Number.isInteger(item) && item >= 1 && item <= max));
  if (wrong !== undefined) return `${JSON.stringify(wrong)}, which is not a number from 1 to ${max}`;
  if (count < from + items.length) return `more items than the ${count} there are`;
  stream.delivered += items.length;
  stream.count = count;
  return undefined;
}

function partOf(process: TraceEvent["process"], what: Plain): Part | undefined {
  const [, args] = Array.isArray(what) ? (what as readonly Plain[]) : [];
  const { seed, from, most, max } = fields(args ?? null);
  if (typeof seed !== "number" || typeof from !== "number") return undefined;
  if (typeof most !== "number" || typeof max !== "number") return undefined;
  return { stream: `${process} ${seed}`, from, most, max };
}

function fields(value: Plain): Readonly<Record<string, Plain | undefined>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return value as Readonly<Record<string, Plain | undefined>>;
}
