import {
  invariant,
  MILLISECOND,
  type Duration,
  type ProcessId,
  type UserPlace,
  type UserStep,
} from "../core/index.js";
import {
  allDelivered,
  atMostOnce,
  causalDelivery,
  explained,
  fifoDelivery,
  receiveHasSend,
  recordedClocks,
  toldToAddressee,
} from "../checkers/index.js";
import {
  causalBroadcast,
  causalBroadcastNarration,
  delayed,
  delayedNarration,
  reliable,
  reliableNarration,
  type BroadcastCommand,
  type BroadcastOverflow,
} from "../protocols/index.js";
import { userOf, type Lab } from "./lab.js";
import { linkOptions, linkSettings } from "./link-options.js";

/**
 * What somebody said, to all or to one. Those it is not for get it without `text`: it has its place in the order of
 * everybody, or later messages would wait for it for ever.
 */
export interface Utterance {
  readonly text?: string;
  /** Absent: to all. */
  readonly to?: ProcessId;
}

/** The command that says `text`, to all or `to` one process. */
export function say(text: string, to?: ProcessId): BroadcastCommand<Utterance> {
  if (to === undefined) return { kind: "broadcast", payload: { text } };
  return { kind: "broadcast", payload: { text, to }, only: { to, others: { to } } };
}

/** Who waits for messages in this lab, as its deliveries name it. */
export const VECTOR_CLOCKS_LAYER = "causal-broadcast";

/** The protocol of the lab, without links: what a participant of any network runs. */
export function delayedCausalBroadcast(delayMax: Duration, bufferMax?: number) {
  return delayed(causalBroadcast<Utterance>(bufferMax === undefined ? {} : { bufferMax }), delayMax);
}

interface SpeakerState {
  readonly left: number;
}

/** Says something now and then; every fourth time to one of the others only. */
const speaker = userOf<SpeakerState, BroadcastCommand<Utterance>, BroadcastOverflow>({
  start: (at) => sayNext({ left: Number(at.run.options["messages"]) }, at),
  onDeliver(state, { layer, from }, at) {
    return layer === VECTOR_CLOCKS_LAYER && from === at.self ? sayNext(state, at) : { state, commands: [] };
  },
});

function sayNext(state: SpeakerState, at: UserPlace): UserStep<SpeakerState, BroadcastCommand<Utterance>> {
  if (state.left === 0) return { state, commands: [] };
  const text = `message ${Number(at.run.options["messages"]) - state.left + 1} of ${at.self}`;
  const others = at.run.processes.filter((process) => process !== at.self);
  const chosen = others[at.random.below(others.length)];
  invariant(chosen !== undefined, "the lab has two processes at least");
  const command = at.random.chance(0.25) ? say(text, chosen) : say(text);
  const after = at.random.between(0, Number(at.run.options["think"]));
  return { state: { left: state.left - 1 }, commands: [{ after, command }] };
}

/** The vector-clock processes: what each says leaves late, and is heard in causal order all the same. */
export const vectorClocksLab: Lab = {
  id: "vector-clocks",
  title: "Processes with vector clocks, whose messages leave late",
  summary:
    "Each says something to all, or to one, and counts it in its own entry of a vector. A copy leaves for each of the " +
    "others after a random delay of its own, so copies overtake each other; whoever gets one whose predecessors are " +
    "missing lets it wait. `lightcone process` starts a participant by hand, with a page.",
  processes: { min: 2, usual: 3, max: 64 },
  options: [
    {
      name: "messages",
      summary: "messages of each process",
      kind: "integer",
      usual: 6,
      min: 0,
      max: 100_000,
    },
    {
      name: "max-delay",
      summary: "longest delay before a message leaves",
      kind: "duration",
      usual: 200 * MILLISECOND,
      min: 0,
    },
    {
      name: "think",
      summary: "longest pause before a message",
      kind: "duration",
      usual: 50 * MILLISECOND,
      min: 0,
    },
    ...linkOptions,
  ],
  protocol: (run) => reliable(delayedCausalBroadcast(Number(run.options["max-delay"])), linkSettings(run)),
  user: speaker,
  faults: "loss 10%, duplicate 5%",
  checkers: [
    receiveHasSend,
    recordedClocks,
    atMostOnce("reliable"),
    atMostOnce(VECTOR_CLOCKS_LAYER),
    fifoDelivery(VECTOR_CLOCKS_LAYER),
    causalDelivery(VECTOR_CLOCKS_LAYER),
    allDelivered(VECTOR_CLOCKS_LAYER),
    toldToAddressee(VECTOR_CLOCKS_LAYER),
  ],
  witnesses: [explained("message-held-back", "a message had to wait for one before it", ["causal.wait"])],
  guide: [
    {
      text: "Three real processes; watch a message wait for its predecessor.",
      command: "lightcone run vector-clocks --transport udp",
    },
    {
      text: "The same simulated, with longer delays.",
      command: "lightcone sim vector-clocks --seed 1 --max-delay 2s",
    },
  ],
  narration: { ...reliableNarration, ...delayedNarration, ...causalBroadcastNarration },
};
