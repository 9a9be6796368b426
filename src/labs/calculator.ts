import { MILLISECOND, type UserPlace } from "../core/index.js";
import { explained, lostReplyMadeGood } from "../checkers/index.js";
import { calculator, requestReply, requestReplyNarration } from "../protocols/index.js";
import { callCheckers, callingUser, callOptions, callSettings, type NextCall } from "./calling-user.js";
import type { Lab } from "./lab.js";

/** The methods that take `work`, so long that the server acknowledges them first. */
const SLOW: readonly string[] = ["power", "root"];

/** Each client takes the methods in turn, from a place of its own, with small whole numbers; some calls are mistakes. */
const nextOperation: NextCall = (at: UserPlace, number: number) => {
  const { methods } = calculator;
  const method = methods[(at.index + number) % methods.length] ?? "";
  return { method, args: { a: at.random.between(0, 20), b: at.random.between(0, 9) } };
};

/** A calculator that stays exact while messages are lost and its server is killed. */
export const calculatorLab: Lab = {
  id: "calculator",
  title: "A calculator that runs each call exactly once",
  summary:
    "P1 is a server that calculates, the others call it, several calls at a time. The server acknowledges work that " +
    "takes long, keeps each reply with its effect on disk, and after a crash repeats the replies it has instead of " +
    "the work. A caller learns the value, that its call certainly did not run, or that this is unknown.",
  processes: { min: 2, usual: 4, max: 1_000 },
  options: [
    ...callOptions(10),
    {
      name: "work",
      summary: "how long power and root take",
      kind: "duration",
      usual: 40 * MILLISECOND,
      min: 0,
    },
    {
      name: "cancel",
      summary: "calls in a hundred that the caller takes back",
      kind: "integer",
      usual: 5,
      min: 0,
      max: 100,
    },
  ],
  protocol(run) {
    const takes = Number(run.options["work"]);
    const work = (method: string): number => (SLOW.includes(method) ? takes : 0);
    return requestReply(calculator, { ...callSettings(run), work });
  },
  user: callingUser(nextOperation),
  faults: "delay 1..20ms, loss 20%, duplicate 10%, reorder 20%, crash P1 at 300ms, restart P1 at 500ms",
  checkers: callCheckers,
  witnesses: [
    lostReplyMadeGood,
    explained("acknowledged-first", "an acknowledgement came before a result", ["rr.answer.acknowledged"]),
  ],
  guide: [
    {
      text: "Three real clients, a real server, a bad network; the server is killed and comes back. Nothing runs twice.",
      command: "lightcone run calculator",
    },
    {
      text: "A thousand schedules, each with a crash: the same holds in all of them.",
      command:
        "lightcone sim calculator --seeds 1000 --faults 'loss 20%, duplicate 10%, reorder 20%, crash P1 at 300ms, restart P1 at 500ms'",
    },
    {
      text: "Without a disk nothing runs twice either, but what was under way at the crash stays unknown.",
      command:
        "lightcone sim calculator --mode at-most-once --seed 2 --faults 'loss 20%, crash P1 at 300ms, restart P1 at 500ms'",
    },
    {
      text: "A server that never comes back: every caller learns so, and none is told that its call did not run.",
      command: "lightcone sim calculator --deadline 1s --seed 1 --faults 'loss 20%, crash P1 at 300ms'",
    },
  ],
  narration: requestReplyNarration,
};
