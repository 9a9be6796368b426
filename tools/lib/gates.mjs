import { programs, runTool } from "./run.mjs";

/** What must hold of the sources besides their tests; each is a program that finds nothing to complain about. */
export const gates = {
  format: { program: programs.prettier, args: ["--check", "--log-level", "warn", "."] },
  lint: { program: programs.oxlint, args: [] },
  "unused code": { program: programs.knip, args: ["--no-progress", "--no-config-hints"] },
  types: { program: programs.tsc, args: ["-b"] },
};

/**
 * Runs a gate on the project in `cwd`, or on this one; `status` 0 says that all is well.
 *
 * @param {keyof typeof gates} name
 * @param {{ cwd?: string }} [options]
 */
export function runGate(name, options) {
  const { program, args } = gates[name];
  return runTool(program, args, { ...options, secondsMax: 120 });
}
