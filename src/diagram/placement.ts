import type { ProcessId } from "../core/index.js";
import { NETWORK } from "../core/index.js";
import type { Step } from "./step.js";

/**
 * Decides where a message's horizontal arrow may stand without telling a lie.
 *
 * A horizontal arrow makes sending and arriving one moment. That is honest as long as every lane keeps its own order:
 * the send may slide down to the arrival when its process does nothing in between, or the arrival may slide up to the
 * send. When neither holds, the arrow is drawn at its arrival and marked as sent earlier.
 */
export class Placement {
  /** Orders of the steps to respect, per lane, ascending. */
  readonly #busy = new Map<ProcessId, number[]>();
  /** Stretches over which something has slid already, per lane: nothing else may slide across. */
  readonly #taken = new Map<ProcessId, { readonly from: number; readonly to: number }[]>();

  /** `steps` are those with something to tell, in order; across the others anything may slide. */
  constructor(steps: readonly Step[], processes: readonly ProcessId[]) {
    for (const process of processes) {
      this.#busy.set(process, []);
      this.#taken.set(process, []);
    }
    for (const step of steps) {
      // What concerns everyone is a line across all lanes.
      const lanes = step.process === NETWORK ? processes : [step.process];
      for (const lane of lanes) this.#busy.get(lane)?.push(step.order);
    }
  }

  /** Whether something on `lane` can slide between the steps `from` and `to`; if so, keeps that stretch for it. */
  slide(lane: ProcessId, from: number, to: number): boolean {
    const taken = this.#taken.get(lane);
    if (taken === undefined || from >= to) return false;
    // What leaves in one step may slide together: the step is one moment.
    if (taken.some((stretch) => stretch.from !== from && stretch.from < to && from < stretch.to))
      return false;
    const busy = this.#busy.get(lane) ?? [];
    const next = busy[firstAbove(busy, from)];
    if (next !== undefined && next < to) return false;
    taken.push({ from, to });
    return true;
  }
}

/** Place of the first entry greater than `value` in an ascending list. */
function firstAbove(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
