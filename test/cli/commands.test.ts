import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readTrace, writeTrace } from "../../src/trace/index.js";
import { lightcone, start, stateHome } from "../support/lightcone.js";

const trace = join(stateHome, "seed-7.trace");

beforeAll(async () => {
  const { status, stderr } = await lightcone([
    "sim",
    "ricart-agrawala",
    "--seed",
    "7",
    "--faults",
    "delay 5..50ms, loss 10%, duplicate 10%, reorder 20%",
    "--out",
    trace,
  ]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

describe("sim", () => {
  test("one seed prints one JSON object with stable keys", async () => {
    const { status, stdout } = await lightcone([
      "sim",
      "causal-broadcast",
      "--seed",
      "1",
      "--faults",
      "delay 0..200ms",
      "--json",
    ]);
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      verdict: "pass",
      violations: [],
      witnesses: [{ name: "note-held-back" }],
      faults: [{ fault: "delay 0..200ms" }],
      processes: ["P1", "P2", "P3", "P4"],
      seed: 1,
    });
    expect(report).toHaveProperty("events");
    expect(report).toHaveProperty("messages");
    expect(report).toHaveProperty("trace");
    expect(status).toBe(0);
  });

  test("a sweep adds seeds, failures and seedsPerSecond, and names the line that replays a failure", async () => {
    const { status, stdout } = await lightcone([
      "sim",
      "ricart-agrawala",
      "--seeds",
      "50",
      "--faults",
      "crash P2 at 30ms",
      "--json",
    ]);
    const report = JSON.parse(stdout) as { failures: { seed: number; replay: string }[] };
    expect(report).toMatchObject({ verdict: "fail", seeds: 50 });
    expect(report).toHaveProperty("seedsPerSecond");
    expect(status).toBe(1);
    const [failure] = report.failures;
    expect(failure?.replay).toMatch(
      /^lightcone sim ricart-agrawala -n 3 --seed \d+ --faults 'crash P2 at 30ms'$/,
    );
    const again = await lightcone([
      "sim",
      "ricart-agrawala",
      "-n",
      "3",
      "--seed",
      String(failure?.seed),
      "--faults",
      "crash P2 at 30ms",
      "--json",
    ]);
    expect(again.status).toBe(1);
  });

  test("faults may come from a file, as text or as JSON", async () => {
    const text = join(stateHome, "faults.txt");
    const json = join(stateHome, "faults.json");
    writeFileSync(text, "loss 10%   # a tenth\nduplicate 5%\n");
    writeFileSync(json, JSON.stringify({ links: [{ loss: 0.1, duplicate: 0.05 }], schedule: [] }));
    const runs = await Promise.all(
      [text, json].map((file) =>
        lightcone(["sim", "ricart-agrawala", "--seed", "1", "--faults", file, "--json"]),
      ),
    );
    const [a, b] = runs.map(({ stdout }) => JSON.parse(stdout) as { events: number; messages: number });
    expect(a?.messages).toBeGreaterThan(20);
    expect({ events: b?.events, messages: b?.messages }).toEqual({
      events: a?.events,
      messages: a?.messages,
    });
  });

  test("a run in which a fault hits nothing is inconclusive, status 3", async () => {
    const { status, stdout } = await lightcone([
      "sim",
      "ricart-agrawala",
      "--seed",
      "1",
      "--faults",
      "partition P1 | P2 at 50s..51s",
    ]);
    expect(stdout).toContain("INCONCLUSIVE");
    expect(stdout).toContain('the fault "partition P1 | P2 at 50s..51s" touched nothing');
    expect(status).toBe(3);
  });
});

describe("check", () => {
  test("judges a recorded run as the run itself was judged", async () => {
    const { status, stdout } = await lightcone(["check", trace, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", seed: 7, trace });
    expect(status).toBe(0);
  });

  test("a truncated trace: line number, last complete event, status 2", async () => {
    const cut = join(stateHome, "cut.trace");
    const lines = readFileSync(trace, "utf8").split("\n");
    writeFileSync(cut, `${lines.slice(0, 40).join("\n")}\n`);
    const { status, stderr } = await lightcone(["check", cut]);
    expect(stderr).toMatch(
      /cut\.trace line 41: expected the end line; the file is truncated \(last complete event P\d:\d+\)/,
    );
    expect(status).toBe(2);
  });

  test("a trace that was changed after it was written is refused", async () => {
    const changed = join(stateHome, "changed.trace");
    writeFileSync(changed, readFileSync(trace, "utf8").replace('"kind":"entered"', '"kind":"entexed"'));
    const { status, stderr } = await lightcone(["check", changed]);
    expect(stderr).toMatch(/changed\.trace line \d+: .*the file was changed after it was written/);
    expect(status).toBe(2);
  });
});

describe("show", () => {
  test("draws within 80 columns in a pipe, without control characters", async () => {
    const { status, stdout } = await lightcone(["show", trace]);
    expect(stdout).toContain("in the critical section");
    // oxlint-disable-next-line no-control-regex -- their absence is the claim
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(status).toBe(0);
  });

  test("--ascii uses nothing beyond ASCII", async () => {
    const { stdout } = await lightcone(["show", trace, "--ascii"]);
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
  });

  test("--event tells the causal past and future of an event", async () => {
    const { status, stdout } = await lightcone(["show", trace, "--event", "P2:8"]);
    expect(stdout).toMatch(/^P2:8 at /);
    expect(stdout).toMatch(/What led to it/);
    expect(status).toBe(0);
  });

  test("an event that the trace does not have is refused with what it has", async () => {
    const { status, stderr } = await lightcone(["show", trace, "--event", "P9:1"]);
    expect(stderr).toContain("the trace has no process P9; it has P1, P2, P3");
    expect(status).toBe(2);
  });

  test("--svg writes a picture", async () => {
    const file = join(stateHome, "run.svg");
    const { status } = await lightcone(["show", trace, "--svg", file]);
    expect(readFileSync(file, "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    expect(status).toBe(0);
  });
});

describe("replay", () => {
  test("a simulated run comes out the same, from its inputs and from its seed", async () => {
    const { status, stdout } = await lightcone(["replay", trace, "--json"]);
    const replayed = JSON.parse(stdout) as { hash: string };
    expect(replayed).toMatchObject({
      exact: true,
      differences: [],
      hashOfNewRun: replayed.hash,
      verdict: "pass",
    });
    expect(status).toBe(0);
  });
});

test("--help names every command and the exit statuses", async () => {
  const { status, stdout } = await lightcone(["--help"]);
  for (const word of [
    "labs",
    "run",
    "sim",
    "check",
    "show",
    "replay",
    "faults",
    "completion",
    "Exit status",
  ]) {
    expect(stdout).toContain(word);
  }
  expect(status).toBe(0);
});
