import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { transform } from "sucrase";
import { root } from "./run.mjs";

/** @typedef {import("../../test/mutants/mutant.js").Mutant} Mutant */

/**
 * Why the mutant cannot be applied, or `undefined`. A source that has moved on must not silently lose its mutants.
 *
 * @param {Mutant} mutant
 */
export function misfit(mutant) {
  let source;
  try {
    source = readFileSync(join(root, mutant.file), "utf8");
  } catch (error) {
    return `${mutant.file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  const found = source.split(mutant.find).length - 1;
  if (mutant.find === "" || found !== 1) {
    return `the text to find occurs ${found} times in ${mutant.file}; it must occur exactly once`;
  }
  return mutant.find === mutant.replace ? "it replaces the text by itself" : undefined;
}

/**
 * Builds the mutant: `folder` becomes a copy of dist with the one file changed. Gives that file's path inside it.
 *
 * @param {Mutant} mutant one that fits
 * @param {string} folder
 */
export function buildMutant(mutant, folder) {
  const changed = relative("src", mutant.file).replace(/\.ts$/, ".js");
  for (const file of scriptsBelow(join(root, "dist"))) {
    const copy = join(folder, file);
    mkdirSync(dirname(copy), { recursive: true });
    // Links, not symbolic ones: those would lead imports back into dist.
    if (file !== changed) linkSync(join(root, "dist", file), copy);
  }
  const source = readFileSync(join(root, mutant.file), "utf8");
  // By a function: in a replacement text, "$" would have a meaning.
  transpile(
    source.replace(mutant.find, () => mutant.replace),
    join(folder, changed),
  );
  return changed;
}

/**
 * Compiles the scenarios and lists of `from` into `to`, without checking types.
 *
 * @param {string} from @param {string} to
 */
export function transpileFolder(from, to) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
    const file = join(entry.parentPath, entry.name);
    transpile(readFileSync(file, "utf8"), join(to, relative(from, file)).replace(/\.ts$/, ".js"));
  }
}

/** @param {string} source @param {string} output */
function transpile(source, output) {
  const { code } = transform(source, {
    transforms: ["typescript"],
    disableESTransforms: true,
    keepUnusedImports: true,
    filePath: output,
  });
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, code);
}

/** @param {string} folder */
function scriptsBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
