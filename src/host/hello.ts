import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import type { ProcessId } from "../core/index.js";
import {
  ByteWriter,
  createPlainCodec,
  decodeMessage,
  encodeMessage,
  messageHeader,
  type MessageKind,
} from "../wire/index.js";

/** More is no introduction. Bytes. */
export const HELLO_BYTES_MAX = 4 * 2 ** 10;

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const nonce = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const HelloShape = v.object({
  from: name,
  to: name,
  incarnation: count,
  /** Random, drawn once per operating-system process: tells a process that comes back from another with its name. */
  instance: nonce,
  /** What both ends call this connection. */
  connection: nonce,
  token: nonce,
});

const WelcomeShape = v.variant("kind", [
  /** `instance` as in a hello: who dials must notice too that another process has taken the name. */
  v.object({ kind: v.literal("welcome"), incarnation: count, instance: nonce }),
  v.object({
    kind: v.literal("refused"),
    code: v.picklist([
      "unknown-process",
      "wrong-token",
      "wrong-direction",
      "wrong-process",
      "stale-incarnation",
      "duplicate-process",
    ]),
  }),
]);

/** The first frame of a connection, from who dialled: binds it to a process and an incarnation of it. */
export type Hello = v.InferOutput<typeof HelloShape>;

/** The answer to a {@link Hello}. */
export type Welcome = v.InferOutput<typeof WelcomeShape>;

export type Refusal = Extract<Welcome, { kind: "refused" }>["code"];

export function encodeHello(hello: Hello): Uint8Array {
  return encode("hello", hello);
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  return encode("welcome", welcome);
}

/** `undefined` for bytes that are no such frame. */
export function decodeHello(bytes: Uint8Array, start: number, end: number): Hello | undefined {
  return decode("hello", HelloShape, bytes, start, end);
}

/** `undefined` for bytes that are no such frame. */
export function decodeWelcome(bytes: Uint8Array, start: number, end: number): Welcome | undefined {
  return decode("welcome", WelcomeShape, bytes, start, end);
}

/** Compares in a time that does not tell how much of the claim is right. */
export function sameToken(claimed: string, token: string): boolean {
  const [a, b] = [Buffer.from(claimed, "utf8"), Buffer.from(token, "utf8")];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Who a process expects to hear from. */
export interface Expectations {
  readonly self: ProcessId;
  readonly processes: readonly ProcessId[];
  readonly token: string;
  /** The newest incarnation of each process that has been let in, and which operating-system process that was. */
  known(
    process: ProcessId,
  ): { readonly incarnation: number; readonly instance: string; readonly connected: boolean } | undefined;
}

/**
 * Why a hello is refused, or `undefined`. Everything that decides who is let in is here: the token comes first, so a
 * stranger learns nothing; a newer incarnation fences the older, the same one comes back only as the same process.
 */
export function refusalOf(hello: Hello, expected: Expectations): Refusal | undefined {
  if (!sameToken(hello.token, expected.token)) return "wrong-token";
  if (hello.to !== expected.self) return "wrong-process";
  const place = expected.processes.indexOf(hello.from);
  if (place === -1) return "unknown-process";
  // Of each pair the later one dials; so two never dial each other at once.
  if (place <= expected.processes.indexOf(expected.self)) return "wrong-direction";
  const known = expected.known(hello.from);
  if (known === undefined || hello.incarnation > known.incarnation) return undefined;
  if (hello.incarnation < known.incarnation) return "stale-incarnation";
  return hello.instance === known.instance ? undefined : "duplicate-process";
}

function encode(kind: MessageKind, value: unknown): Uint8Array {
  const writer = new ByteWriter(HELLO_BYTES_MAX);
  encodeMessage(writer, { ...messageHeader(), kind });
  createPlainCodec().encode(writer, value);
  return writer.copy();
}

function decode<T>(
  kind: MessageKind,
  shape: v.GenericSchema<unknown, T>,
  bytes: Uint8Array,
  start: number,
  end: number,
): T | undefined {
  if (end - start > HELLO_BYTES_MAX) return undefined;
  const header = messageHeader();
  let value: unknown;
  try {
    decodeMessage(header, bytes, start, end);
    value = createPlainCodec().decode(bytes, header.payloadStart, header.payloadEnd);
  } catch {
    // FrameError or DecodeError: whatever it is, it is no introduction.
    return undefined;
  }
  const result = v.safeParse(shape, value);
  return header.kind === kind && result.success ? result.output : undefined;
}
