import { nearestName, type Plain } from "../../core/index.js";

/**
 * What a server does, as a pure state machine: it runs the same in a simulation, in a check and for real.
 *
 * State, arguments and values are plain data; or, for a service of `payload: "bytes"`, arguments and values are bytes
 * that nobody looks into on the way.
 */
export interface Service<State, Method extends string = string, Payload = Plain> {
  /** Kebab-case: what the user types. */
  readonly name: string;

  /** In the order a user should meet them. */
  readonly methods: readonly Method[];

  /**
   * Methods whose calls fetch a part of a row of items: see `StreamPart`. Such a call has no effect, and what it gives
   * follows from its arguments alone; so nothing is kept of it, and a copy of its request is answered anew.
   */
  readonly streams?: readonly Method[];

  /** The fields of every method's arguments, in the order in which they stand on a command line. */
  readonly parameters: readonly Parameter[];

  readonly initial: State;

  /** Absent: plain data. */
  readonly payload?: "bytes";

  /** What a caller leaves to chance: fills it in from a random whole number below 2^53, before the call. */
  prepare?(method: string, args: Payload, entropy: number): Payload;

  /**
   * Why such a call can never run, for the caller to read; `undefined` when it can. Depends on nothing else: what is
   * refused here is refused in every state, so the caller knows that it did not run.
   */
  check(method: string, args: Payload): string | undefined;

  /** Runs a call that `check` let through. */
  handle(state: State, method: string, args: Payload): Handled<State, Payload>;
}

/** Bytes that lie somewhere: `bytes.subarray(start, end)`, without the cost of making that view. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** All of an array. */
export function rangeOf(bytes: Uint8Array): ByteRange {
  return { bytes, start: 0, end: bytes.length };
}

/**
 * A service of bytes. Arguments lie in what has just arrived, and are there during `check` and `handle` alone. The value
 * may be they, or a part of them; any other must not change later.
 */
export interface BytesService<State, Method extends string = string> extends Service<
  State,
  Method,
  ByteRange
> {
  readonly payload: "bytes";
}

export interface Parameter {
  readonly name: string;
  readonly kind: "number" | "text";
  /** Only after all that are not. */
  readonly optional?: true;
}

export interface Handled<State, Payload = Plain> {
  readonly state: State;
  readonly value: Payload;
}

/** What to tell the caller of a method that there is not, with the nearest that there is; `undefined` when there is. */
export function unknownMethod(method: string, methods: readonly string[]): string | undefined {
  if (methods.includes(method)) return undefined;
  const nearest = nearestName(method, methods);
  const hint = nearest === undefined ? "" : `did you mean ${nearest}? `;
  return `there is no such method; ${hint}give one of ${methods.join(", ")}`;
}
