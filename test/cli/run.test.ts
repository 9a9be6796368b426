import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { readTrace } from "../../src/trace/index.js";
import { lightcone, mainFile, start, stateHome } from "../support/lightcone.js";

const participantFile = join(dirname(mainFile), "participant.js");

/** Processes of this test's runs that are still there: their command lines name this checkout's program for them. */
function participants(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        return words.includes(participantFile) && environment.includes(stateHome);
      } catch {
        return false; // It ended while we looked.
      }
    })
    .map(Number);
}

afterEach(() => expect(participants()).toEqual([]));

describe("run, with real processes", () => {
  // Rates that cannot miss among some 150 messages, whatever the timing.
  test("ricart-agrawala over tcp passes under every kind of link fault, and replays exactly", async () => {
    const trace = join(stateHome, "real.trace");
    const folder = join(stateHome, "real");
    const args = [
      "run",
      "ricart-agrawala",
      "-n",
      "4",
      "--seed",
      "5",
      "--faults",
      "delay 5..50ms, loss 15%, duplicate 15%, reorder 20%",
      "--json",
      "--out",
      trace,
      "--out-processes",
      folder,
    ];
    const { status, stdout, stderr } = await lightcone(args);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", violations: [], trace });
    expect(status).toBe(0);

    const replayed = await lightcone(["replay", trace, "--json"]);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ exact: true, differences: [] });

    // The files of the single processes say the same, in whatever order they are given.
    const files = ["P3", "P1", "P4", "P2"].map((process) => join(folder, `${process}.trace`));
    const checked = await lightcone(["check", ...files, "--json"]);
    expect(JSON.parse(checked.stdout)).toMatchObject({ verdict: "pass" });
    const shown = await lightcone(["show", ...files]);
    expect(shown.stdout).toContain("enters");
    const without = await lightcone(["check", ...files.slice(1)]);
    expect(without.status).toBe(2);
    expect(without.stderr).toMatch(/P\d:\d+/);
  });

  test("causal-broadcast over Unix sockets with long delays, loss and duplication passes", async () => {
    const { status, stdout } = await lightcone([
      "run",
      "causal-broadcast",
      "-n",
      "5",
      "--transport",
      "uds",
      "--faults",
      "delay 0..500ms, loss 10%, duplicate 5%",
      "--json",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", violations: [] });
    expect(status).toBe(0);
  });

  test.each(["fifo", "udp"])(
    "ricart-agrawala over %s with frequent faults passes, and replays exactly",
    async (scheme) => {
      const trace = join(stateHome, `${scheme}.trace`);
      const args = [
        "run",
        "ricart-agrawala",
        "-n",
        "4",
        "--faults",
        "delay 1..20ms, loss 20%, duplicate 30%",
        "--seed",
        "5",
        "--transport",
        scheme,
        "--json",
        "--out",
        trace,
      ];
      const { status, stdout, stderr } = await lightcone(args);
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass", violations: [] });
      expect(status).toBe(0);
      const replayed = await lightcone(["replay", trace, "--json"]);
      expect(JSON.parse(replayed.stdout)).toMatchObject({ exact: true, differences: [] });
    },
  );

  test("a user's own lab file runs as processes, in the simulator, and is found again by check", async () => {
    const file = "./examples/ping-pong.ts";
    const trace = join(stateHome, "ping-pong.trace");
    const real = await lightcone([
      "run",
      file,
      "--faults",
      "loss 20%, delay 1..5ms",
      "--hits",
      "20",
      "--json",
      "--out",
      trace,
    ]);
    expect(JSON.parse(real.stdout)).toMatchObject({ verdict: "pass", options: { hits: 20 } });
    const simulated = await lightcone(["sim", file, "--seeds", "100", "--faults", "loss 20%", "--json"]);
    expect(JSON.parse(simulated.stdout)).toMatchObject({ verdict: "pass", seeds: 100 });
    const checked = await lightcone(["check", trace, "--lab", file]);
    expect(checked.status).toBe(0);
    expect(readdirSync("examples").filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("crash, restart, pause and partition from the plan happen to real processes", async () => {
    const { stdout } = await lightcone([
      "run",
      "causal-broadcast",
      "-n",
      "4",
      "--faults",
      "delay 5..20ms, pause P2 at 30ms..150ms, partition P1 P2 | P3 P4 at 50ms..200ms, crash P4 at 100ms, restart P4 at 400ms",
      "--json",
    ]);
    const report = JSON.parse(stdout) as {
      faults: { fault: string; touched: number }[];
      violations: { checker: string }[];
    };
    const touched = Object.fromEntries(
      report.faults.map(({ fault, touched: count }) => [fault.split(" ")[0], count]),
    );
    expect(touched).toMatchObject({ crash: 1, restart: 1, pause: 1 });
    expect(touched["partition"]).toBeGreaterThan(0);
    // Causal broadcast is no protocol for crashes; but its trace must still be honest.
    expect(report.violations.map(({ checker }) => checker)).not.toContain("receive-has-send");
    expect(report.violations.map(({ checker }) => checker)).not.toContain("recorded-clocks");
  });

  test("Ctrl-C ends the run within two seconds, with status 130 and the trace up to there", async () => {
    const trace = join(stateHome, "interrupted.trace");
    const run = start(["run", "ricart-agrawala", "-n", "4", "--entries", "100000", "--out", trace]);
    await expect
      .poll(() => existsSync(trace) && readFileSync(trace, "utf8").includes('"entered"'), { timeout: 20_000 })
      .toBe(true);
    const asked = Date.now();
    run.signal("SIGINT");
    const { status, stdout } = await run.ended;
    expect(Date.now() - asked).toBeLessThan(4_000);
    expect(status).toBe(130);
    expect(stdout).toContain("the run was interrupted");
    expect(participants()).toEqual([]);
    expect(readTrace(readFileSync(trace, "utf8")).end.stopped).toBe("interrupted");
  });

  test("a participant that somebody kills is reported; the run is not green and leaves nothing", async () => {
    const trace = join(stateHome, "killed.trace");
    const run = start(["run", "ricart-agrawala", "-n", "3", "--entries", "100000", "--out", trace]);
    await expect
      .poll(() => existsSync(trace) && readFileSync(trace, "utf8").includes('"entered"'), { timeout: 20_000 })
      .toBe(true);
    const [victim] = participants();
    if (victim === undefined) throw new Error("no participant to kill");
    process.kill(victim, "SIGKILL");
    const { status, stdout } = await run.ended;
    expect(stdout).toMatch(/P\d was ended by SIGKILL/);
    expect(status).toBe(3);
    const recorded = readTrace(readFileSync(trace, "utf8"));
    expect(recorded.end.stopped).toBe("lost");
  });

  test("what makes a run impossible is told in one line, with status 4, and nothing is left", async () => {
    const impossible = join(stateHome, "impossible.mjs");
    const lab = readFileSync("test/fixtures/ping-lab.mjs", "utf8");
    writeFileSync(
      impossible,
      lab.replace('options.fail === "factory"', 'process.argv.includes("--control")'),
    );
    const noFolder = join(stateHome, "nowhere", "x");
    const trace = join(stateHome, "impossible.trace");
    for (const [args, line] of [
      [["ricart-agrawala", "--out", noFolder], /^lightcone: cannot write the trace to \S+: ENOENT[^\n]+\n$/],
      [
        [impossible, "--out", trace],
        /^lightcone: the run could not begin: P\d ended with code 1: no protocol today \(impossible.mjs:\d+\)\n$/,
      ],
    ] as const) {
      const { status, stderr } = await lightcone(["run", ...args]);
      expect(stderr).toMatch(line);
      expect(status).toBe(4);
    }
    expect(existsSync(trace)).toBe(false);
  });

  test("more processes than a machine can join are refused, with the way to simulate them", async () => {
    const { status, stdout, stderr } = await lightcone(["run", "ricart-agrawala", "-n", "65"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^lightcone: 65 processes are too many [^\n]*at most 64[^\n]*lightcone sim[^\n]*\n$/,
    );
  });

  test("an unusable runtime folder is replaced, and the run says so", async () => {
    const { stdout, stderr } = await lightcone(
      ["run", "ricart-agrawala", "-n", "2", "--faults", "none", "--json"],
      { env: { XDG_RUNTIME_DIR: join(stateHome, "nowhere") } },
    );
    expect(stderr).toMatch(
      /^lightcone: \$XDG_RUNTIME_DIR will not do \([^\n]+\); the run's own files are in \S+\n$/,
    );
    expect(JSON.parse(stdout)).toMatchObject({ violations: [], stopped: "quiescent" });
  });

  test("when the command itself is killed, its processes end by themselves", async () => {
    const trace = join(stateHome, "orphans.trace");
    const run = start(["run", "ricart-agrawala", "-n", "3", "--entries", "100000", "--out", trace]);
    await expect
      .poll(() => existsSync(trace) && readFileSync(trace, "utf8").includes('"entered"'), { timeout: 20_000 })
      .toBe(true);
    run.signal("SIGKILL");
    await run.ended;
    await expect.poll(() => participants(), { timeout: 5_000 }).toEqual([]);
  });
});

test("a run whose command is killed is not shown as the last run, and its part stays", async () => {
  const home = mkdtempSync(join(tmpdir(), "lightcone-test-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const env = { XDG_STATE_HOME: home };
  const whole = await lightcone(["run", "hello", "--json"], { env });
  const path = (JSON.parse(whole.stdout) as { readonly trace: string }).trace;
  const run = start(["run", "ricart-agrawala", "-n", "2", "--entries", "100000"], { env });
  const folder = join(home, "lightcone");
  const parts = (): readonly string[] => readdirSync(folder).filter((name) => name.endsWith(".part"));
  await expect.poll(parts, { timeout: 20_000 }).toHaveLength(1);
  run.signal("SIGKILL");
  await run.ended;
  await expect.poll(() => participants(), { timeout: 5_000 }).toEqual([]);
  const { status, stdout } = await lightcone(["check", path], { env });
  expect(await lightcone(["check"], { env })).toMatchObject({ status, stdout });
  expect(parts()).toHaveLength(1);
});

test("a reader that leaves early, as `| head -1` does, ends the command quietly", () => {
  const command = `"${process.execPath}" "${mainFile}" sim ricart-agrawala --seed 1 | head -1`;
  const environment = { ...process.env, XDG_STATE_HOME: stateHome };
  const output = execFileSync("bash", ["-c", command], {
    encoding: "utf8",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(output.split("\n")).toHaveLength(2);
});
