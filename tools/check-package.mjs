/**
 * Does what would be published work? Packs it, installs that into an empty project, imports every subpath, runs the
 * command, and asks publint and attw.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm, programs, root, run, runTool } from "./lib/run.mjs";

/**
 * What is wrong with the package of the project in `project`, or `undefined`. It must be built already.
 *
 * @param {string} [project]
 * @returns {Promise<string | undefined>}
 */
export async function checkPackage(project = root) {
  const folder = mkdtempSync(join(tmpdir(), "lightcone-package-"));
  try {
    const packed = await npm(["pack", "--json", "--pack-destination", folder], { cwd: project });
    if (packed.status !== 0) return `npm pack failed:\n${packed.output}`;
    const [{ filename }] = JSON.parse(packed.stdout);
    const tarball = join(folder, filename);
    const problems = await Promise.all([
      importProblem(project, folder, tarball),
      problemOf("publint", runTool(programs.publint, ["run", tarball, "--strict"], { cwd: project })),
      problemOf(
        "attw",
        runTool(programs.attw, [tarball, "--profile", "esm-only", "--no-emoji"], { cwd: project }),
      ),
    ]).then((all) => all.filter((problem) => problem !== undefined));
    return problems.length === 0 ? undefined : problems.join("\n\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Unpacks rather than installs, with the dependencies of this checkout beside it: no network is needed.
 *
 * @param {string} project @param {string} folder @param {string} tarball
 */
async function importProblem(project, folder, tarball) {
  const unpacked = await run("tar", ["-xzf", tarball, "-C", folder]);
  if (unpacked.status !== 0) return `the package does not unpack:\n${unpacked.output}`;
  const manifest = JSON.parse(readFileSync(join(folder, "package/package.json"), "utf8"));
  const user = join(folder, "user");
  const installed = join(user, "node_modules", manifest.name);
  mkdirSync(installed, { recursive: true });
  cpSync(join(folder, "package"), installed, { recursive: true });
  linkDependencies(manifest, join(project, "node_modules"), join(user, "node_modules"));

  const subpaths = Object.keys(manifest.exports).map((subpath) => manifest.name + subpath.slice(1));
  const modules = subpaths.filter((subpath) => !subpath.endsWith(".json"));
  const lines = modules.map((module) => `await import(${JSON.stringify(module)});\n`);
  writeFileSync(join(user, "imports.mjs"), lines.join(""));
  const imported = await run(process.execPath, ["imports.mjs"], { cwd: user, secondsMax: 60 });
  if (imported.status !== 0) return `a subpath of the package cannot be imported:\n${imported.output}`;

  for (const [name, file] of Object.entries(manifest.bin ?? {})) {
    const { status, stdout, output } = await run(process.execPath, [join(installed, file), "--version"], {
      cwd: user,
      secondsMax: 60,
    });
    if (status !== 0 || !stdout.includes(manifest.version)) {
      return `${name} --version gives status ${status} and not ${manifest.version}:\n${output}`;
    }
  }
  return undefined;
}

/**
 * Only what the package declares, and what that needs: an undeclared import must fail here as it would for a user.
 *
 * @param {{ dependencies?: Record<string, string> }} manifest @param {string} from @param {string} to
 */
function linkDependencies(manifest, from, to) {
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    // A link is resolved to its target, so a dependency finds its own dependencies there.
    symlinkSync(join(from, name), join(to, name), "junction");
  }
}

/** @param {string} name @param {Promise<import("./lib/run.mjs").Ended>} running */
async function problemOf(name, running) {
  const { status, output } = await running;
  return status === 0 ? undefined : `${name} found:\n${output}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await checkPackage(process.argv[2]);
  console.log(problem ?? "the package works");
  process.exitCode = problem === undefined ? 0 : 1;
}
