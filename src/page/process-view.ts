/** What the page of one process shows: plain data, sent whole whenever something changes. */
export interface ProcessView {
  /** The id on the command line, such as `0`. */
  readonly pid: string;
  /** The name in traces and to people, such as `P0`. */
  readonly name: string;
  readonly transport: string;
  readonly address: string;
  /** One entry per process, in their order: how many of its messages are delivered here; the own entry counts sends. */
  readonly vector: readonly { readonly process: string; readonly count: number }[];
  readonly peers: readonly PeerView[];
  readonly sent: MessageList<SentView>;
  readonly received: MessageList<ReceivedView>;
  readonly waiting: MessageList<WaitingView>;
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  /** The last line of the log. */
  readonly status: { readonly tone: Tone; readonly text: string };
}

export type Tone = "plain" | "good" | "warn" | "bad";

/** The newest of them; `total` counts all there ever were, or all there are for those that wait. */
export interface MessageList<Message> {
  readonly total: number;
  readonly newest: readonly Message[];
}

export interface PeerView {
  readonly process: string;
  readonly address: string;
  readonly state: "here" | "away" | "given-up" | "unknown";
  /** What else there is to say, such as how often it was tried. */
  readonly detail: string;
}

export interface SentView {
  /** Counted from 1: the sender's own entry. */
  readonly number: number;
  readonly text: string;
  /** Absent: to all. */
  readonly to?: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly stamp: readonly number[];
  readonly copies: readonly { readonly process: string; readonly left: boolean }[];
}

export interface ReceivedView {
  readonly from: string;
  readonly number: number;
  /** Absent: it was for `to` alone, and only its place in the order came here. */
  readonly text?: string;
  readonly to?: string;
  readonly at: number;
  readonly stamp: readonly number[];
  /** How long it waited for others, in milliseconds; absent when it did not. */
  readonly waitedMs?: number;
}

export interface WaitingView {
  readonly from: string;
  readonly number: number;
  readonly since: number;
  readonly stamp: readonly number[];
  /** The messages it waits for: from `first` to `last` of each process. */
  readonly missing: readonly { readonly process: string; readonly first: number; readonly last: number }[];
}
