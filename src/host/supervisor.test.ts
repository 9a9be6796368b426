import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { receiveHasSend, recordedClocks } from "../checkers/index.js";
import { processNames, UsageError } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import type { Lab } from "../labs/index.js";
import { CausalTracker, readTrace, type Trace, type TraceEvent } from "../trace/index.js";
import { tcp, uds } from "../transports/index.js";
import { REAL_PROCESSES_MAX, type RealRunOptions, type RunResult } from "./run-options.js";
import { runForReal } from "./supervisor.js";

// Children run what `npm run build` made: participants are programs, not modules of this one.
const ENTRY = fileURLToPath(new URL("../../dist/host/participant-main.js", import.meta.url));
const LAB = fileURLToPath(new URL("../../test/fixtures/ping-lab.mjs", import.meta.url));

const lab = ((await import(pathToFileURL(LAB).href)) as { readonly default: Lab }).default;

// Finding another program's children needs /proc.
const LINUX = process.platform === "linux";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lct-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function options(
  change: Partial<RealRunOptions> & { readonly faultText?: string; readonly count?: number } = {},
): RealRunOptions {
  const { faultText = "", count = 3, ...rest } = change;
  const processes = processNames(count);
  return {
    lab,
    labRef: LAB,
    entry: [ENTRY, "process"],
    processes,
    seed: 11,
    options: { rounds: 5 },
    faults: parseFaults(faultText, processes),
    transports: { tcp, uds },
    lightcone: "test",
    runtimeParent: folder(),
    ...rest,
  };
}

function violations(trace: Trace): readonly unknown[] {
  return [receiveHasSend, recordedClocks].flatMap((checker) => {
    const past = new CausalTracker(trace.header.processes);
    const observer = checker.begin(trace.header);
    for (const event of trace.events) {
      past.observe(event);
      observer.observe(event, past);
    }
    return observer.finish(trace.end);
  });
}

function kinds(trace: Trace, kind: TraceEvent["kind"]): readonly TraceEvent[] {
  return trace.events.filter((event) => event.kind === kind);
}

