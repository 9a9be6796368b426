import {
  MILLISECOND,
  SECOND,
  type Duration,
  type Protocol,
  type RunSettings,
  type UserPlace,
  type UserStep,
} from "../core/index.js";
import {
  atMostOnce,
  everyRequestServed,
  fencingTokens,
  fifoDelivery,
  mutualExclusion,
  receiveHasSend,
  recordedClocks,
  somebodyWaited,
  type Checker,
  type Witness,
} from "../checkers/index.js";
import {
  fifo,
  fifoNarration,
  reliable,
  reliableNarration,
  type MutexCommand,
  type MutexOutput,
} from "../protocols/index.js";
import { userOf, type GuideStep, type Lab, type LabOption } from "./lab.js";
import { linkOptions, linkSettings } from "./link-options.js";

/** What one mutual exclusion lab adds to what all of them share. */
export interface MutexLabParts<State, Message> {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  protocol(run: RunSettings): Protocol<State, Message, MutexCommand, MutexOutput>;
  /** Default: two to a thousand processes, three unless told. */
  readonly processes?: Lab["processes"];
  /** What the algorithm needs of its links: that nothing is lost, or order besides. */
  readonly links: "reliable" | "reliable, fifo";
  readonly options?: readonly LabOption[];
  /** What an entry costs, and whatever else is true of this algorithm alone. */
  readonly checkers: readonly Checker[];
  readonly witnesses: readonly Witness[];
  readonly guide: readonly GuideStep[];
  readonly narration: Readonly<Record<string, string>>;
}

/** A lab in which processes compete for the critical section, each as often as `--entries` says. */
export function mutexLab<State, Message>(parts: MutexLabParts<State, Message>): Lab {
  const ordered = parts.links === "reliable, fifo";
  return {
    id: parts.id,
    title: parts.title,
    summary: parts.summary,
    processes: parts.processes ?? { min: 2, usual: 3, max: 1_000 },
    options: [...mutexOptions, ...(parts.options ?? []), ...linkOptions],
    protocol: (run) => {
      const protocol = parts.protocol(run);
      return ordered ? reliable(fifo(protocol), linkSettings(run)) : reliable(protocol, linkSettings(run));
    },
    user: mutexUser,
    faults: "delay 5..50ms, loss 10%, duplicate 5%, reorder 20%",
    checkers: [
      receiveHasSend,
      recordedClocks,
      atMostOnce("reliable"),
      ...(ordered ? [fifoDelivery("fifo")] : []),
      mutualExclusion,
      fencingTokens,
      everyRequestServed,
      ...parts.checkers,
    ],
    witnesses: [somebodyWaited, ...parts.witnesses],
    guide: parts.guide,
    narration: { ...reliableNarration, ...(ordered && fifoNarration), ...parts.narration },
  };
}

/** Of the labs whose token can be made anew. */
export const patienceOption: LabOption = {
  name: "patience",
  summary: "wait so long before suspecting that the token is lost; 0ms: never",
  kind: "duration",
  usual: 10 * SECOND,
  min: 0,
};

/** Kinds of message that are sent only when a token is thought lost. */
export const CENSUS_KINDS: readonly string[] = ["enquiry", "absent", "present", "superseded"];

const mutexOptions: readonly LabOption[] = [
  {
    name: "entries",
    summary: "how often each process enters",
    kind: "integer",
    usual: 2,
    min: 1,
    max: 100_000,
  },
  { name: "hold", summary: "how long it stays inside", kind: "duration", usual: 20 * MILLISECOND, min: 0 },
  {
    name: "think",
    summary: "longest pause before it asks",
    kind: "duration",
    usual: 50 * MILLISECOND,
    min: 0,
  },
];

/** Enters the critical section a number of times, with pauses between. */
interface MutexUserState {
  readonly left: number;
}

const mutexUser = userOf<MutexUserState, MutexCommand, MutexOutput>({
  start(at) {
    return askAgain({ left: Number(at.run.options["entries"]) }, at);
  },

  onOutput(state, output, at) {
    switch (output.kind) {
      case "requested":
        return { state, commands: [] };
      case "entered":
        return { state, commands: [{ after: option(at, "hold"), command: { kind: "release" } }] };
      case "exited":
        return askAgain(state, at);
    }
  },

  /** What it was doing is lost with the process; it asks for the entries that are left. */
  onRestart: (state, at) => askAgain(state, at),
});

function askAgain({ left }: MutexUserState, at: UserPlace): UserStep<MutexUserState, MutexCommand> {
  if (left === 0) return { state: { left }, commands: [] };
  const after = at.random.between(0, option(at, "think"));
  return { state: { left: left - 1 }, commands: [{ after, command: { kind: "acquire" } }] };
}

function option(at: UserPlace, name: string): Duration {
  return Number(at.run.options[name]);
}
