import type { Duration, Plain } from "../core/index.js";
import type { TraceEvent } from "../trace/index.js";

/** What a request/reply protocol told its user, as a trace carries it. */
export type OperationOutputRead =
  | { readonly kind: "invoked"; readonly id: string; readonly what: Plain; readonly deadline: Duration }
  | { readonly kind: "completed"; readonly id: string; readonly outcome: string; readonly value: Plain }
  | { readonly kind: "executed"; readonly id: string; readonly what: Plain; readonly value: Plain };

/** Reads a request/reply output, or gives `undefined`: traces hold whatever their writer put in. */
export function operationOutput(event: TraceEvent): OperationOutputRead | undefined {
  if (event.kind !== "output" || !isRecord(event.value)) return undefined;
  const { kind, id, method, args, deadline, outcome, value } = event.value;
  if (typeof id !== "string") return undefined;
  const what: Plain = [plain(method), plain(args)];
  switch (kind) {
    case "invoked":
      return typeof deadline === "number" ? { kind, id, what, deadline } : undefined;
    case "executed":
      return { kind, id, what, value: plain(value) };
    case "completed":
      if (!isRecord(outcome) || typeof outcome["kind"] !== "string") return undefined;
      return { kind, id, outcome: outcome["kind"], value: plain(outcome["value"]) };
    default:
      return undefined;
  }
}

/** What a request/reply message says of a call, or `undefined`. */
export function callMessage(
  message: unknown,
): { kind: string; seq: number; incarnation: number; budget: number | undefined } | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, seq, incarnation, budget } = message;
  if (typeof kind !== "string" || typeof seq !== "number" || typeof incarnation !== "number")
    return undefined;
  return { kind, seq, incarnation, budget: typeof budget === "number" ? budget : undefined };
}

interface Loose {
  readonly [key: string]: unknown;
}

function isRecord(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands in a trace is plain data: it was read from JSON, or checked on its way in. */
function plain(value: unknown): Plain {
  return (value ?? null) as Plain;
}
