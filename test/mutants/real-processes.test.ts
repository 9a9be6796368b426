import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { setUp } from "../../tools/setup.mjs";
import { buildMutant, misfit } from "../../tools/lib/mutate.mjs";
import { mutants } from "./causal-broadcast.js";

// Inside the repository, so that the copy finds the dependencies; git ignores the folder.
const folder = join(import.meta.dirname, "../../.mutants", `real-${process.pid}`);
const state = mkdtempSync(join(tmpdir(), "lightcone-real-mutants-"));

beforeAll(() => setUp(() => {}));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(state, { recursive: true, force: true });
});

const FAULTS = "delay 0..300ms, loss 10%, duplicate 5%";

test.each([
  ["CB-1", "the exact-equality rule", /never got/],
  ["CB-2", "the sender-only rule", /before P\d#\d+, which P\d had seen when it wrote it/],
])("%s, %s, fails as real processes too, with evidence", async (id, _name, evidence) => {
  const mutant = mutants.find((candidate) => candidate.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  expect(misfit(mutant)).toBeUndefined();
  const root = join(folder, id);
  buildMutant(mutant, join(root, "dist"));
  copyFileSync(join(import.meta.dirname, "../../package.json"), join(root, "package.json"));
  // Which run shows it depends on real timing; several in a row leave next to no chance that none does.
  const messages: string[] = [];
  for (let attempt = 0; attempt < 5 && messages.length === 0; attempt++) {
    const report = await runMutant(join(root, "dist/cli/main.js"), attempt);
    expect(["fail", "pass", "inconclusive"]).toContain(report.verdict);
    for (const violation of report.violations) {
      expect(violation.evidence.length).toBeGreaterThan(0);
      messages.push(violation.message);
    }
  }
  expect(messages.join("\n")).toMatch(evidence);
});

interface Report {
  readonly verdict: string;
  readonly violations: readonly { readonly message: string; readonly evidence: readonly string[] }[];
}

function runMutant(main: string, seed: number): Promise<Report> {
  const args = [
    main,
    "run",
    "causal-broadcast",
    "-n",
    "5",
    "--transport",
    "uds",
    "--questions",
    "4",
    "--answers",
    "4",
  ];
  args.push("--seed", String(seed), "--faults", FAULTS, "--json", "--out", join(state, "run.trace"));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      // Status 1 and 3 are verdicts.
      if (stdout === "") reject(error ?? new Error(stderr));
      else resolve(JSON.parse(stdout) as Report);
    });
  });
}
