import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { processNames } from "../../src/core/index.js";
import { parseFaults } from "../../src/faults/index.js";
import { SCHEDULE_KEYWORDS } from "../../src/faults/parse-scheduled.js";
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

  test("berkeley prints the textbook's figures, and in which way the clocks came together", async () => {
    const clocks = "100.3s,102.5s,98.4s,101.0s";
    const { status, stdout } = await lightcone(["sim", "berkeley", "--clocks", clocks, "--rounds", "1"]);
    expect(stdout).toContain(
      "First round, master P1: average 100.55 s; adjustments P1 +0.25 s, P2 -1.95 s, P3 +2.15 s, P4 -0.45 s.",
    );
    expect(stdout.match(/^P[1-4] .* 100\.55 s$/gm)).toHaveLength(4);
    expect(status).toBe(0);
    const refused = await lightcone(["run", "berkeley", "--clocks", "1s,2s"]);
    expect(refused.stderr).toMatch(/^lightcone: --clocks names 2 clocks for 4 processes; .*\n$/);
    expect(refused.status).toBe(2);
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

  test("--svg with --json prints an object; what cannot be written is the picture", async () => {
    const file = join(stateHome, "run2.svg");
    const { stdout } = await lightcone(["show", trace, "--svg", file, "--json"]);
    expect(JSON.parse(stdout)).toEqual({ svg: file });
    const refused = await lightcone(["show", trace, "--svg", join(stateHome, "nowhere", "run.svg")]);
    expect(refused.stderr).toMatch(/^lightcone: cannot write the picture to /);
    expect(refused.status).toBe(4);
  });

  test("--svg never overwrites a trace, least of all its own", async () => {
    const before = readFileSync(trace);
    const { status, stderr } = await lightcone(["show", trace, "--svg", trace]);
    expect(stderr).toContain("is a trace; name another file");
    expect(status).toBe(2);
    expect(readFileSync(trace)).toEqual(before);
  });

  test("--from and --to choose a part, of the text and of the picture", async () => {
    const { stdout } = await lightcone(["show", trace, "--from", "50ms", "--to", "100ms"]);
    expect(stdout).toContain("⋮");
    expect(stdout).not.toContain("The run ends");
    const file = join(stateHome, "part.svg");
    const { status } = await lightcone(["show", trace, "--from", "50ms", "--to", "100ms", "--svg", file]);
    expect(status).toBe(0);
    const events = Number(/processes, (\d+) events/.exec(readFileSync(file, "utf8"))?.[1]);
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThan(100);
  });

  test("--rows is a limit, and --ids names events that --event takes", async () => {
    const { stdout } = await lightcone(["show", trace, "--rows", "8", "--ids"]);
    expect(stdout.split("\n").filter((line) => /^ *[\d.]+ ms/.test(line)).length).toBeLessThanOrEqual(8);
    const id = / (P\d:\d+) /.exec(stdout)?.[1] ?? "";
    expect((await lightcone(["show", trace, "--event", id])).stdout).toContain(`${id} at `);
    expect((await lightcone(["show", trace])).stdout).toContain("--ids names the event of every row");
  });

  test.each([
    [["--rows", "7"], /--rows takes 8 or more; 7 given/],
    [["--rows", "20", "--svg", "x.svg"], /--rows: of the text diagram alone; --from and --to choose a part/],
    [["--from", "2s", "--to", "1s"], /--from 2s comes after --to 1s/],
    [["--from", "1h"], /nothing happens in that part of the run; its last event is at /],
    [["--from", "soon"], /--from: "soon" is not a duration/],
    [["--from", "1s", "--json"], /--from: of the diagram alone; --json gives the trace as it is/],
  ])("%j is refused", async (args, answer) => {
    const { status, stderr } = await lightcone(["show", trace, ...args], { cwd: stateHome });
    expect(stderr).toMatch(answer);
    expect(status).toBe(2);
  });
});

