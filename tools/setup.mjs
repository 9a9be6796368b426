/**
 * Makes a checkout ready to run: installs what package-lock.json names and compiles what changed.
 *
 * Safe to call at any time, also twice at once; quick when there is nothing to do, and silent then.
 * Needs nothing but Node, as it runs before anything is installed.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lib/lock.mjs";
import { npm, programs, root, runTool } from "./lib/run.mjs";

/** Something the user can put right; its message says how. */
export class SetupError extends Error {}

/** @param {(line: string) => void} [say] gets one line for each thing done */
export async function setUp(say = (line) => console.log(line)) {
  checkNode();
  await withLock(join(root, ".setup.lock"), say, async () => {
    const why = whyInstall();
    if (why !== undefined) await install(why, say);
    // The second Node, for `npm test`, must not stand in for the user's own in scripts and in npx.
    rmSync(join(root, "node_modules/.bin/node"), { force: true });
    await build(say);
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `this is Node ${process.versions.node}; Lightcone needs 20.19 or newer: install one from https://nodejs.org and try again`,
    );
  }
}

/** Why the packages have to be installed, or `undefined` when node_modules holds exactly what the lockfile names. */
function whyInstall() {
  const installedFile = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return "nothing is installed yet";
  const wanted = packagesIn(join(root, "package-lock.json"));
  const installed = packagesIn(installedFile);
  for (const [path, { version, optional }] of wanted) {
    if (path === "") continue;
    const found = installed.get(path);
    // What is optional may be for another platform.
    if (found === undefined && !optional) return `${path} is missing`;
    if (found !== undefined && found.version !== version)
      return `${path} is ${found.version}, not ${version}`;
  }
  for (const path of installed.keys()) {
    if (!wanted.has(path)) return `${path} is not in package-lock.json`;
  }
  return undefined;
}

/** @param {string} file @returns {Map<string, { version: string, optional?: boolean }>} */
function packagesIn(file) {
  return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")).packages));
}

/** @param {string} why @param {(line: string) => void} say */
async function install(why, say) {
  say(`installing packages (${why})`);
  const { status, output } = await npm(["ci", "--no-audit", "--no-fund"]);
  if (status !== 0) {
    const errors = output.split("\n").filter((line) => line.startsWith("npm error"));
    throw new SetupError(
      `npm ci failed:\n${errors.slice(0, 12).join("\n") || output}\nCheck that the package registry can be reached (npm ping), then try again.`,
    );
  }
}

/** @param {(line: string) => void} say */
async function build(say) {
  const { missing, stale } = compareOutputs();
  for (const path of stale) rmSync(join(root, path));
  if (stale.length > 0) say(`removed ${stale.length} compiled files whose source is gone`);
  // The compiler trusts its own records of what it wrote; without them it looks again.
  if (missing) rmSync(join(root, "dist/.build"), { recursive: true, force: true });
  const { status, output } = await runTool(programs.tsc, ["-b", "src", "--listEmittedFiles"]);
  const emitted = /^TSFILE: .*$\n?/gm;
  if (status !== 0) {
    throw new SetupError(
      `src does not compile:\n${output.replace(emitted, "").trimEnd()}\nMend that, then try again.`,
    );
  }
  const compiled = output.match(emitted)?.filter((line) => line.trimEnd().endsWith(".js")).length ?? 0;
  if (compiled > 0) say(`compiled ${compiled} files`);
  const command = join(root, "dist/cli/main.js");
  if (existsSync(command)) chmodSync(command, 0o755);
}

/** Whether a source has no compiled file, and which compiled files have no source. */
function compareOutputs() {
  const layers = JSON.parse(readFileSync(join(root, "src/tsconfig.json"), "utf8")).references;
  const sources = [
    "index.ts",
    ...layers.flatMap((/** @type {{ path: string }} */ { path }) =>
      filesBelow(join("src", path)).map((file) => join(path, file)),
    ),
  ];
  const wanted = sources
    .filter((path) => path.endsWith(".ts") && !/\.test(-helper)?\.ts$/.test(path))
    .map((path) => path.slice(0, -".ts".length));
  const outputs = new Set(filesBelow("dist"));
  // What another tool puts in dist has no declarations, and stays.
  const orphans = [...outputs]
    .filter((path) => path.endsWith(".d.ts"))
    .map((path) => path.slice(0, -".d.ts".length))
    .filter((path) => !wanted.includes(path));
  return {
    missing: wanted.some((path) => !outputs.has(`${path}.js`) || !outputs.has(`${path}.d.ts`)),
    stale: orphans
      .flatMap((path) => [`${path}.d.ts`, `${path}.js`, `${path}.js.map`])
      .filter((path) => outputs.has(path))
      .map((path) => join("dist", path)),
  };
}

/** Paths relative to the folder, which need not exist. @param {string} folder */
function filesBelow(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
