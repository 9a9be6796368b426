import { readFile, rm, writeFile } from "node:fs/promises";
import { Console } from "node:console";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../core/index.js";
import { findLab, type Lab } from "../labs/index.js";

export interface LoadedLab {
  readonly lab: Lab;
  /** Finds it again from any working folder. */
  readonly reference: string;
}

/** A lab by its id, or from a file: anything with a slash or the ending of a module is a path. */
export async function loadLab(reference: string): Promise<LoadedLab> {
  if (!isLabFile(reference)) return { lab: findLab(reference), reference };
  const path = resolve(reference);
  // What a lab prints is for its author; stdout is the command's.
  globalThis.console = new Console(process.stderr, process.stderr);
  const exported: unknown = await importModule(path, reference);
  return { lab: labOf(exported, reference), reference: path };
}

/** Whether the reference names a file rather than a lab of the catalogue. */
export function isLabFile(reference: string): boolean {
  return /[/\\]/.test(reference) || [".ts", ".mts", ".js", ".mjs"].includes(extname(reference));
}

/**
 * Imports a module, TypeScript included. Node 20 does not strip types by itself, so TypeScript is turned into
 * JavaScript here on every version, the same way; `lightcone` in its imports means this very Lightcone.
 */
async function importModule(path: string, given: string): Promise<unknown> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read the lab file ${given}: ${reason(error)}`, { path }, { cause: error });
  }
  const { transform } = await import("sucrase");
  let compiled: string | undefined;
  try {
    const isTypeScript = /\.m?ts$/.test(path);
    const code = isTypeScript
      ? transform(source, { transforms: ["typescript"], disableESTransforms: true, filePath: path }).code
      : source;
    compiled = await writeModule(path, ownImports(code));
    return await import(pathToFileURL(compiled).href);
  } catch (error) {
    throw new UsageError(`cannot load the lab file ${given}: ${reason(error)}`, { path }, { cause: error });
  } finally {
    if (compiled !== undefined) await rm(compiled, { force: true });
  }
}

/**
 * Writes the module beside the original, so that its imports resolve, under a name of this process, so that those of
 * one run do not collide. A folder that nobody may write to is left alone: then the module goes to the temporary
 * folder, its relative imports made absolute; packages it could only find beside it are out of reach there.
 */
async function writeModule(path: string, code: string): Promise<string> {
  const name = `.${basename(path)}.${process.pid}.mjs`;
  const write = async (to: string, text: string): Promise<string> => {
    await writeFile(to, text, { flag: "wx", mode: 0o600 });
    return to;
  };
  try {
    return await write(join(dirname(path), name), code);
  } catch (error) {
    const refusal = (error as NodeJS.ErrnoException).code;
    if (refusal !== "EACCES" && refusal !== "EROFS" && refusal !== "EPERM") throw error;
    return await write(join(tmpdir(), name), absoluteImports(code, path));
  }
}

function absoluteImports(code: string, path: string): string {
  return code.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.{1,2}\/[^"']+)\2/g,
    (_all, before: string, quote: string, relative: string) =>
      `${before}${quote}${new URL(relative, pathToFileURL(path)).href}${quote}`,
  );
}

/** Points `from "lightcone"` and `from "lightcone/x"` at the files of this installation. */
function ownImports(code: string): string {
  return code.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])lightcone(\/[a-z-]+)?\2/g,
    (_all, before: string, quote: string, layer?: string) => {
      const file = layer === undefined ? "../index.js" : `..${layer}/index.js`;
      return `${before}${quote}${new URL(file, import.meta.url).href}${quote}`;
    },
  );
}

const SHAPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  id: (value) => typeof value === "string" && /^[a-z][a-z0-9-]{0,63}$/.test(value),
  title: (value) => typeof value === "string",
  summary: (value) => typeof value === "string",
  processes: (value) =>
    typeof value === "object" &&
    value !== null &&
    ["min", "usual", "max"].every((key) => Number.isInteger(Reflect.get(value, key))),
  options: Array.isArray,
  protocol: (value) => typeof value === "function",
  faults: (value) => typeof value === "string",
  checkers: Array.isArray,
  witnesses: Array.isArray,
  guide: Array.isArray,
  narration: (value) => typeof value === "object" && value !== null,
};

function labOf(exported: unknown, given: string): Lab {
  const lab: unknown =
    typeof exported === "object" && exported !== null ? Reflect.get(exported, "default") : undefined;
  if (typeof lab !== "object" || lab === null) {
    throw new UsageError(`${given} has no default export; a lab file ends with "export default" and a lab`);
  }
  const wrong = Object.keys(SHAPE).filter((key) => !(SHAPE[key]?.(Reflect.get(lab, key)) ?? false));
  if (wrong.length > 0) {
    throw new UsageError(
      `the lab of ${given} lacks, or has in another form: ${wrong.join(", ")}; see examples/`,
    );
  }
  // The fields are checked one by one above; what is inside the functions only running them can tell.
  return lab as Lab;
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? "";
}