describe("faults", () => {
  test("lists the whole language, and every example parses", async () => {
    const { status, stdout } = await lightcone(["faults", "--json"]);
    const list = JSON.parse(stdout) as { fault: string; meaning: string; example: string }[];
    for (const { example } of list) expect(() => parseFaults(example, processNames(4))).not.toThrow();
    const words = [...SCHEDULE_KEYWORDS, "delay", "loss", "duplicate", "reorder", "corrupt"];
    for (const word of words) expect(list.map(({ fault }) => fault)).toContain(word);
    const shown = (await lightcone(["faults"])).stdout;
    for (const { meaning, example } of list) {
      expect(shown).toContain(example);
      expect(shown).toContain(meaning);
    }
    expect((await lightcone(["run", "--help"])).stdout).toContain("lightcone faults");
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

describe("a trace that names a lab file", () => {
  const hostile = join(stateHome, "hostile.trace");
  const witness = join(stateHome, "it-ran");
  const labFile = join(stateHome, "hostile-lab.mjs");

  beforeAll(() => {
    writeFileSync(
      labFile,
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(witness)}, "");`,
    );
    const { header, events, end } = readTrace(readFileSync(trace, "utf8"));
    writeFileSync(hostile, writeTrace({ header: { ...header, lab: labFile }, events, end }));
  });

  test.each(["check", "replay"])("%s does not run that file, and says how the user may", async (command) => {
    const { status, stderr } = await lightcone([command, hostile]);
    expect(stderr).toMatch(
      /this run is of the lab file .*hostile-lab\.mjs; a lab file is a program.*--lab FILE/,
    );
    expect(status).toBe(2);
    expect(existsSync(witness)).toBe(false);
  });

  test("show draws it without the file", async () => {
    const { status, stdout } = await lightcone(["show", hostile]);
    expect(stdout).toContain("request 1");
    expect(status).toBe(0);
    expect(existsSync(witness)).toBe(false);
  });

  test("the name it carries cannot move the cursor", async () => {
    const { header, events, end } = readTrace(readFileSync(trace, "utf8"));
    const path = join(stateHome, "escape.trace");
    writeFileSync(path, writeTrace({ header: { ...header, lab: "\u001b[31mred\u0007" }, events, end }));
    const { stderr, status } = await lightcone(["check", path]);
    expect(stderr).toContain('unknown lab "\\x1b[31mred\\x07"');
    expect(status).toBe(2);
  });
});

test("a lab whose checkers had nothing to judge is inconclusive, and says which", async () => {
  const file = join(stateHome, "idle-lab.ts");
  writeFileSync(
    file,
    `import { mutualExclusion } from "lightcone/checkers";
     import type { Lab } from "lightcone/labs";
     const lab: Lab = {
       id: "idle", title: "Nobody does anything", summary: "", processes: { min: 2, usual: 2, max: 2 }, options: [],
       protocol: () => ({ name: "idle", start: () => ({}), onMessage: (state: object) => state }),
       faults: "", checkers: [mutualExclusion], witnesses: [], guide: [], narration: {},
     };
     export default lab;`,
  );
  for (const args of [
    ["sim", file],
    ["sim", file, "--seeds", "3"],
    ["run", file],
  ]) {
    const { status, stdout } = await lightcone(args);
    expect(stdout).toContain("INCONCLUSIVE");
    expect(stdout).toContain("mutual-exclusion");
    expect(status).toBe(3);
  }
});

/** A lab in a file of its own, whose protocol is this text. */
function labFile(name: string, protocol: string, folder = stateHome): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    `export default {
       id: "own", title: "One's own", summary: "", processes: { min: 2, usual: 2, max: 2 }, options: [],
       protocol: () => (${protocol}),
       faults: "", checkers: [], witnesses: [], guide: [], narration: {},
     };`,
  );
  return file;
}

test("a handler that throws in the simulator is shown with its place in the user's file", async () => {
  const file = labFile(
    "throws.ts",
    '{ name: "own", start() { throw new Error("no"); }, onMessage: (state) => state }',
  );
  const { stderr, stdout, status } = await lightcone(["sim", file]);
  expect(stderr).toBe("lightcone: thrown at throws.ts:3\n");
  expect(stdout).toContain("P1 failed at its start: no");
  expect(status).toBe(1);
});

test("what a lab prints goes to stderr: --json stays one object", async () => {
  const file = labFile(
    "prints.ts",
    '{ name: "own", start() { console.log("from the lab"); return {}; }, onMessage: (state) => state }',
  );
  const { stderr, stdout } = await lightcone(["sim", file, "--json"]);
  expect(stderr).toContain("from the lab");
  expect(JSON.parse(stdout)).toHaveProperty("verdict");
});

test.each(["sim", "run"])("%s --out never overwrites what is no trace", async (command) => {
  const file = labFile("precious.ts", '{ name: "own", start: () => ({}), onMessage: (state) => state }');
  const before = readFileSync(file, "utf8");
  const { status, stderr } = await lightcone([command, "hello", "--out", file]);
  expect(stderr).toContain("precious.ts is there and is no trace");
  expect(status).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(before);
  const twice = ["sim", "hello", "--out", join(stateHome, "twice.trace")];
  expect((await lightcone(twice)).stderr).toBe("");
  expect((await lightcone(twice)).stderr).toBe("");
});

test.skipIf(process.getuid?.() === 0)(
  "a lab file in a folder that is not to be written to runs",
  async () => {
    const folder = join(stateHome, "read-only");
    mkdirSync(folder);
    labFile("shared.mjs", '{ name: "own", start: () => ({}), onMessage: (state) => state }', folder);
    writeFileSync(join(folder, "user.ts"), 'import lab from "./shared.mjs";\nexport default lab;\n');
    chmodSync(folder, 0o500);
    const { status, stderr } = await lightcone(["sim", join(folder, "user.ts")]);
    expect(stderr).toBe("");
    expect(status).toBe(3);
  },
);

test("the commands it proposes next name the trace when that is not the last run", async () => {
  const out = join(stateHome, "elsewhere.trace");
  const { stdout } = await lightcone([
    "sim",
    "ricart-agrawala",
    "--seed",
    "7",
    "--entries",
    "1",
    "--out",
    out,
  ]);
  expect(stdout).toContain(`lightcone replay ${out}`);
  expect(stdout).toContain("lightcone run ricart-agrawala -n 3 --entries 1 --faults 'none'");
});

test("--ascii prints nothing beyond ASCII, verdict and all", async () => {
  const { stdout } = await lightcone(["sim", "ricart-agrawala", "--seed", "7", "--ascii"]);
  expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
});

test("a sweep that is interrupted is not green", async () => {
  const sweep = start(["sim", "ricart-agrawala", "--seeds", "100000000", "--json"]);
  // Node catches SIGINT from the first; that SIGHUP (bit 0) is caught too tells that the command listens by now.
  const caught = (): string =>
    /SigCgt:\t(\w+)/.exec(readFileSync(`/proc/${sweep.pid}/status`, "utf8"))?.[1] ?? "";
  await expect.poll(caught, { timeout: 10_000 }).toMatch(/[37bf]$/);
  sweep.signal("SIGINT");
  const { status, stdout } = await sweep.ended;
  expect(status).toBe(130);
  expect(stdout).toContain('"verdict":"inconclusive"');
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
