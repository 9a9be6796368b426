import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a private folder (mode 0700), and those above it that are missing; nothing when it is there.
 *
 * Throws the system's error, such as ENOENT below /proc, where nobody can make one: Node's own recursive way tries that
 * for ever.
 */
export function makeFolder(path: string): void {
  let problem = attempt(path);
  if (problem?.code === "ENOENT" && dirname(path) !== path) {
    makeFolder(dirname(path));
    problem = attempt(path);
  }
  if (problem?.code === "EEXIST" && statSync(path).isDirectory()) return;
  if (problem !== undefined) throw problem;
}

function attempt(path: string): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
