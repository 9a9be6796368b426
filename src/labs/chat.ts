import { MILLISECOND, SECOND, type UserPlace, type UserStep } from "../core/index.js";
import {
  chatCheckers,
  chatCompetition,
  explained,
  receiveHasSend,
  recordedClocks,
} from "../checkers/index.js";
import { chat, chatNarration, type ChatCommand, type ChatOutput } from "../protocols/index.js";
import { userOf, type Lab } from "./lab.js";

interface TalkerState {
  readonly left: number;
}

const NAMES = ["", "Ana", "Bea", "Cem", "Dina", "Eli", "Fay", "Gil", "Hana", "Ines", "Jon"];

const LINES = [
  "Hello, everybody.",
  "Who is here?",
  "I am.",
  "Did you get that?",
  "Say it again, please.",
  "The server was gone for a moment.",
  "Is this the last message?",
  "See you at four.",
  // Refused: somebody pressed a key too early.
  "",
];

/** Says two things after a pause each, and another whenever it knows what became of one. */
const talker = userOf<TalkerState, ChatCommand, ChatOutput>({
  start: (at) => sayTwo({ left: Number(at.run.options["messages"]) }, at),

  onOutput(state, output, at) {
    const ended = output.kind === "posted" || output.kind === "failed" || output.kind === "unknown";
    return ended ? say(state, at) : { state, commands: [] };
  },

  onRestart: sayTwo,
});

function sayTwo(state: TalkerState, at: UserPlace): UserStep<TalkerState, ChatCommand> {
  const first = say(state, at);
  const second = say(first.state, at);
  return { state: second.state, commands: [...first.commands, ...second.commands] };
}

function say(state: TalkerState, at: UserPlace): UserStep<TalkerState, ChatCommand> {
  if (at.index === 0 || state.left === 0) return { state, commands: [] };
  const text = LINES[at.random.below(LINES.length)] ?? "";
  const after = at.random.between(0, Number(at.run.options["think"]));
  return { state: { left: state.left - 1 }, commands: [{ after, command: { kind: "post", text } }] };
}

/** A group chat whose server is killed in the middle: one order, no gap, nothing twice, nothing acknowledged lost. */
export const chatLab: Lab = {
  id: "chat",
  title: "A group chat that survives its server",
  summary:
    "P1 keeps the room, the others talk in it. A message counts once it is in the history on disk, and everybody " +
    "sees the history's order. Messages get lost and doubled, the server is killed and comes back: each member goes " +
    "on where it had been, without gap or repeat, and every author knows what became of what it wrote.",
  processes: { min: 2, usual: 4, max: 1_000 },
  options: [
    { name: "messages", summary: "messages each member writes", kind: "integer", usual: 6, min: 0, max: 500 },
    {
      name: "think",
      summary: "longest pause before a message",
      kind: "duration",
      usual: 50 * MILLISECOND,
      min: 0,
    },
    {
      name: "deadline",
      summary: "time an author gives a message",
      kind: "duration",
      usual: 5 * SECOND,
      min: 1,
    },
    {
      name: "max-retries",
      summary: "unanswered attempts after which a peer is taken for gone",
      kind: "integer",
      usual: 30,
      min: 1,
      max: 1_000_000,
    },
  ],
  protocol(run) {
    const [server = ""] = run.processes;
    const names = new Map(run.processes.map((process, i) => [process, NAMES[i] ?? process]));
    return chat({
      server,
      nameOf: (member) => names.get(member) ?? member,
      deadline: Number(run.options["deadline"]),
      attemptsMax: Number(run.options["max-retries"]),
      // Small, so that a short run comes to every rule.
      window: 8,
      haveEvery: 3,
      haveAfter: 20 * MILLISECOND,
      heartbeat: 80 * MILLISECOND,
      retry: 60 * MILLISECOND,
      retryMax: 500 * MILLISECOND,
    });
  },
  user: talker,
  faults: "delay 1..20ms, loss 20%, duplicate 10%, reorder 20%, crash P1 at 200ms, restart P1 at 350ms",
  checkers: [receiveHasSend, recordedClocks, ...chatCheckers],
  witnesses: [
    chatCompetition,
    explained("repeat-known", "a post came again and was known", ["chat.repeat"]),
    explained("gap-closed", "a member lacked messages and got them", ["chat.missing", "chat.resume"]),
  ],
  guide: [
    {
      text: "Three real members, a real server; the server is killed with -9 and comes back. Nobody misses a message.",
      command: "lightcone run chat",
    },
    {
      text: "A thousand schedules, each with a crash of the server: the same holds in all of them.",
      command:
        "lightcone sim chat --seeds 1000 --faults 'delay 1..20ms, loss 20%, duplicate 10%, crash P1 at 200ms, restart P1 at 350ms'",
    },
    {
      text: "A member is killed and comes back with nothing: it gets the whole history again.",
      command:
        "lightcone sim chat --seed 4 --faults 'delay 1..20ms, loss 10%, crash P3 at 150ms, restart P3 at 300ms'",
    },
    {
      text: "A server that stays away: each author is told that nobody can know.",
      command:
        "lightcone sim chat --seed 1 --deadline 1s --faults 'delay 1..20ms, loss 10%, crash P1 at 100ms'",
    },
  ],
  narration: chatNarration,
};
