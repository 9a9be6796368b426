import type { UserPlace, UserStep } from "../core/index.js";
import {
  completedOnce,
  everyCallAnswered,
  explained,
  receiveHasSend,
  recordedClocks,
  streamsComplete,
  withinCallLimits,
} from "../checkers/index.js";
import {
  randomNumbers,
  requestReply,
  requestReplyNarration,
  streamPart,
  type CallCommand,
  type CallOutput,
} from "../protocols/index.js";
import { callOptions, callSettings } from "./calling-user.js";
import { userOf, type Lab } from "./lab.js";

interface Stream {
  readonly seed: number;
  readonly delivered: number;
  /** Parts in a row whose outcome stayed unknown. */
  readonly tries: number;
  readonly over: boolean;
}

interface ConsumerState {
  readonly streams: readonly Stream[];
  /** Which stream each call under way fetches a part of. */
  readonly calls: Readonly<Record<string, number>>;
}

type Step = UserStep<ConsumerState, CallCommand>;

/** More unknown parts in a row end a stream: the server is not there. */
const TRIES_MAX = 5;

/** Consumes streams, one part after the other, several streams at a time; every stream has a seed of its own. */
const consumer = userOf<ConsumerState, CallCommand, CallOutput>({
  start(at) {
    if (at.index === 0) return { state: { streams: [], calls: {} }, commands: [] };
    const streams = Array.from({ length: Number(at.run.options["streams"]) }, () => ({
      seed: at.random.uint32(),
      delivered: 0,
      tries: 0,
      over: false,
    }));
    return fetchAll({ streams, calls: {} }, at);
  },

  onOutput(state, output, at) {
    if (output.kind === "invoked") {
      const index = state.streams.findIndex(({ seed }) => seed === seedOf(output.args));
      return { state: { ...state, calls: { ...state.calls, [output.id]: index } }, commands: [] };
    }
    if (output.kind === "executed") return { state, commands: [] };
    const index = state.calls[output.id] ?? -1;
    const stream = state.streams[index];
    if (stream === undefined) return { state, commands: [] };
    const calls = Object.fromEntries(Object.entries(state.calls).filter(([id]) => id !== output.id));
    const next = after(stream, output);
    const streams = state.streams.map((other, i) => (i === index ? next : other));
    return { state: { streams, calls }, commands: next.over ? [] : [fetch(next, at)] };
  },

  /** The parts under way are lost with the process; what was delivered is not. */
  onRestart: (state, at) => fetchAll({ ...state, calls: {} }, at),
});

function fetchAll(state: ConsumerState, at: UserPlace): Step {
  return { state, commands: state.streams.filter(({ over }) => !over).map((stream) => fetch(stream, at)) };
}

function fetch({ seed, delivered }: Stream, at: UserPlace): Step["commands"][number] {
  const { count, max, part, think } = at.run.options;
  const args = { count: Number(count), max: Number(max), seed, from: delivered, most: Number(part) };
  return { after: at.random.between(0, Number(think)), command: { kind: "call", method: "draw", args } };
}

function after(stream: Stream, { outcome }: Extract<CallOutput, { kind: "completed" }>): Stream {
  if (outcome.kind === "ok") {
    const part = streamPart(outcome.value);
    const delivered = stream.delivered + (part?.items.length ?? 0);
    return { ...stream, delivered, tries: 0, over: part === undefined || delivered >= part.count };
  }
  const tries = stream.tries + 1;
  return { ...stream, tries, over: outcome.kind === "failed" || tries === TRIES_MAX };
}

function seedOf(args: unknown): unknown {
  return typeof args === "object" && args !== null && "seed" in args ? args.seed : undefined;
}

/** A server of random numbers whose streams arrive whole, whatever is lost and whoever crashes. */
export const randomNumbersLab: Lab = {
  id: "random-numbers",
  title: "A stream of random numbers, without gap or repeat",
  summary:
    "P1 draws random numbers, the others consume them as streams, a part at a time. A part is named by its place, and " +
    "what it holds follows from the seed: lost parts are fetched again, a server that was killed goes on in the middle " +
    "of a stream it has never seen, and a consumer that asks slowly holds nothing up.",
  processes: { min: 2, usual: 3, max: 1_000 },
  options: [
    { name: "streams", summary: "streams each consumer reads", kind: "integer", usual: 2, min: 1, max: 100 },
    { name: "count", summary: "numbers in a stream", kind: "integer", usual: 20, min: 1, max: 1_000_000 },
    {
      name: "max",
      summary: "numbers lie from 1 to this",
      kind: "integer",
      usual: 6,
      min: 1,
      max: 1_000_000_000,
    },
    { name: "part", summary: "numbers fetched by one call", kind: "integer", usual: 4, min: 1, max: 4096 },
    ...callOptions(0).filter(({ name }) => name !== "calls" && name !== "in-flight"),
  ],
  protocol: (run) => requestReply(randomNumbers, callSettings(run)),
  user: consumer,
  faults: "delay 1..20ms, loss 20%, duplicate 10%, reorder 20%, crash P1 at 150ms, restart P1 at 300ms",
  checkers: [
    receiveHasSend,
    recordedClocks,
    completedOnce,
    everyCallAnswered,
    withinCallLimits,
    streamsComplete,
  ],
  witnesses: [
    explained("part-fetched-again", "a request for a part, or the part, was lost, and it was fetched again", [
      "rr.retry",
    ]),
  ],
  guide: [
    {
      text: "Two real consumers, a real server, a bad network; the server is killed and comes back. The streams go on.",
      command: "lightcone run random-numbers",
    },
    {
      text: "Follow one stream: which parts were asked for twice, and what the second answer was.",
      command: "lightcone sim random-numbers -n 2 --streams 1 --count 8 --seed 1 --faults 'loss 30%'",
    },
    {
      text: "The consumer is killed, too: it goes on where it was.",
      command:
        "lightcone sim random-numbers --seeds 1000 --faults 'loss 20%, reorder 20%, crash P2 at 50ms, restart P2 at 90ms, crash P1 at 150ms, restart P1 at 300ms'",
    },
    {
      text: "With one attempt for each part, what is lost stays unknown until its deadline; then it is asked for anew.",
      command: "lightcone sim random-numbers --mode maybe --deadline 200ms --seed 1 --faults 'loss 10%'",
    },
  ],
  narration: requestReplyNarration,
};
