import { MILLISECOND, type Duration, type UserPlace, type UserStep } from "../core/index.js";
import {
  atMostOnce,
  entryOrder,
  everyRequestServed,
  explained,
  messagesPerEntry,
  mutualExclusion,
  receiveHasSend,
  recordedClocks,
  somebodyWaited,
} from "../checkers/index.js";
import {
  reliable,
  reliableNarration,
  ricartAgrawala,
  ricartAgrawalaNarration,
  type MutexCommand,
  type MutexOutput,
} from "../protocols/index.js";
import { userOf, type Lab } from "./lab.js";
import { linkOptions, linkSettings } from "./link-options.js";

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

/** Mutual exclusion by asking everybody: the laboratory's ninth experiment, with faults. */
export const ricartAgrawalaLab: Lab = {
  id: "ricart-agrawala",
  title: "Mutual exclusion by asking everybody",
  summary:
    "Processes that share nothing agree who may enter the critical section: whoever wants to enter asks all others, " +
    "and a process that wants it too keeps those waiting whose request is later than its own.",
  processes: { min: 2, usual: 3, max: 1_000 },
  options: [
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
    ...linkOptions,
  ],
  protocol: (run) => reliable(ricartAgrawala, linkSettings(run)),
  user: mutexUser,
  faults: "delay 5..50ms, loss 10%, duplicate 5%, reorder 20%",
  checkers: [
    receiveHasSend,
    recordedClocks,
    atMostOnce("reliable"),
    mutualExclusion,
    entryOrder,
    everyRequestServed,
    messagesPerEntry("2(n-1)", (processes) => 2 * (processes - 1)),
  ],
  witnesses: [
    somebodyWaited,
    explained("reply-deferred", "a process kept another waiting for its reply", [
      "ra.defer.inside",
      "ra.defer.earlier",
    ]),
  ],
  guide: [
    {
      text: "Four real processes compete while the network misbehaves; follow one request from asking to entering.",
      command: "lightcone run ricart-agrawala -n 4",
    },
    {
      text: "Without faults an entry costs exactly 2(n-1) messages. Count them.",
      command: "lightcone sim ricart-agrawala -n 3 --seed 1",
    },
    {
      text: "Ten thousand schedules, each with its own losses and delays: the same property holds in all of them.",
      command:
        "lightcone sim ricart-agrawala -n 3 --seeds 10000 --faults 'loss 10%, duplicate 10%, reorder 10%'",
    },
    {
      text:
        "One crash, and everybody waits for a reply that never comes, until the links give up: the algorithm has n " +
        "points of failure, and the verdict says so.",
      command: "lightcone sim ricart-agrawala -n 3 --max-retries 5 --faults 'crash P2 at 30ms'",
    },
  ],
  narration: { ...reliableNarration, ...ricartAgrawalaNarration },
};
