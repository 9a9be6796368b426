import type { Duration, RunSettings } from "../../core/index.js";
import { bullyLab } from "../bully.js";
import { changRobertsLab } from "../chang-roberts.js";
import { hirschbergSinclairLab } from "../hirschberg-sinclair.js";
import { ElectionMeter } from "./election-meter.js";
import type { Family, Load } from "./family.js";

/** Leader election: by knowing all, or by a ring. */
export const electionFamily: Family = {
  id: "election",
  title: "Leader election",
  operation: "election",
  members: [
    { lab: bullyLab, formula: "to 2n(n-1)", published: (n) => ({ min: n - 1, max: 2 * n * (n - 1) }) },
    {
      lab: changRobertsLab,
      formula: "3n-1…n(n+3)/2",
      published: (n) => ({ min: 3 * n - 1, max: (n * (n + 3)) / 2 }),
    },
    {
      lab: hirschbergSinclairLab,
      formula: "to 8n(1+⌈log n⌉)+n",
      published: (n) => ({ min: 3 * n, max: 8 * n * (1 + Math.ceil(Math.log2(n))) + n }),
    },
  ],
  loads: [
    order("falling", "all start at once and ids fall along the ring", (n) => (_, place) => n - place),
    order("rising", "all start at once and ids rise along the ring", () => (_, place) => place + 1),
  ],
  columns: [
    {
      key: "decided",
      title: "decided",
      meaning: "from the first start until somebody leads",
      unit: "delays",
    },
    { key: "known", title: "known", meaning: "and until everybody knows", unit: "delays" },
    { key: "won", title: "won", meaning: "how often somebody took the lead", unit: "count" },
  ],
  trials: [
    { name: "loss", faults: "loss 20%, duplicate 10%, reorder 20%", options: {} },
    { name: "crash and return", faults: "crash P2 at 5ms, restart P2 at 250ms", options: impatient(10) },
    { name: "crash", faults: "crash P2 at 5ms", options: impatient(5) },
  ],
  repeatedBy: undefined,
  begin: () => new ElectionMeter(),
};

function order(
  name: string,
  when: string,
  id: (processes: number) => (_: unknown, place: number) => number,
): Load {
  return {
    name,
    when,
    options: (processes: number, delay: Duration): RunSettings["options"] => ({
      think: 0,
      ids: Array.from({ length: processes }, id(processes)).join(" "),
      // Longer than a round of the ring takes, and an answer.
      patience: 4 * processes * delay,
    }),
  };
}

function impatient(retries: number): RunSettings["options"] {
  return { "max-retries": retries, patience: 500_000 };
}
