import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const OWN_FILES = new URL("../", import.meta.url).href;

/**
 * `my-lab.ts:12`: the innermost place in a file of the user's at which the error, or what caused it, was thrown;
 * `undefined` when no such file had a part in it. Not yet safe to show.
 *
 * A lab in TypeScript runs from `.my-lab.ts.4711.mjs` beside it, line for line; the place names the original.
 */
export function placeInUserFile(thrown: unknown): string | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 10; error = error.cause, depth++) {
    const place = placeIn(error);
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeIn(error: Error): string | undefined {
  // Whoever throws may have put anything there.
  const stack: unknown = error.stack;
  if (typeof stack !== "string") return undefined;
  for (const line of stack.split("\n")) {
    const [, url, number] = /^ {4}at .*?(file:\/\/\S+?):([0-9]+)(?::[0-9]+)?\)?$/.exec(line) ?? [];
    if (url === undefined || url.startsWith(OWN_FILES) || url.includes("/node_modules/")) continue;
    return `${nameOf(url)}:${number}`;
  }
  return undefined;
}

function nameOf(url: string): string {
  let name: string;
  try {
    name = basename(fileURLToPath(url));
  } catch {
    name = basename(url); // No path of this system: better than none.
  }
  return name.replace(/^\.(.+)\.[0-9]+\.mjs$/, "$1");
}
