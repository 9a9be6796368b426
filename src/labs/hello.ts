import { lostReplyMadeGood } from "../checkers/index.js";
import { hello, requestReply, requestReplyNarration } from "../protocols/index.js";
import { callCheckers, callingUser, callOptions, callSettings } from "./calling-user.js";
import type { Lab } from "./lab.js";

/** A server that greets its callers, each greeting once: the laboratory's seventh experiment, with faults. */
export const helloLab: Lab = {
  id: "hello",
  title: "A server that greets each caller once",
  summary:
    "P1 is a server, the others call it. Requests and replies are lost and doubled on the way; a call is repeated " +
    "under the same number until it is answered, and the server repeats a lost reply instead of greeting again.",
  processes: { min: 2, usual: 4, max: 1_000 },
  options: callOptions(8),
  protocol: (run) => requestReply(hello, callSettings(run)),
  user: callingUser((at) => ({ method: "hello", args: { name: at.self } })),
  faults: "delay 1..20ms, loss 30%, duplicate 10%, reorder 20%",
  checkers: callCheckers,
  witnesses: [lostReplyMadeGood],
  guide: [
    {
      text: "Three real clients call a real server over a network that loses three messages in ten.",
      command: "lightcone run hello",
    },
    {
      text: "Find a lost reply, the request that came again, and the reply repeated from the cache.",
      command: "lightcone sim hello -n 2 --calls 3 --seed 3 --faults 'loss 30%'",
    },
    {
      text: "Without kept replies some callers are greeted twice. Count the greetings.",
      command: "lightcone sim hello --mode at-least-once --seed 1 --faults 'loss 30%'",
    },
    {
      text: "With one attempt only, a lost message leaves its caller not knowing.",
      command: "lightcone sim hello --mode maybe --seed 1 --faults 'loss 30%'",
    },
  ],
  narration: requestReplyNarration,
};
