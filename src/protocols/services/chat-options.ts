import { invariant, MILLISECOND, SECOND, type Duration, type ProcessId } from "../../core/index.js";

export interface ChatOptions {
  /** Who keeps the rooms; everybody else is a member. */
  readonly server: ProcessId;
  readonly room: string;
  /** What a member is called. Default: by its process. */
  readonly nameOf: (member: ProcessId) => string;
  /** So many messages may be under way to a member without its word that it has them. */
  readonly window: number;
  /** A member says what it has after so many messages, or after {@link haveAfter}. */
  readonly haveEvery: number;
  readonly haveAfter: Duration;
  /** A member that is behind and silent is asked so often what it has. */
  readonly heartbeat: Duration;
  /** Heartbeats without an answer after which the server takes a member for gone; joins without one, likewise. */
  readonly attemptsMax: number;
  /** First wait before a join or a post is sent again; doubles up to `retryMax`. */
  readonly retry: Duration;
  readonly retryMax: Duration;
  /** When a post's author learns at the latest how it ended. */
  readonly deadline: Duration;
  /** Posts of one member without an outcome; one more fails. */
  readonly postsMax: number;
  readonly roomsMax: number;
  readonly membersMax: number;
}

export const CHAT_DEFAULTS: Omit<ChatOptions, "server"> = {
  room: "lobby",
  nameOf: (member) => member,
  window: 512,
  haveEvery: 128,
  haveAfter: 100 * MILLISECOND,
  heartbeat: SECOND,
  attemptsMax: 30,
  retry: 200 * MILLISECOND,
  retryMax: 2 * SECOND,
  deadline: 30 * SECOND,
  postsMax: 256,
  roomsMax: 1_000,
  membersMax: 10_000,
};

export function chatOptions(given: Partial<ChatOptions> & Pick<ChatOptions, "server">): ChatOptions {
  const options = { ...CHAT_DEFAULTS, ...given };
  const { window, haveEvery, attemptsMax, postsMax } = options;
  // A member that waited for more than it may be sent would wait for ever.
  invariant(
    haveEvery >= 1 && haveEvery <= window,
    `a word every ${haveEvery} messages, in a window of ${window}`,
  );
  invariant(attemptsMax >= 1 && postsMax >= 1, "at least one attempt, and one post");
  return options;
}
