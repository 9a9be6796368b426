import { spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that this file belongs to. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * @typedef {object} Ended
 * @property {number} status 0 when all is well; 128 + the signal's number when a signal ended it, as in a shell
 * @property {string} output standard output and standard error as they came, empty when they were inherited
 * @property {string} stdout standard output alone
 * @property {boolean} late whether it was killed because its time was over
 */

/**
 * Runs a program to its end. The whole process group is killed when `secondsMax` is over.
 *
 * Rejects only when the program cannot be started.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, inherit?: boolean, secondsMax?: number }} [options]
 * @returns {Promise<Ended>}
 */
export function run(command, args, { cwd = root, env = {}, inherit = false, secondsMax } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: inherit ? "inherit" : ["ignore", "pipe", "pipe"],
      // A group of its own, so that a time limit ends its children too.
      detached: secondsMax !== undefined,
    });
    let late = false;
    const kill = (/** @type {NodeJS.Signals} */ signal) => {
      if (child.pid === undefined || child.exitCode !== null) return;
      try {
        process.kill(secondsMax === undefined ? child.pid : -child.pid, signal);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    };
    const timer =
      secondsMax === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            kill("SIGKILL");
          }, secondsMax * 1000);
    // Ctrl-C in a terminal reaches the whole foreground group by itself; twice would mean "at once".
    const reachesChild = secondsMax === undefined && process.stdin.isTTY;
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== "SIGINT" || !reachesChild) kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);

    let output = "";
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
    });
    const settled = () => {
      clearTimeout(timer);
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.once("error", (error) => {
      settled();
      reject(new Error(`cannot start ${command}: ${error.message}`, { cause: error }));
    });
    child.once("close", (code, signal) => {
      settled();
      resolve({
        status: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        output,
        stdout,
        late,
      });
    });
  });
}

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a JavaScript program of a package in node_modules, given by its path there.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2] & { node?: string }} [options]
 */
export function runTool(program, args, { node = process.execPath, ...options } = {}) {
  return run(node, [join(root, "node_modules", program), ...args], options);
}

/** Where the tools are, inside node_modules. */
export const programs = {
  attw: "@arethetypeswrong/cli/dist/index.js",
  knip: "knip/bin/knip.js",
  oxlint: "oxlint/bin/oxlint",
  prettier: "prettier/bin/prettier.cjs",
  publint: "publint/src/cli.js",
  tsc: "typescript/bin/tsc",
  vitest: "vitest/vitest.mjs",
};

/**
 * `npm`: the one that runs us, or the one on the path.
 *
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function npm(args, options) {
  const program = process.env["npm_execpath"];
  return program?.endsWith(".js")
    ? run(process.execPath, [program, ...args], options)
    : run("npm", args, options);
}
