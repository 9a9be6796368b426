import type { Duration, EventId } from "../core/index.js";
import { idOf, type TraceHeader } from "../trace/index.js";
import type { Scope, Witness } from "./checker.js";
import { masterOutput, roundOutput } from "./clock-output.js";
import { ClockTracks } from "./clock-tracks.js";

/** The clocks were really wrong at first: two of them further apart than `apart`, in microseconds. */
export function clocksWereApart(apart: Duration): Witness {
  return {
    name: "clocks-were-apart",
    claim: `two clocks were more than ${apart / 1000} ms apart at first`,
    kinds: ["output"],
    begin() {
      const tracks = new ClockTracks();
      let found: EventId | undefined;
      return {
        observe(event) {
          const output = tracks.observe(event);
          if (found !== undefined || output?.cause !== "start" || output.round[1] !== 0) return;
          for (const track of tracks.all()) {
            if (Math.abs(track.aim(event.at) - output.reading) > apart) found = idOf(event);
          }
        },
        finish: () => found,
      };
    },
  };
}

/** A correction was slewed to its end, so that the clock shows what it was told to. */
export const correctionArrived: Witness = {
  name: "correction-arrived",
  claim: "a clock was slewed or stepped all the way to its new time",
  kinds: ["output"],
  begin() {
    const tracks = new ClockTracks();
    let found: EventId | undefined;
    return {
      observe(event) {
        const cause = tracks.observe(event)?.cause;
        if (found === undefined && (cause === "arrived" || cause === "step")) found = idOf(event);
      },
      finish: () => found,
    };
  },
};

/** A round left somebody out of its average; expected of the runs in `only`. */
export function outlierLeftOut(only: Scope): Witness {
  return {
    name: "outlier-left-out",
    claim: "a clock that was far out was left out of an average",
    only,
    kinds: ["output"],
    begin() {
      let found: EventId | undefined;
      return {
        observe(event) {
          const round = found === undefined ? roundOutput(event) : undefined;
          if (round !== undefined && round.averaged.length < round.clocks.length) found = idOf(event);
        },
        finish: () => found,
      };
    },
  };
}

/** Another process took over from the first one; expected of the runs in which that one crashes. */
export const masterFailedOver: Witness = {
  name: "master-failed-over",
  claim: "another process than the first one became master",
  only: { runs: "runs in which the first process crashes and does not come back", includes: losesFirst },
  kinds: ["output"],
  begin({ processes: [first] }) {
    let found: EventId | undefined;
    return {
      observe(event) {
        if (event.process !== first && masterOutput(event) !== undefined) found ??= idOf(event);
      },
      finish: () => found,
    };
  },
};

function losesFirst({ faults, processes: [first = ""] }: TraceHeader): boolean {
  const words = faults.split(",").map((item) => item.trim());
  return (
    words.some((item) => item.startsWith(`crash ${first} `)) &&
    !words.some((item) => item.startsWith(`restart ${first} `))
  );
}
