import type { VerdictKind } from "../labs/index.js";

/** What `lightcone` tells the shell. */
export const EXIT = {
  pass: 0,
  violation: 1,
  unusableInput: 2,
  inconclusive: 3,
  couldNotRun: 4,
  interrupted: 130,
} as const;

export function exitStatusOf(verdict: VerdictKind): number {
  switch (verdict) {
    case "pass":
      return EXIT.pass;
    case "fail":
      return EXIT.violation;
    case "inconclusive":
      return EXIT.inconclusive;
  }
}
