import { escapeText, LightconeError } from "../core/index.js";
import type { CallOutcome } from "../protocols/index.js";

/** One of the formats that the published programs speak, as server and as client: a row of `CLASSIC_FORMATS`. */
export interface ClassicFormat {
  /** The name of the service that means the same with frames. */
  readonly service: string;
  /** Where the published programs are, for examples: `tcp://127.0.0.1:65432`. Nothing is used unless given. */
  readonly usual: string;
  /** Command lines after `lightcone call SERVICE`, each with what it does. */
  readonly calls: readonly (readonly [words: string, about: string])[];
  /** What `call` knows. */
  readonly methods: readonly string[];
  serve(options: ClassicServeOptions): Promise<ClassicServer>;
  /** Rejects with `UsageError` for words that are no call, and with `TransportError` when nobody is there. */
  call(method: string, words: readonly string[], options: ClassicCallOptions): Promise<CallOutcome>;
}

export interface ClassicServeOptions {
  readonly at: string;
  /** A line for each call, and for each client that broke the rules; no text in it is dangerous to a terminal. */
  readonly log: (line: string) => void;
  /** hello: greetings are in base64, which hides nothing. */
  readonly base64?: boolean;
  /** random-numbers: decides every number; without it they are the system's. */
  readonly seed?: number;
  readonly limits?: Partial<ClassicLimits>;
}

export interface ClassicCallOptions {
  readonly to: string;
  /** For all of the call. Milliseconds. */
  readonly msMax: number;
  readonly signal?: AbortSignal;
  readonly base64?: boolean;
  /** Told of each step on the way: `acknowledged: Data received`. */
  readonly step?: (line: string) => void;
}

export interface ClassicServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: string;
  /** Calls answered, errors not counted. */
  readonly served: number;
  /** Stops listening and ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** What a client may cost a classic server; beyond it, it is told why where the format has words, and cut off. */
export interface ClassicLimits {
  readonly connectionsMax: number;
  /** Longest text of a request. Bytes. */
  readonly requestBytesMax: number;
  /** From connecting to a whole request, however slowly it comes. Milliseconds. */
  readonly requestMsMax: number;
  /** How long a client may take no replies. Milliseconds. */
  readonly replyMsMax: number;
}

export const CLASSIC_LIMITS: ClassicLimits = {
  connectionsMax: 1_000,
  requestBytesMax: 1_024,
  requestMsMax: 10_000,
  replyMsMax: 10_000,
};

/** The other side answered as no program of this format does; `facts` has what came. */
export class ClassicError extends LightconeError {}

/** Text of a peer for one line of a log: escaped, in quotes, cut at 60 characters. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `"${escapeText(shown)}"`;
}

/** What text beginning so is: the reason why a request was not answered. */
export const ERROR_PREFIX = "error: ";
