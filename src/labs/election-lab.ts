import { MILLISECOND, Random, SECOND, type Protocol, type RunSettings } from "../core/index.js";
import {
  atMostOnce,
  bestLeads,
  leaderDeclaresItself,
  oneLeaderAtTheEnd,
  receiveHasSend,
  recordedClocks,
  severalTookPart,
  type Checker,
  type Witness,
} from "../checkers/index.js";
import {
  parseIds,
  reliable,
  reliableNarration,
  type ElectionCommand,
  type ElectionOutput,
  type Ids,
} from "../protocols/index.js";
import { userOf, type GuideStep, type Lab, type LabOption } from "./lab.js";
import { linkOptions, linkSettings } from "./link-options.js";

/** What one election lab adds to what all of them share. */
export interface ElectionLabParts<State, Message> {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  protocol(run: RunSettings): Protocol<State, Message, ElectionCommand, ElectionOutput>;
  readonly options?: readonly LabOption[];
  /** What it is that the winner has most of: "the highest". */
  readonly best: string;
  /** Whether it still wins when processes crash and come back. */
  readonly throughCrashes: boolean;
  /** By what processes are compared. */
  readonly idsOf: (run: Pick<RunSettings, "processes" | "seed" | "options">) => Ids;
  readonly checkers?: readonly Checker[];
  readonly witnesses: readonly Witness[];
  readonly guide: readonly GuideStep[];
  readonly narration: Readonly<Record<string, string>>;
}

/** A lab in which processes miss a leader, each as often as `--elections` says. */
export function electionLab<State, Message>(parts: ElectionLabParts<State, Message>): Lab {
  return {
    id: parts.id,
    title: parts.title,
    summary: parts.summary,
    processes: { min: 2, usual: 5, max: 1_000 },
    options: [...electionOptions, ...(parts.options ?? []), ...linkOptions],
    protocol: (run) => reliable(parts.protocol(run), linkSettings(run)),
    user: electionUser,
    faults: "delay 5..50ms, loss 10%, duplicate 5%, reorder 20%",
    checkers: [
      receiveHasSend,
      recordedClocks,
      atMostOnce("reliable"),
      leaderDeclaresItself,
      oneLeaderAtTheEnd,
      bestLeads(
        parts.best,
        (run) => {
          const ids = parts.idsOf(run);
          return (a, b) => (ids[a] ?? -1) > (ids[b] ?? -1);
        },
        parts,
      ),
      ...(parts.checkers ?? []),
    ],
    witnesses: [severalTookPart, ...parts.witnesses],
    guide: parts.guide,
    narration: { ...reliableNarration, ...parts.narration },
  };
}

const electionOptions: readonly LabOption[] = [
  {
    name: "elections",
    summary: "how often each process misses a leader",
    kind: "integer",
    usual: 1,
    min: 1,
    max: 100_000,
  },
  {
    name: "think",
    summary: "longest pause before it does",
    kind: "duration",
    usual: 20 * MILLISECOND,
    min: 0,
  },
];

/** Of the labs that take silence for a crash. */
export const electionPatienceOption: LabOption = {
  name: "patience",
  summary: "wait so long for an answer before taking somebody for dead",
  kind: "duration",
  usual: 5 * SECOND,
  min: MILLISECOND,
  max: 600 * SECOND,
};

export const idsOption: LabOption = {
  name: "ids",
  summary: 'the id of each process in order, as "3 1 2"; the highest wins',
  kind: "text",
  usual: "shuffled",
};

/** `--ids`, or 1 to n in an order that the seed decides. */
export function ringIds({
  processes,
  seed,
  options,
}: Pick<RunSettings, "processes" | "seed" | "options">): Ids {
  const given = String(options["ids"] ?? "shuffled");
  if (given !== "shuffled") return parseIds(given, processes);
  const random = Random.stream(seed, "ids");
  const left = processes.map((_, place) => place + 1);
  return Object.fromEntries(
    processes.map((process) => [process, left.splice(random.below(left.length), 1)[0] ?? 0]),
  );
}

/** Misses a leader once in a while; the protocol does the rest. */
const electionUser = userOf<null, ElectionCommand, ElectionOutput>({
  start: (at) => {
    const elections = Number(at.run.options["elections"]);
    const think = Number(at.run.options["think"]);
    const times = Array.from({ length: elections }, (_, k) => k * think + at.random.between(0, think));
    return {
      state: null,
      commands: times.map((after) => ({ after, command: { kind: "elect" as const } })),
    };
  },
  onRestart: (state) => ({ state, commands: [] }),
});
