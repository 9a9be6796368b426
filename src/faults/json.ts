import type { ProcessId } from "../core/index.js";
import { nearestName, PROCESSES_MAX } from "../core/index.js";
import { checkFaults } from "./check.js";
import { faultError, quoted } from "./fault-error.js";
import type { DelayFault, FaultPlan, LinkFault, ScheduledFault } from "./plan.js";
import { FAULT_ITEMS_MAX } from "./plan.js";

/**
 * Reads a fault plan from a value that came out of JSON: exactly the fields of {@link FaultPlan}, times in whole
 * microseconds, rates from 0 to 1. `links` and `schedule` may be left out.
 *
 * Throws a `UsageError` of one line that names the field: a wrong type, a field there is not, and whatever
 * `parseFaults` would refuse. The result shares nothing with `value`.
 */
export function parseFaultsJson(value: unknown, processes?: readonly ProcessId[]): FaultPlan {
  const plan = fieldsOf(value, "plan", ["links", "schedule"]);
  const links = listOf(plan["links"] ?? [], "links", linkOf);
  const schedule = listOf(plan["schedule"] ?? [], "schedule", scheduledOf);
  checkFaults({ links, schedule }, processes, {
    link: (i) => `fault links[${i}]`,
    scheduled: (i) => `fault schedule[${i}]`,
  });
  return { links, schedule };
}

type Fields = Readonly<Record<string, unknown>>;

function linkOf(value: unknown, path: string): LinkFault {
  const fields = fieldsOf(value, path, ["from", "to", "loss", "duplicate", "reorder", "corrupt", "delay"]);
  return {
    ...optional(fields, path, "from", textOf),
    ...optional(fields, path, "to", textOf),
    ...optional(fields, path, "loss", numberOf),
    ...optional(fields, path, "duplicate", numberOf),
    ...optional(fields, path, "reorder", numberOf),
    ...optional(fields, path, "corrupt", numberOf),
    ...optional(fields, path, "delay", delayOf),
  };
}

function delayOf(value: unknown, path: string): DelayFault {
  const fields = fieldsOf(value, path, ["min", "max", "mean"]);
  return {
    min: numberOf(fields["min"], `${path}.min`),
    max: numberOf(fields["max"], `${path}.max`),
    ...optional(fields, path, "mean", numberOf),
  };
}

/** The fields of each kind besides `kind` and `at`. */
const FIELDS: Readonly<Record<ScheduledFault["kind"], readonly string[]>> = {
  partition: ["groups", "until"],
  "one-way": ["from", "to", "until"],
  crash: ["process"],
  restart: ["process"],
  pause: ["process", "until"],
  clock: ["process", "step", "driftPpm"],
  refuse: ["process", "until"],
  "failed-send": ["process", "until"],
  "failed-receive": ["process", "until"],
  "disk-full": ["process", "until"],
};

function scheduledOf(value: unknown, path: string): ScheduledFault {
  const kind = kindOf(value, path);
  const fields = fieldsOf(value, path, ["kind", "at", ...FIELDS[kind]]);
  const process = (): ProcessId => textOf(fields["process"], `${path}.process`);
  const at = numberOf(fields["at"], `${path}.at`);
  const span = { at, ...optional(fields, path, "until", numberOf) };
  switch (kind) {
    case "partition":
      return { kind, groups: listOf(fields["groups"], `${path}.groups`, groupOf), ...span };
    case "one-way":
      return {
        kind,
        from: textOf(fields["from"], `${path}.from`),
        to: textOf(fields["to"], `${path}.to`),
        ...span,
      };
    case "crash":
    case "restart":
      return { kind, process: process(), at };
    case "clock":
      return {
        kind,
        process: process(),
        at,
        step: numberOf(fields["step"], `${path}.step`),
        driftPpm: numberOf(fields["driftPpm"], `${path}.driftPpm`),
      };
    case "pause":
    case "refuse":
    case "failed-send":
    case "failed-receive":
    case "disk-full":
      return { kind, process: process(), ...span };
  }
}

function kindOf(value: unknown, path: string): ScheduledFault["kind"] {
  const given = isObject(value) ? value["kind"] : undefined;
  const known = Object.keys(FIELDS);
  if (typeof given === "string" && isKind(given)) return given;
  const nearest = typeof given === "string" ? nearestName(given.slice(0, 64), known) : undefined;
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw wrong(`${path}.kind`, given, `one of ${known.join(", ")}${hint}`);
}

function isKind(text: string): text is ScheduledFault["kind"] {
  return Object.hasOwn(FIELDS, text);
}

function groupOf(value: unknown, path: string): readonly ProcessId[] {
  return listOf(value, path, textOf, PROCESSES_MAX);
}

function listOf<T>(
  value: unknown,
  path: string,
  read: (inner: unknown, path: string) => T,
  max = FAULT_ITEMS_MAX,
): T[] {
  if (!Array.isArray(value)) throw wrong(path, value, "a list");
  if (value.length > max) throw faultError(`fault ${path}`, `it has ${value.length} items; at most ${max}`);
  return value.map((inner, i) => read(inner, `${path}[${i}]`));
}

function fieldsOf(value: unknown, path: string, known: readonly string[]): Fields {
  if (!isObject(value)) throw wrong(path, value, "an object");
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const nearest = nearestName(key.slice(0, 64), known);
    const hint = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
    throw faultError(`fault ${path}`, `there is no field ${quoted(key)}${hint} Fields: ${known.join(", ")}`);
  }
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `{ [key]: … }` when the field is there; spread into a result, it leaves no field with `undefined` behind. */
function optional<Key extends string, T>(
  fields: Fields,
  path: string,
  key: Key,
  read: (value: unknown, path: string) => T,
): { readonly [K in Key]?: T } {
  const value = fields[key];
  const found: { [K in Key]?: T } = {};
  if (value !== undefined) found[key] = read(value, `${path}.${key}`);
  return found;
}

function textOf(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw wrong(path, value, "a text");
}

function numberOf(value: unknown, path: string): number {
  // Adding 0 turns -0 into 0.
  if (typeof value === "number") return value + 0;
  throw wrong(path, value, "a number");
}

function wrong(path: string, value: unknown, accepted: string): Error {
  return faultError(`fault ${path}`, `it is ${shown(value)}; give ${accepted}`);
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "number" || typeof value === "boolean" || value === null
    ? `${value}`
    : `a ${typeof value}`;
}
