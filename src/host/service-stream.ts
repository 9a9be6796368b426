import { UsageError, type Plain } from "../core/index.js";
import {
  fieldsOf,
  STREAM_PART_MAX,
  streamPart,
  type CallOutcome,
  type StreamPart,
} from "../protocols/index.js";
import { ServiceError } from "./service-frames.js";

/** Parts that are fetched ahead of the consumer. */
export const STREAM_AHEAD = 4;

/** The first part is small, so that it is there at once; each next one is twice as large, up to the service's limit. */
const FIRST_PART = 16;

/** Gives the outcome of a call that fetches one part. */
export type FetchPart = (from: number, most: number) => Promise<CallOutcome>;

/** The items of a stream, in order, each once. Nothing is fetched until somebody asks for the first. */
export interface ServiceStream extends AsyncIterable<Plain> {
  /** The same, as many at a time as arrived together: for many items that is some ten times as fast. */
  batches(): AsyncIterable<readonly Plain[]>;
}

/**
 * A stream as a row of calls: a few parts are under way while the consumer is at work, and no more, so a slow consumer
 * holds the server up and nobody's memory. Who stops asking ends it.
 *
 * The iteration ends when every item has been delivered. Otherwise it throws `ServiceError`: `failed`, the server
 * refused; `unknown`, a part did not come within its time; `malformed`, it answered with what is no part.
 */
export function serviceStream(fetch: FetchPart): ServiceStream {
  return {
    batches: () => batches(fetch),
    async *[Symbol.asyncIterator]() {
      for await (const items of batches(fetch)) yield* items;
    },
  };
}

interface Fetched {
  readonly from: number;
  readonly most: number;
  readonly outcome: Promise<CallOutcome>;
}

async function* batches(fetch: FetchPart): AsyncGenerator<readonly Plain[]> {
  const underWay: Fetched[] = [];
  const ask = (from: number, most: number): Fetched => ({ from, most, outcome: fetch(from, most) });
  let next = 0;
  let size = FIRST_PART;
  // How many there are, once the first part has said so.
  let count = Infinity;
  let delivered = 0;
  while (delivered < count) {
    const ahead = count === Infinity ? 1 : STREAM_AHEAD;
    while (underWay.length < ahead && next < count) {
      underWay.push(ask(next, size));
      next += size;
      size = Math.min(2 * size, STREAM_PART_MAX);
    }
    const asked = underWay.shift();
    if (asked === undefined) return;
    const part = partFrom(await asked.outcome, asked);
    count = part.count;
    const { items } = part;
    delivered += items.length;
    if (items.length === 0 && delivered < count) throw malformed("an empty part");
    // What it left out of the part comes before the next one.
    const left = Math.min(asked.most, count - asked.from) - items.length;
    if (left > 0) underWay.unshift(ask(delivered, left));
    if (items.length > 0) yield items;
  }
}

function partFrom(outcome: CallOutcome, { from, most }: Fetched): StreamPart {
  if (outcome.kind !== "ok") throw new ServiceError(outcome.kind, `the stream broke off: ${outcome.reason}`);
  const part = streamPart(outcome.value);
  if (part === undefined || part.from !== from || part.items.length > most)
    throw malformed("no part of a stream");
  return part;
}

function malformed(what: string): ServiceError {
  return new ServiceError("malformed", `the server answered with ${what}`);
}

/** Arguments of a call for a part; throws `UsageError` for arguments that have no fields to add to. */
export function partArguments(args: Plain, from: number, most: number): Plain {
  const fields = fieldsOf(args);
  if (fields === undefined) throw new UsageError("the arguments of a stream are an object");
  return { ...fields, from, most };
}