/** Dead; whether its parent has noticed is not ours to wait for. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (!LINUX) return false;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return true;
  }
}

function expectNothingLeft(
  result: { readonly processes: readonly { readonly pids: readonly number[] }[] },
  parent: string | undefined,
): void {
  expect(result.processes.flatMap(({ pids }) => pids).filter((pid) => !isGone(pid))).toEqual([]);
  expect(readdirSync(parent ?? "/nowhere")).toEqual([]);
}

for (const transport of ["tcp", "uds"]) {
  test(`a quiet run over ${transport} ends by itself, with a trace that a file and its reader agree on`, async () => {
    const out = join(folder(), "run.ndjson");
    const given = options({ transport, out });
    const seen: TraceEvent[] = [];
    const result = await runForReal({ ...given, onEvent: (event) => seen.push(event) });
    expect(result.stopped).toBe("quiescent");
    // 3 users × 5 commands, each a ping and a pong with 2 peers.
    expect(kinds(result.trace, "send")).toHaveLength(60);
    expect(kinds(result.trace, "receive")).toHaveLength(60);
    expect(violations(result.trace)).toEqual([]);
    expect(seen).toEqual(result.trace.events);
    const read = readTrace(readFileSync(out, "utf8"));
    expect({ header: read.header, events: read.events, end: read.end }).toEqual(result.trace);
    expectNothingLeft(result, given.runtimeParent);
  });
}

test("kill -9 in mid-run leaves every receipt with its send, and a restart goes on from what was saved", async () => {
  const given = options({
    faultText: "crash P2 at 400ms, restart P2 at 600ms",
    // Time enough to come back in, also for a machine that has other things to do.
    options: { rounds: 1_000_000, pause: 2_000 },
    duration: 3_000_000,
  });
  const result = await runForReal(given);
  expect(result.stopped).toBe("time-limit");
  expect(violations(result.trace)).toEqual([]);
  const lane = result.trace.events.filter((event) => event.process === "P2");
  expect(lane.map((event) => event.number)).toEqual(lane.map((_, i) => i + 1));
  const crash = lane.findIndex((event) => event.kind === "crash");
  const restart = lane[crash + 1];
  const saved = lane.slice(0, crash).findLast((event) => event.kind === "save");
  expect(saved).toBeDefined();
  expect(restart).toMatchObject({
    kind: "restart",
    incarnation: 1,
    saved: saved?.kind === "save" ? saved.saved : "no save",
  });
  expect(lane.slice(crash + 2).some((event) => event.kind === "receive")).toBe(true);
  expect(result.processes.map(({ pids }) => pids.length)).toEqual([1, 2, 1]);
  expectNothingLeft(result, given.runtimeParent);
});

test("messages under way to a process that is killed are recorded as lost, and a crash for good still lets the run end", async () => {
  // The second command comes after the crash, and P2 never answers it.
  const given = options({
    faultText: "crash P2 at 100ms",
    options: { rounds: 3, pause: 300_000 },
    duration: 20_000_000,
  });
  const result = await runForReal(given);
  expect(result.stopped).toBe("quiescent");
  expect(violations(result.trace)).toEqual([]);
  const settled = new Set(
    result.trace.events.flatMap((event) =>
      event.kind === "receive" || event.kind === "drop" ? [`${event.from}:${event.send}`] : [],
    ),
  );
  const open = result.trace.events.filter(
    (event) => event.kind === "send" && !settled.has(`${event.process}:${event.number}`),
  );
  expect(open).toEqual([]);
  const crashed = result.trace.events.filter((event) => event.kind === "drop" && event.reason === "crashed");
  expect(crashed.length).toBeGreaterThanOrEqual(2);
});

test.each([
  ["at the same time", "crash P2 at 50ms, crash P3 at 50ms, restart P2 at 100ms, restart P3 at 100ms"],
  [
    "while another comes back",
    "crash P2 at 50ms, restart P2 at 100ms, crash P3 at 110ms, restart P3 at 150ms",
  ],
  [
    "before it has come back",
    "crash P2 at 50ms, restart P2 at 100ms, crash P2 at 101ms, restart P2 at 150ms",
  ],
  [
    "all at one moment",
    "crash P2 at 50ms, restart P2 at 50ms, crash P2 at 50ms, restart P2 at 50ms, crash P2 at 51ms, restart P2 at 51ms",
  ],
  ["in its first moment", "crash P1 at 0s, restart P1 at 100ms"],
])(
  "crashes %s are survived: everybody runs again and is connected to everybody",
  async (_when, faultText) => {
    const given = options({ faultText, options: { rounds: 3, pause: 200_000 }, duration: 20_000_000 });
    const result = await runForReal(given);
    expect(result.detail).toBeUndefined();
    expect(result.stopped).toBe("quiescent");
    expect(violations(result.trace)).toEqual([]);
    for (const process of given.processes) {
      const lane = result.trace.events.filter((event) => event.process === process);
      expect(lane.filter((event) => event.kind === "crash").length).toBe(
        lane.filter((event) => event.kind === "restart").length,
      );
    }
    expectNothingLeft(result, given.runtimeParent);
  },
);

test("when all have crashed for good, nothing is going on any more", async () => {
  const given = options({ count: 2, faultText: "crash P1 at 20ms, crash P2 at 30ms", duration: 20_000_000 });
  const result = await runForReal(given);
  expect(result.stopped).toBe("quiescent");
  expect(violations(result.trace)).toEqual([]);
});

test("pause is SIGSTOP: nothing of the process is recorded meanwhile, and it goes on afterwards", async () => {
  const given = options({
    faultText: "pause P1 at 100ms..400ms",
    options: { rounds: 1_000_000, pause: 1_000 },
    duration: 600_000,
  });
  const result = await runForReal(given);
  expect(violations(result.trace)).toEqual([]);
  const own = result.trace.events.filter((event) => event.process === "P1");
  // The signal is sent at the time; how soon the system stops the process is its own affair.
  expect(own.filter((event) => event.at > 200_000 && event.at < 400_000)).toEqual([]);
  expect(own.some((event) => event.at > 400_000)).toBe(true);
  expect(result.trace.events.filter((event) => event.process === "net").map((event) => event.kind)).toEqual([
    "pause",
    "resume",
  ]);
});

test("faults of links, clocks and disks act in the children as the plan says", async () => {
  const given = options({
    faultText:
      "loss 10%, duplicate 10%, reorder 10%, delay 0..1ms, partition P1 | P2 P3 at 50ms..150ms, fail-receive P3 at 200ms..300ms, disk-full P3 at 0s..100s, clock P1 +10s at 0ms",
    options: { rounds: 1_000_000, timer: true },
    duration: 500_000,
  });
  const result = await runForReal(given);
  expect(result.stopped).toBe("time-limit");
  expect(violations(result.trace)).toEqual([]);
  const befell = new Set(
    result.trace.events.map((event) => (event.kind === "drop" ? `drop ${event.reason}` : event.kind)),
  );
  for (const what of ["drop loss", "drop partition", "drop failed-receive", "duplicate", "hold", "fault"]) {
    expect(befell).toContain(what);
  }
  const ticks = result.trace.events.filter((event) => event.kind === "timer" && event.process === "P1");
  expect(ticks.length).toBeGreaterThan(5);
  expect(ticks.every((event) => (event.local ?? 0) - event.at > 9_000_000)).toBe(true);
  expect(result.trace.events.some((event) => event.kind === "save" && event.process === "P3")).toBe(false);
});

test("a protocol whose timers never end runs to its time limit", async () => {
  const result = await runForReal(
    options({ count: 2, options: { rounds: 1, timer: true }, duration: 200_000 }),
  );
  expect(result.stopped).toBe("time-limit");
});

test("an interrupted run ends within two seconds and keeps its trace", async () => {
  const out = join(folder(), "run.ndjson");
  const abort = new AbortController();
  const given = options({ options: { rounds: 1_000_000 }, signal: abort.signal, out });
  let abortedAt = 0;
  const result = await runForReal({
    ...given,
    onEvent: (event) => {
      if (event.kind !== "output" || abortedAt > 0) return;
      abortedAt = performance.now();
      abort.abort();
    },
  });
  expect(performance.now() - abortedAt).toBeLessThan(2_000);
  expect(result.stopped).toBe("interrupted");
  expect(violations(result.trace)).toEqual([]);
  expect(readTrace(readFileSync(out, "utf8")).end).toEqual({ stopped: "interrupted" });
  expectNothingLeft(result, given.runtimeParent);
});

test("a run interrupted before it began ends too", async () => {
  const given = options({ signal: AbortSignal.abort() });
  const result = await runForReal(given);
  expect(result.stopped).toBe("interrupted");
  expect(result.trace.events).toEqual([]);
  expectNothingLeft(result, given.runtimeParent);
});

test("a participant that ends at its start rejects the run with its last words, made safe, and leaves no trace", async () => {
  const program = join(folder(), "exit.mjs");
  writeFileSync(program, 'process.stderr.write("no such\\u001b[31m thing\\n"); process.exitCode = 3;');
  const out = join(folder(), "run.ndjson");
  const given = options({ entry: [program], out });
  await expect(runForReal(given)).rejects.toMatchObject({
    code: "not-started",
    message: expect.stringMatching(
      /^the run could not begin: P[123] ended with code 3: no such\\x1b\[31m thing$/,
    ),
  });
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(given.runtimeParent ?? "")).toEqual([]);
});

test("of a participant that throws at its start the error is told, not the end of its stack", async () => {
  const program = join(folder(), "throw.mjs");
  writeFileSync(program, 'function f() { throw new TypeError("of its own"); }\nf();');
  await expect(runForReal(options({ entry: [program], count: 1 }))).rejects.toThrow(
    "the run could not begin: P1 ended with code 1: TypeError: of its own",
  );
});

test("a program that cannot be executed rejects the run", async () => {
  const { execPath } = process;
  onTestFinished(() => void (process.execPath = execPath));
  process.execPath = "/nowhere/node";
  await expect(runForReal(options())).rejects.toMatchObject({
    code: "not-started",
    message: expect.stringMatching(/P1 could not be started: spawn \/nowhere\/node ENOENT/),
  });
});

test("a participant that hangs at its start rejects the run in time", async () => {
  const program = join(folder(), "hang.mjs");
  writeFileSync(program, 'process.kill(process.pid, "SIGSTOP");');
  const given = options({ entry: [program], startMsMax: 500 });
  await expect(runForReal(given)).rejects.toMatchObject({
    code: "not-started",
    message: expect.stringMatching(/P1 did not start within [0-9.]+ s/),
  });
  expect(readdirSync(given.runtimeParent ?? "")).toEqual([]);
});

test("a lab that cannot make its protocol in the participant rejects the run, and says where", async () => {
  await expect(runForReal(options({ options: { fail: "factory" } }))).rejects.toMatchObject({
    code: "not-started",
    message: expect.stringMatching(/P[123] ended with code 1: no protocol today \(ping-lab\.mjs:\d+\)$/),
  });
});

/** Runs until the first event, then sends the signal to P2. */
async function runAndSignal(given: RealRunOptions, signal: NodeJS.Signals): Promise<RunResult> {
  let victim = 0;
  return runForReal({
    ...given,
    onEvent: () => {
      if (victim > 0) return;
      victim =
        childrenOf(process.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("P2")) ??
        0;
      if (victim > 0) process.kill(victim, signal);
    },
  });
}

