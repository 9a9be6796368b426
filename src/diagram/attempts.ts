import type { Trace } from "../trace/index.js";
import type { Describe, Description } from "./describe.js";
import type { MessagePath, MessagePaths } from "./messages.js";

/** One send in the words of its description, with its place among the attempts to get the message across. */
export interface Attempt {
  readonly path: MessagePath;
  readonly description: Description;
  /** 1 for the first send, 2 for its first repetition. */
  readonly number: number;
  /** Place in `trace.events` where the message first arrived, whichever attempt that was. */
  firstArrival: number | undefined;
  /** Something sent later on the same link arrived before it. */
  overtaken: boolean;
}

/** Describes every message and groups the sends that repeat one another; keyed by path. */
export function attemptsOf(
  trace: Trace,
  paths: MessagePaths,
  describe: Describe,
): ReadonlyMap<MessagePath, Attempt> {
  const attempts = new Map<MessagePath, Attempt>();
  const repeated = new Map<string, Attempt[]>();
  for (const path of paths.all) {
    const description = describe(path.message);
    const attempt: Attempt = {
      path,
      description,
      number: 1,
      firstArrival: path.receives[0],
      overtaken: false,
    };
    if (description.id === undefined) {
      attempts.set(path, attempt);
      continue;
    }
    const key = JSON.stringify([path.from, path.to, description.id]);
    const same = repeated.get(key) ?? [];
    const numbered = { ...attempt, number: same.length + 1 };
    same.push(numbered);
    repeated.set(key, same);
    attempts.set(path, numbered);
  }
  for (const same of repeated.values()) {
    const first = same.reduce((least, { path }) => Math.min(least, path.receives[0] ?? Infinity), Infinity);
    for (const attempt of same) attempt.firstArrival = first === Infinity ? undefined : first;
  }
  markOvertaken(trace, paths, attempts);
  return attempts;
}

/** Whether this send is the one that got the message across. */
export function gotThrough(attempt: Attempt): boolean {
  return attempt.firstArrival !== undefined && attempt.firstArrival === attempt.path.receives[0];
}

function markOvertaken(trace: Trace, paths: MessagePaths, attempts: ReadonlyMap<MessagePath, Attempt>): void {
  const newestSend = new Map<string, number>();
  trace.events.forEach((event, index) => {
    const path = event.kind === "receive" ? paths.at(index) : undefined;
    const attempt = path === undefined ? undefined : attempts.get(path);
    if (path === undefined || attempt === undefined || attempt.description.chatter) return;
    const link = `${path.from}>${path.to}`;
    const newest = newestSend.get(link) ?? -1;
    if (path.send < newest) attempt.overtaken = true;
    else newestSend.set(link, path.send);
  });
}
