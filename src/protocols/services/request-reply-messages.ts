import type { Duration, OperationId, Plain } from "../../core/index.js";

/** What a client sends. `incarnation` is the client's; with `seq` it names the call, in every attempt the same. */
export type ToServer<Payload = Plain> =
  /** Asks which incarnation of the server is there; in mode at-most-once only. */
  { readonly kind: "bind" } | Asked<Payload>;

/** What is said of one call. */
export type Asked<Payload = Plain> =
  | ({
      readonly kind: "request";
      readonly method: string;
      readonly args: Payload;
      /** What is left of the caller's time; not a point in time, for the clocks differ. */
      readonly budget: Duration;
    } & CallHeader)
  /** Asks not to run the call any more. */
  | ({ readonly kind: "cancel" } & CallHeader);

export interface CallHeader {
  /** Counted from 1 in each incarnation of the client. */
  readonly seq: number;
  readonly incarnation: number;
  /** The client has the outcome of every call up to this one: the server may forget them. */
  readonly ackUpTo: number;
  /** In mode at-most-once: the only incarnation of the server that may run it. */
  readonly server?: number;
}

/** What the server sends. */
export type ToClient<Payload = Plain> =
  { readonly kind: "bound"; readonly server: number } | Answered<Payload>;

/** What the server says of one call. */
export type Answered<Payload = Plain> =
  /** The request has arrived; nothing is said of its result. */
  | { readonly kind: "received"; readonly seq: number; readonly incarnation: number }
  /** It ran, but its value is more than a message can hold. */
  | { readonly kind: "lost"; readonly seq: number; readonly reason: string; readonly incarnation: number }
  | Answer<Payload>;

/** How a call has ended at the server; kept as it was sent, to be sent again. */
export type Answer<Payload = Plain> =
  | { readonly kind: "reply"; readonly seq: number; readonly value: Payload; readonly incarnation: number }
  /** It has not run and never will. */
  | { readonly kind: "refused"; readonly seq: number; readonly reason: string; readonly incarnation: number };

export type RequestReplyMessage = ToServer | ToClient;

export type CallCommand =
  | {
      readonly kind: "call";
      readonly method: string;
      readonly args: Plain;
      /** Default: the protocol's. */
      readonly deadline?: Duration;
    }
  | { readonly kind: "cancel"; readonly id: OperationId };

/** What a caller learns: `failed` is certain that it did not run and never will; `unknown` is not. */
export type CallOutcome<Payload = Plain> =
  | { readonly kind: "ok"; readonly value: Payload }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export type CallOutput =
  /** At the client: the call has its name. */
  | {
      readonly kind: "invoked";
      readonly id: OperationId;
      readonly method: string;
      readonly args: Plain;
      readonly deadline: Duration;
    }
  /** At the client: the call is over. Once per call. */
  | { readonly kind: "completed"; readonly id: OperationId; readonly outcome: CallOutcome }
  /** At the server: the call has had its effect. */
  | {
      readonly kind: "executed";
      readonly id: OperationId;
      readonly method: string;
      readonly args: Plain;
      readonly value: Plain;
    };
