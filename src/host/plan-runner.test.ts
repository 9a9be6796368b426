import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { expect, onTestFinished, test, vi } from "vitest";
import { MILLISECOND } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import { TRACE_VERSION, type TraceHeader } from "../trace/index.js";
import { Collector } from "./collector.js";
import { Lane } from "./lane.js";
import { PlanRunner } from "./plan-runner.js";
import { RunClock } from "./run-clock.js";
import { Supervised } from "./supervised.js";

/** Participants that are real processes, which do nothing and say nothing; so what a plan waits for takes its longest. */
function silentRun(faultText: string) {
  const processes = ["P1", "P2"];
  const faults = parseFaults(faultText, processes);
  const header: TraceHeader = {
    format: "lightcone-trace",
    version: TRACE_VERSION,
    lightcone: "test",
    source: "processes",
    lab: "silent",
    processes,
    seed: 1,
    options: {},
    faults: "",
    duration: 60_000 * MILLISECOND,
    transport: "tcp",
  };
  const folder = mkdtempSync(join(tmpdir(), "lct-"));
  const collector = new Collector({ header });
  const observer = { onEvent: () => {}, onCaughtUp: () => {} };
  const all = processes.map(
    (process, index) =>
      new Supervised(process, index, new Lane(join(folder, String(index)), header, process, observer)),
  );
  const idle = (one: Supervised): void => {
    one.spawn(
      { entry: ["-e", "setInterval(() => {}, 1000)", "--"], control: "", process: one.process, token: "" },
      performance.now(),
    );
    one.phase = "running";
  };
  all.forEach(idle);
  const plan: PlanRunner = new PlanRunner({
    all,
    faults,
    clock: new RunClock(),
    collector,
    spawn: (one) => {
      idle(one);
      plan.restarted();
    },
    guard: (action) => action(),
  });
  onTestFinished(async () => {
    plan[Symbol.dispose]();
    for (const one of all) one.child?.signal("SIGKILL");
    await Promise.all(all.flatMap((one) => one.child?.exited ?? []));
    for (const one of all) one.lane[Symbol.dispose]();
    collector[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  plan.begin(header.duration);
  return { plan, all };
}

test("a crash that is due while a restart still waits comes after it, and the next restart after that", async () => {
  // P1 never says what was lost with P2, so the first restart waits for half a second.
  const { plan, all } = silentRun("crash P2 at 0s, restart P2 at 5ms, crash P2 at 10ms, restart P2 at 900ms");
  await vi.waitFor(() => expect(plan.left).toBe(0), { timeout: 20_000 });
  expect(all[1]?.pids.length).toBe(3);
  expect(all[1]?.phase).toBe("running");
});
