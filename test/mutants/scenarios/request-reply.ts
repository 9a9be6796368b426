import type { TraceEvent } from "../../../src/trace/index.js";
import type { Scenario } from "../mutant.js";
import { allSeedsPass } from "./labs.js";

const FAULTS = "loss 20%, duplicate 20%, reorder 20%";

const RESTARTS =
  "crash P1 at 60ms, restart P1 at 90ms, crash P1 at 200ms, restart P1 at 260ms, crash P1 at 500ms, restart P1 at 600ms";

/** How long each client waited before it sent its first request again, when all of them called at once. */
async function waits(root: string, clients: number): Promise<number[]> {
  const from = <Module>(layer: string): Promise<Module> => import(new URL(`${layer}/index.js`, root).href);
  const { findLab, runSettings, simulationOf } =
    await from<typeof import("../../../src/labs/index.js")>("labs");
  const { parseFaults } = await from<typeof import("../../../src/faults/index.js")>("faults");
  const { processNames, SECOND } = await from<typeof import("../../../src/core/index.js")>("core");
  const { Simulation } = await from<typeof import("../../../src/sim/index.js")>("sim");
  const processes = processNames(clients + 1);
  const lab = findLab("hello");
  const options = { calls: 1, "in-flight": 1, think: 0 };
  const settings = runSettings(lab, { processes, seed: 1, options });
  // Nothing reaches the server.
  const faults = parseFaults("loss 100%", processes);
  const sends = new Map<string, number[]>();
  const record = (event: TraceEvent): void => {
    if (event.kind !== "send") return;
    sends.set(event.process, [...(sends.get(event.process) ?? []), event.at]);
  };
  new Simulation(simulationOf(lab, settings, { faults, duration: 10 * SECOND }), record).run();
  return [...sends.values()].map(([first = 0, second = 0]) => second - first);
}

export const scenarios: readonly Scenario[] = [
  {
    name: "request-reply/exactly-once",
    claim: "calls have their effect once and get its result, while the server is killed three times",
    run: (root) =>
      allSeedsPass(root, {
        lab: "calculator",
        processes: 4,
        seeds: 200,
        faults: `${FAULTS}, ${RESTARTS}`,
        options: { "in-flight": 4, cancel: 20 },
      }),
  },
  {
    name: "request-reply/late-copies",
    claim: "copies that come long after their call is over do nothing",
    run: (root) =>
      allSeedsPass(root, {
        lab: "calculator",
        processes: 3,
        seeds: 200,
        faults: "delay 0..400ms, duplicate 30%, reorder 30%",
        options: { "in-flight": 3, cancel: 30 },
      }),
  },
  {
    name: "request-reply/no-disk",
    claim:
      "a server that loses its replies runs nothing twice, and its callers are told what they cannot know",
    run: (root) =>
      allSeedsPass(root, {
        lab: "calculator",
        processes: 4,
        seeds: 200,
        faults: `delay 0..50ms, ${FAULTS}, ${RESTARTS}`,
        options: { mode: "at-most-once", "in-flight": 4 },
      }),
  },
  {
    name: "request-reply/client-restarts",
    claim: "what a dead incarnation of a client asked for is not taken for a call of its successor",
    run: (root) =>
      allSeedsPass(root, {
        lab: "calculator",
        processes: 3,
        seeds: 200,
        faults:
          "delay 0..60ms, loss 10%, duplicate 20%, crash P2 at 50ms, restart P2 at 60ms, crash P2 at 150ms, restart P2 at 160ms",
        options: { "in-flight": 4 },
      }),
  },
  {
    name: "request-reply/short-deadlines",
    claim: "a call that runs out of time is not said to have failed when it may have run",
    run: (root) =>
      allSeedsPass(root, {
        lab: "calculator",
        processes: 3,
        seeds: 100,
        faults: "loss 40%, delay 0..50ms",
        options: { deadline: 150_000, "in-flight": 3 },
      }),
  },
  {
    name: "request-reply/jitter",
    claim: "clients that fail at the same moment do not come back at the same moment",
    async run(root) {
      const clients = 64;
      const all = await waits(root, clients);
      const different = new Set(all).size;
      const mean = all.reduce((sum, wait) => sum + wait, 0) / all.length / 1_000;
      if (all.length !== clients || different < 6 || Math.abs(mean - 50) > 15) {
        throw new Error(`${all.length} clients waited ${different} different times, ${mean} ms on average`);
      }
    },
  },
];