test.runIf(LINUX)(
  "a participant that stops answering is lost; so is the run, with what it is doing",
  async () => {
    const given = options({ options: { rounds: 1, timer: true }, answerMsMax: 500 });
    const result = await runAndSignal(given, "SIGSTOP");
    expect(result.stopped).toBe("lost");
    expect(result.detail).toMatch(/^P2 has not answered for [0-9.]+ s \(a signal has stopped it\)$/);
    expectNothingLeft(result, given.runtimeParent);
  },
);

test.runIf(LINUX).each(["SIGKILL", "SIGTERM"] as const)(
  "a participant that somebody ends by %s is lost, which says nothing about the protocol",
  async (signal) => {
    const given = options({ options: { rounds: 1, timer: true } });
    const result = await runAndSignal(given, signal);
    expect(result.stopped).toBe("lost");
    expect(result.detail).toBe(`P2 was ended by ${signal}`);
    expect(violations(result.trace)).toEqual([]);
    expectNothingLeft(result, given.runtimeParent);
  },
);

test.runIf(LINUX)("a participant that brings a signal on itself has failed", async () => {
  const result = await runAndSignal(options({ options: { rounds: 1, timer: true } }), "SIGABRT");
  expect(result.stopped).toBe("failed");
  expect(result.detail).toMatch(/^P2 was ended by SIGABRT/);
});

