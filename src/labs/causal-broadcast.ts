import { invariant, MILLISECOND, type UserPlace, type UserStep } from "../core/index.js";
import {
  allDelivered,
  atMostOnce,
  causalDelivery,
  explained,
  fifoDelivery,
  receiveHasSend,
  recordedClocks,
} from "../checkers/index.js";
import {
  causalBroadcast,
  causalBroadcastNarration,
  reliable,
  reliableNarration,
  type BroadcastCommand,
  type BroadcastOverflow,
} from "../protocols/index.js";
import { userOf, type Lab } from "./lab.js";
import { linkOptions, linkSettings } from "./link-options.js";

/** A note on the board. `answers` names the note it replies to, so a reader sees what order is right. */
export interface Note {
  readonly id: string;
  readonly text: string;
  readonly answers?: string;
}

interface ReaderState {
  readonly questionsLeft: number;
  readonly answersLeft: number;
  readonly written: number;
}

const LAYER = "causal-broadcast";

const QUESTIONS = [
  "Is the build green?",
  "Who has the projector?",
  "Shall we ship on Friday?",
  "Where do we eat?",
  "Did anyone see my keys?",
  "Is the lab free at four?",
];

const ANSWERS = ["Yes.", "No.", "Ask the others.", "Only after the review.", "I think so.", "Not today."];

/** Asks questions at random times and answers some of those it reads. */
const reader = userOf<ReaderState, BroadcastCommand<Note>, BroadcastOverflow>({
  start(at) {
    const questions = Number(at.run.options["questions"]);
    const state = { questionsLeft: questions, answersLeft: Number(at.run.options["answers"]), written: 0 };
    return askNext(state, at);
  },

  onDeliver(state, delivery, at) {
    if (delivery.layer !== LAYER) return { state, commands: [] };
    const note = noteOf(delivery.message);
    if (delivery.from === at.self)
      return note.answers === undefined ? askNext(state, at) : { state, commands: [] };
    if (state.answersLeft === 0 || note.answers !== undefined || at.random.chance(0.25))
      return { state, commands: [] };
    const text = ANSWERS[at.random.below(ANSWERS.length)] ?? "";
    return write(
      { ...state, answersLeft: state.answersLeft - 1 },
      { text, answers: note.id },
      2 * MILLISECOND,
      at,
    );
  },
});

function askNext(state: ReaderState, at: UserPlace): UserStep<ReaderState, BroadcastCommand<Note>> {
  if (state.questionsLeft === 0) return { state, commands: [] };
  const text = QUESTIONS[at.random.below(QUESTIONS.length)] ?? "";
  const after = at.random.between(0, Number(at.run.options["think"]));
  return write({ ...state, questionsLeft: state.questionsLeft - 1 }, { text }, after, at);
}

function write(
  state: ReaderState,
  note: Omit<Note, "id">,
  after: number,
  at: UserPlace,
): UserStep<ReaderState, BroadcastCommand<Note>> {
  const written = state.written + 1;
  const payload: Note = { id: `${at.self}-${written}`, ...note };
  return { state: { ...state, written }, commands: [{ after, command: { kind: "broadcast", payload } }] };
}

/** The board's users are the only writers, so a delivery here is always a note. */
function noteOf(message: unknown): Note {
  invariant(
    typeof message === "object" && message !== null && "id" in message && typeof message.id === "string",
    "a delivery of the message board is not a note",
  );
  const text = "text" in message && typeof message.text === "string" ? message.text : "";
  const answers = "answers" in message && typeof message.answers === "string" ? message.answers : undefined;
  return { id: message.id, text, ...(answers !== undefined && { answers }) };
}

/** A message board on which nobody reads an answer before its question. */
export const causalBroadcastLab: Lab = {
  id: "causal-broadcast",
  title: "A message board where answers follow questions",
  summary:
    "Everybody writes to everybody, with no server. A note waits at its reader until everything its writer had read " +
    "is there too, so no answer shows before its question, however the network delays them.",
  processes: { min: 2, usual: 4, max: 200 },
  options: [
    {
      name: "questions",
      summary: "questions each process asks",
      kind: "integer",
      usual: 2,
      min: 0,
      max: 100_000,
    },
    {
      name: "answers",
      summary: "answers each process gives at most",
      kind: "integer",
      usual: 2,
      min: 0,
      max: 100_000,
    },
    {
      name: "think",
      summary: "longest pause before a question",
      kind: "duration",
      usual: 50 * MILLISECOND,
      min: 0,
    },
    ...linkOptions,
  ],
  protocol: (run) => reliable(causalBroadcast<Note>(), linkSettings(run)),
  user: reader,
  faults: "delay 0..200ms, loss 10%, duplicate 5%",
  checkers: [
    receiveHasSend,
    recordedClocks,
    atMostOnce("reliable"),
    atMostOnce(LAYER),
    fifoDelivery(LAYER),
    causalDelivery(LAYER),
    allDelivered(LAYER),
  ],
  witnesses: [explained("note-held-back", "a note had to wait for one it follows", ["causal.wait"])],
  guide: [
    {
      text: "Five real processes write and answer over Unix sockets while messages are delayed, lost and doubled.",
      command:
        "lightcone run causal-broadcast -n 5 --transport uds --faults 'delay 0..500ms, loss 10%, duplicate 5%'",
    },
    {
      text: "In the diagram, find a note that was held back, and the note it waited for.",
      command: "lightcone sim causal-broadcast --seed 1 --faults 'delay 0..200ms'",
    },
  ],
  narration: { ...reliableNarration, ...causalBroadcastNarration },
};
