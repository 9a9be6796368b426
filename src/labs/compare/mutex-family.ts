import { MILLISECOND, processNames } from "../../core/index.js";
import { cyclicQuorums, treeDiameter } from "../../protocols/index.js";
import { coordinatorLab } from "../coordinator.js";
import { lamportLab } from "../lamport.js";
import { maekawaLab } from "../maekawa.js";
import { raymondLab } from "../raymond.js";
import { ricartAgrawalaLab } from "../ricart-agrawala.js";
import { roucairolCarvalhoLab } from "../roucairol-carvalho.js";
import { suzukiKasamiLab } from "../suzuki-kasami.js";
import { tokenRingLab } from "../token-ring.js";
import type { Family } from "./family.js";
import { MutexMeter } from "./mutex-meter.js";

/** Mutual exclusion: eight ways to let in one at a time. */
export const mutexFamily: Family = {
  id: "mutex",
  title: "Mutual exclusion",
  operation: "entry",
  members: [
    { lab: lamportLab, formula: "3(n-1)", published: (n) => 3 * (n - 1) },
    { lab: ricartAgrawalaLab, formula: "2(n-1)", published: (n) => 2 * (n - 1) },
    { lab: roucairolCarvalhoLab, formula: "0…2(n-1)", published: (n) => ({ min: 0, max: 2 * (n - 1) }) },
    { lab: suzukiKasamiLab, formula: "0 or n", published: (n) => ({ min: 0, max: n }) },
    { lab: raymondLab, formula: "0…2D", published: (n) => ({ min: 0, max: 2 * treeDiameter("binary", n) }) },
    { lab: maekawaLab, formula: "3(K-1)…7(K-1)", published: (n) => ofQuorums(n) },
    { lab: tokenRingLab, formula: "0…4n", published: (n) => ({ min: 0, max: 4 * n }) },
    { lab: coordinatorLab, formula: "0 or 3", published: () => ({ min: 0, max: 3 }) },
  ],
  loads: [
    {
      name: "all",
      when: "all want in at once, and again at once",
      options: (_, delay) => ({ think: 0, hold: 2 * delay, ...WITHOUT_REPAIR }),
    },
    {
      name: "few",
      when: "requests are far apart",
      options: (processes, delay) => ({ think: 40 * processes * delay, hold: 2 * delay, ...WITHOUT_REPAIR }),
    },
  ],
  columns: [
    {
      key: "handover",
      title: "handover",
      meaning: "from one's exit to the entry of one that waits (synchronisation delay)",
      unit: "delays",
    },
    { key: "wait", title: "wait", meaning: "from request to entry, on average", unit: "delays" },
    {
      key: "overtaken",
      title: "overtaken",
      meaning: "how often the same other process entered during one wait, at most",
      unit: "count",
    },
  ],
  trials: [
    { name: "loss", faults: "loss 20%, duplicate 10%, reorder 20%", options: {} },
    {
      name: "crash and return",
      faults: "crash P2 at 50ms, restart P2 at 250ms",
      options: { "max-retries": 10, patience: 1_000 * MILLISECOND },
    },
    {
      name: "crash",
      faults: "crash P2 at 50ms",
      options: { "max-retries": 5, patience: 1_000 * MILLISECOND },
    },
  ],
  repeatedBy: "entries",
  begin: () => new MutexMeter(),
};

/** Nothing is lost here, so a long wait is no reason to suspect it. */
const WITHOUT_REPAIR = { patience: 0 };

function ofQuorums(n: number): { readonly min: number; readonly max: number } {
  const processes = processNames(n);
  const others = (cyclicQuorums(processes)["P1"]?.length ?? 1) - 1;
  return { min: 3 * others, max: 7 * others };
}