test("a handler that does not return is named when the time limit comes first", async () => {
  const given = options({ options: { rounds: 5, fail: "hang" }, duration: 1_000_000 });
  const result = await runForReal(given);
  expect(result.stopped).toBe("time-limit");
  expect(result.detail).toMatch(/^P2 has not answered for [0-9.]+ s/);
  expectNothingLeft(result, given.runtimeParent);
});

test("more participants than start at once all run", async () => {
  const given = options({ count: 12, options: { rounds: 1 } });
  const result = await runForReal(given);
  expect(result.stopped).toBe("quiescent");
  expect(kinds(result.trace, "receive")).toHaveLength(2 * 12 * 11);
  expectNothingLeft(result, given.runtimeParent);
});

test("a trace that cannot be opened or begun rejects the run before anything is started", async () => {
  for (const out of [join(folder(), "nowhere", "x"), ...(LINUX ? ["/dev/full", "/proc/x"] : [])]) {
    const given = options({ out });
    let opened = false;
    await expect(runForReal({ ...given, onOpen: () => (opened = true) })).rejects.toMatchObject({
      code: "trace-not-written",
      message: expect.stringMatching(/^cannot write the trace to \/.*: E[A-Z]+: [^\n]+$/),
    });
    expect(opened).toBe(false);
    expect(readdirSync(given.runtimeParent ?? "")).toEqual([]);
  }
  if (LINUX) expect(existsSync("/dev/full")).toBe(true);
});

