import { idOf } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { roundOutput } from "./clock-output.js";
import { Violations } from "./violations.js";

/**
 * A client trusts more than half of the servers that it heard, and goes where more than half of them say that the time
 * can be: one that tells a wrong time moves nobody.
 */
export const trustedMajority: Checker = {
  name: "trusted-majority",
  claim: "a clock is moved only to a time that more than half of the servers heard agree on",
  kinds: ["output"],
  begin() {
    const violations = new Violations("trusted-majority");
    let judged = 0;
    return {
      observe(event) {
        const round = roundOutput(event);
        if (round === undefined) return;
        judged++;
        const heard = round.clocks.filter(({ process }) => process !== event.process);
        const agree = heard.filter(({ offset, error }) => Math.abs(offset - round.average) <= error + 1);
        if (2 * round.averaged.length > heard.length && 2 * agree.length > heard.length) return;
        violations.add(
          `${event.process} moves its clock by ${round.average} µs at ${idOf(event)}, trusting ${round.averaged.length} of ${heard.length} servers; ${agree.length} of them say that this can be`,
          [idOf(event)],
        );
      },
      finish: () => violations.found,
      occasions: () => judged,
    };
  },
};
