import type { RunSettings } from "../core/index.js";
import type { ReliableOptions } from "../protocols/index.js";
import type { LabOption } from "./lab.js";

/** What every lab over the reliable link lets its user set. */
export const linkOptions: readonly LabOption[] = [
  {
    name: "max-retries",
    summary: "unanswered attempts after which a link gives up on a peer",
    kind: "integer",
    usual: 100,
    min: 0,
    max: 1_000_000,
  },
];

export function linkSettings(run: RunSettings): Partial<ReliableOptions> {
  return { maxRetries: Number(run.options["max-retries"]) };
}