test.runIf(LINUX)(
  "a trace that can no longer be written ends the run, cleaned up, and is called incomplete",
  async () => {
    const out = join(folder(), "fifo");
    execFileSync("mkfifo", [out]);
    // The reader leaves in mid-run: EPIPE comes where a full disk would say ENOSPC.
    const reader = spawn("head", ["-c", "100000", out], { stdio: "ignore" });
    onTestFinished(() => void reader.kill());
    const given = options({ out, options: { rounds: 1_000_000 } });
    await expect(runForReal(given)).rejects.toMatchObject({
      code: "trace-not-written",
      message: expect.stringMatching(/EPIPE.*; the run was stopped, and the trace is incomplete$/),
    });
    expect(childrenOf(process.pid).filter((pid) => pid !== reader.pid && !isGone(pid))).toEqual([]);
    expect(readdirSync(given.runtimeParent ?? "")).toEqual([]);
  },
);

test("a trace is its owner's alone to read", async () => {
  const out = join(folder(), "run.ndjson");
  await runForReal(options({ out, options: { rounds: 1 } }));
  expect(statSync(out).mode & 0o777).toBe(0o600);
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

test("a handler that throws fails the run, names process and input, and the trace ends before that step", async () => {
  const given = options({ options: { rounds: 5, fail: "throw" } });
  const result = await runForReal(given);
  expect(result.stopped).toBe("failed");
  const line = readFileSync(LAB, "utf8").split("told to fail")[0]?.split("\n").length;
  expect(result.detail).toBe(
    `P2 ended with code 1: ping failed at a command: told to fail\\x1b[31m (ping-lab.mjs:${line})`,
  );
  expect(violations(result.trace)).toEqual([]);
  expectNothingLeft(result, given.runtimeParent);
});

test("what an observer throws ends the run, comes out, and leaves nothing behind", async () => {
  const given = options();
  const run = runForReal({
    ...given,
    onEvent: () => {
      throw new RangeError("a checker's bug");
    },
  });
  await expect(run).rejects.toThrow("a checker's bug");
  expect(readdirSync(given.runtimeParent ?? "")).toEqual([]);
});

test("unusable options are refused before anything is started", async () => {
  for (const change of [
    { transport: "carrier-pigeon" },
    { transport: "memory", transports: { tcp, uds, memory: tcp } },
    { processes: [] },
    { processes: processNames(REAL_PROCESSES_MAX + 1) },
    { entry: [] },
  ]) {
    await expect(runForReal(options(change))).rejects.toBeInstanceOf(UsageError);
  }
});

test.runIf(LINUX)(
  "when the supervisor is killed its participants end within a second, and the next run clears its folder",
  async () => {
    const parent = folder();
    const program = join(folder(), "supervisor.mjs");
    const dist = new URL("../../dist/", import.meta.url).href;
    writeFileSync(
      program,
      `import { runForReal } from "${dist}host/index.js"; import { tcp, uds } from "${dist}transports/index.js"; import lab from "${pathToFileURL(LAB).href}";
     await runForReal({ lab, labRef: ${JSON.stringify(LAB)}, entry: [${JSON.stringify(ENTRY)}], processes: ["P1", "P2", "P3"], seed: 1, options: { rounds: 1, timer: true },
       transports: { tcp, uds }, lightcone: "test", runtimeParent: ${JSON.stringify(parent)}, onEvent: (event) => { if (event.kind === "output") process.stdout.write("running\\n"); } });`,
    );
    const supervisor = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => supervisor.stdout.once("data", resolve));
    const children = childrenOf(supervisor.pid ?? 0);
    expect(children).toHaveLength(3);
    const killedAt = performance.now();
    supervisor.kill("SIGKILL");
    while (!children.every(isGone)) {
      if (performance.now() - killedAt > 5_000) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(performance.now() - killedAt).toBeLessThan(1_000);
    expect(readdirSync(parent)).toHaveLength(1);
    await runForReal(options({ runtimeParent: parent, count: 1, options: { rounds: 0 } }));
    expect(readdirSync(parent)).toEqual([]);
  },
);

test("a participant without a token, or one started by hand with a wrong one, is turned away", async () => {
  const answer = await new Promise<string>((resolve) => {
    execFile(process.execPath, [ENTRY, "--control", "uds:///nowhere/c", "--id", "P1"], (_error, _out, err) =>
      resolve(err),
    );
  });
  expect(answer).toContain("no control token");
});
