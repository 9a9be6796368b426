import {
  MINUTE,
  parseDuration,
  Random,
  SECOND,
  UsageError,
  type Instant,
  type RunSettings,
} from "../core/index.js";
import type { LabOption } from "./lab.js";

/** How the labs of clocks say how wrong each clock is at first. */
export const clocksOption: LabOption = {
  name: "clocks",
  summary:
    "what each clock shows at the start, such as 100.3s,102.5s,98.4s; random: within a second, of three or more the last a minute off",
  kind: "text",
  usual: "random",
};

/**
 * What each clock shows when the run begins, in microseconds; throws a `UsageError` unless `--clocks` names one for each.
 *
 * `random` draws them from the seed, around 100 s; the last of three or more is a minute ahead.
 */
export function clockReadings({ processes, seed, options }: RunSettings): readonly Instant[] {
  const given = String(options["clocks"]);
  if (given === "random") return processes.map((process, place) => drawn(process, place, processes, seed));
  const texts = given.split(",");
  if (texts.length !== processes.length) {
    throw new UsageError(
      `--clocks names ${texts.length} ${texts.length === 1 ? "clock" : "clocks"} for ${processes.length} processes; give one reading for each, such as 100.3s,102.5s, or "random"`,
    );
  }
  return texts.map((text) => {
    try {
      return parseDuration(text);
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      throw new UsageError(`--clocks: ${cause.message}`, cause.facts, { cause });
    }
  });
}

function drawn(process: string, place: number, { length }: readonly string[], seed: number): Instant {
  const near = 100 * SECOND + Random.stream(seed, `clock:${process}`).between(-SECOND / 2, SECOND / 2);
  return length >= 3 && place === length - 1 ? near + MINUTE : near;
}
