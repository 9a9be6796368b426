/**
 * What JSON carries: the only kind of value that states, messages, commands and outputs are made of,
 * so that they hash, compare, print, store and travel.
 */
export type Plain =
  null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/**
 * Says where a value stops being plain data, as a path such as `.queue[3].at`, or `undefined` when all of it is.
 *
 * Refuses functions, class instances, `bigint`, symbols, NaN and infinities, and nesting beyond `depthMax`.
 */
export function firstUnplain(value: unknown, depthMax = 64, path = ""): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : path || ".";
    case "object":
      break;
    default:
      return path || ".";
  }
  if (value === null) return undefined;
  if (depthMax === 0) return path || ".";
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = firstUnplain(value[i], depthMax - 1, `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return path || ".";
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const found = firstUnplain(inner, depthMax - 1, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** JSON with the keys of every object sorted: equal values give equal text, whatever order they were built in. */
export function canonicalJson(value: Plain | undefined): string {
  if (value === undefined) return "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isPlainArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const fields: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const inner = value[key];
    if (inner !== undefined) fields.push(`${JSON.stringify(key)}:${canonicalJson(inner)}`);
  }
  return `{${fields.join(",")}}`;
}

/** Whether two plain values say the same, regardless of key order. */
export function samePlain(a: Plain | undefined, b: Plain | undefined): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

/** Freezes a plain value to its leaves and returns it; tests run protocols on frozen states to catch mutation. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

function isPlainArray(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
